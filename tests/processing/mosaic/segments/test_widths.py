"""How wide regions are."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.segments.superpixels import connected_parts
from processing.mosaic.segments.widths import are_thinner, region_widths


def spots(seed: int, rows: int = 60, columns: int = 83) -> np.ndarray:
    rng = np.random.default_rng(seed)
    seeds = rng.uniform((0, 0), (rows, columns), (25, 2))
    places = np.stack(np.indices((rows, columns)), -1).reshape(-1, 1, 2)
    return connected_parts(((places - seeds) ** 2).sum(axis=-1).argmin(axis=1).reshape(rows, columns))


def test_a_square_is_as_wide_as_its_side() -> None:
    labels = np.zeros((30, 30), np.int64)
    labels[8:19, 8:19] = 1

    assert region_widths(labels)[1] == pytest.approx(11)


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize("width", [0.5, 1.0, 3.0, 5.83, 6.0, 9.4, 200.0])
def test_what_is_thinner_is_what_the_widths_say(width: float, framed: bool) -> None:
    for seed in range(3):
        labels = spots(seed)
        padded = np.pad(labels + 1, 1) if framed else labels
        widths = region_widths(padded)[1:] if framed else region_widths(labels)

        assert np.array_equal(are_thinner(labels, width, framed=framed), widths < width)


def test_one_region_is_as_wide_as_the_picture() -> None:
    labels = np.zeros((7, 30), np.int64)

    assert list(are_thinner(labels, 7.0, framed=False)) == [False]
    assert list(are_thinner(labels, 7.1, framed=False)) == [True]
    assert list(are_thinner(labels, 7.1, framed=True)) == [True]
