"""Means of rectangles whose edges lie between pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.cells.area_means import area_means
from processing.mosaic.colour.srgb import linear_lut, to_bytes
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import noise

PARTS = 4
"""Of a pixel, across and down."""


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("side", [4, 9, 13, 50])
def test_a_pixel_counts_by_the_part_that_is_covered(side: int, linear: bool) -> None:
    pixels = noise(61, 47)
    counts = (-(-61 * PARTS // side), -(-47 * PARTS // side))

    means = area_means(Image.fromarray(pixels), (side / PARTS, side / PARTS), counts, linear, Progress())

    light = linear_lut(linear)[pixels].astype(float).repeat(PARTS, 0).repeat(PARTS, 1)
    for row, column in np.ndindex(counts[::-1]):
        cell = light[row * side : (row + 1) * side, column * side : (column + 1) * side]
        assert np.abs(means[row, column] - to_bytes(cell.mean(axis=(0, 1)), linear).astype(int)).max() <= 1


def test_cells_that_bands_of_rows_cut_are_whole() -> None:
    pixels = noise(1500, 1500)
    side = (750.5, 400.25)

    means = area_means(Image.fromarray(pixels), side, (2, 4), True, Progress())

    upper = area_means(Image.fromarray(pixels[:801]), side, (2, 3), True, Progress())
    assert np.abs(means[:2].astype(int) - upper[:2]).max() == 0
