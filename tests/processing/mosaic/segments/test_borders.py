"""Borders of regions along the edges of pixels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from processing.mosaic.progress import Progress
from processing.mosaic.segments.borders import OUTSIDE, Border, trace_borders

Side = tuple[tuple[float, float], tuple[float, float]]


@given(arrays(np.int64, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 3)))
@settings(max_examples=200, deadline=None)
def test_every_side_between_two_regions_is_passed_once(labels: np.ndarray) -> None:
    borders = trace_borders(labels, Progress())

    assert sorted(side for border in borders for side in sides_of(border)) == sorted(sides_between(labels))
    assert all(regions_beside(labels, border) == {(border.left, border.right)} for border in borders)


def test_a_region_inside_another_has_one_closed_border() -> None:
    labels = np.zeros((5, 5), np.int64)
    labels[1:4, 1:4] = 1

    borders = trace_borders(labels, Progress())

    inner = next(border for border in borders if OUTSIDE not in (border.left, border.right))
    assert len(borders) == 2
    assert len(inner.points) == 13
    assert inner.points[0].tolist() == inner.points[-1].tolist()


def test_tracing_can_be_stopped() -> None:
    def stop(fraction: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        trace_borders(np.arange(9).reshape(3, 3), Progress(stop))


def sides_of(border: Border) -> list[Side]:
    points = [(x, y) for x, y in border.points.tolist()]
    return [(min(pair), max(pair)) for pair in itertools.pairwise(points)]


def sides_between(labels: np.ndarray) -> list[Side]:
    padded = np.pad(labels, 1, constant_values=OUTSIDE)
    rows, columns = np.nonzero(padded[:-1] != padded[1:])
    across = [((x - 1.0, float(y)), (float(x), float(y))) for x, y in zip(columns.tolist(), rows.tolist(), strict=True)]
    rows, columns = np.nonzero(padded[:, :-1] != padded[:, 1:])
    down = [((float(x), y - 1.0), (float(x), float(y))) for x, y in zip(columns.tolist(), rows.tolist(), strict=True)]
    return across + down


def regions_beside(labels: np.ndarray, border: Border) -> set[tuple[int, int]]:
    """What is on the left and on the right of its sides."""
    padded = np.pad(labels, 1, constant_values=OUTSIDE)
    start, end = border.points[:-1], border.points[1:]
    step, middle = end - start, (start + end) / 2
    left = middle + np.stack([step[:, 1], -step[:, 0]], 1) / 2
    right = middle - np.stack([step[:, 1], -step[:, 0]], 1) / 2
    beside = [
        padded[np.floor(side[:, 1]).astype(int) + 1, np.floor(side[:, 0]).astype(int) + 1] for side in (left, right)
    ]
    return set(zip(beside[0].tolist(), beside[1].tolist(), strict=True))
