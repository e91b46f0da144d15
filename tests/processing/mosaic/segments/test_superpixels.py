"""Regions are merged where that costs least."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from processing.mosaic.progress import Progress
from processing.mosaic.segments.superpixels import Neighbours, connected_parts, merge_to


def squares(rows: int, columns: int, side: int = 4) -> np.ndarray:
    return np.kron(np.arange(rows * columns).reshape(rows, columns), np.ones((side, side), np.int64))


@pytest.mark.parametrize("count", [1, 2, 7, 40, 41])
def test_as_many_regions_are_left_as_are_wanted(count: int) -> None:
    labels = squares(5, 9)
    lab = np.random.default_rng(1).normal(50, 5, (45, 3))[labels]

    merged = merge_to(labels, lab, count, Progress())

    assert np.unique(merged).tolist() == list(range(count))
    assert [np.unique(merged[labels == label]).size for label in range(45)] == [1] * 45


def test_similar_neighbours_merge_before_others() -> None:
    labels = squares(4, 4)
    lab = np.repeat([20.0, 80.0], 32).reshape(16, 4)[labels // 4][..., :1] * [1.0, 0.0, 0.0]
    lab[..., 0] += 0.1 * (labels % 4)

    merged = merge_to(labels, lab, 2, Progress())

    assert (merged[:8] == 0).all()
    assert (merged[8:] == 1).all()


def test_the_error_is_that_of_merging_one_pair_after_another() -> None:
    labels = squares(8, 8)
    lab = np.random.default_rng(2).normal(50, 10, (64, 3))[labels]

    merged = merge_to(labels, lab, 20, Progress())

    assert error_of(merged, lab) < 1.1 * error_of(merged_one_by_one(labels, lab, 20), lab)


def error_of(labels: np.ndarray, lab: np.ndarray) -> float:
    return sum(float(((lab[labels == label] - lab[labels == label].mean(axis=0)) ** 2).sum()) for label in range(20))


def merged_one_by_one(labels: np.ndarray, lab: np.ndarray, count: int) -> np.ndarray:
    """Always the pair of neighbours whose union adds the least squared error."""
    labels = labels.copy()
    while len(np.unique(labels)) > count:
        across, down = (np.stack(pair, -1) for pair in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])))
        borders = np.sort(np.concatenate([across.reshape(-1, 2), down.reshape(-1, 2)]), axis=1)
        pairs = np.unique(borders[borders[:, 0] != borders[:, 1]], axis=0)
        low, high = min(pairs.tolist(), key=lambda pair: added_error(labels, lab, *pair))
        labels[labels == high] = low
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def added_error(labels: np.ndarray, lab: np.ndarray, first: int, second: int) -> float:
    one, other = lab[labels == first], lab[labels == second]
    distance = float(((one.mean(axis=0) - other.mean(axis=0)) ** 2).sum())
    return len(one) * len(other) / (len(one) + len(other)) * distance


@given(arrays(np.int64, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 3)))
@settings(max_examples=100, deadline=None)
def test_neighbours_of_one_value_are_united_as_their_pixels_would_be(values: np.ndarray) -> None:
    labels = connected_parts(np.arange(values.size).reshape(values.shape) // 2 + values * values.size)
    value_of = np.zeros(labels.max() + 1, np.int64)
    value_of[labels] = values

    united, neighbours = Neighbours.of(labels).united(labels, value_of)

    assert np.array_equal(united, connected_parts(values))
    from_pixels = Neighbours.of(united)
    assert np.array_equal(neighbours.pairs, from_pixels.pairs)
    assert np.array_equal(neighbours.sides, from_pixels.sides)


def test_a_region_of_more_than_nine_mean_areas_takes_no_other_one() -> None:
    labels = np.zeros((40, 40), np.int64)
    labels[2::6, 2::6] = np.arange(1, 50).reshape(7, 7)

    rounds: list[float] = []

    merged = merge_to(labels, np.zeros((50, 3))[labels], 12, Progress(rounds.append))

    assert np.array_equal(merged, labels), "each union would have 9 or more of 12 parts"
    assert rounds == [], "that nothing is left to merge is seen at once"
