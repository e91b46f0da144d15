"""Means of square blocks are exact, whatever the sizes of blocks and bands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from processing.mosaic import progress as progress_module
from processing.mosaic.cells.block_means import block_areas, block_means
from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.progress import Progress
from tests.processing.mosaic.cell_samples import labels_of
from tests.processing.mosaic.pictures import noise, true_mean


def worst_error(pixels: np.ndarray, side: int, linear: bool) -> float:
    """The largest distance of a block's mean from the true one, in 255ths."""
    means = block_means(Image.fromarray(pixels), side, linear, Progress())
    blocks = [
        np.abs(mean - true_mean(pixels[row * side : (row + 1) * side, column * side : (column + 1) * side], linear))
        for row, means_of_row in enumerate(means)
        for column, mean in enumerate(means_of_row)
    ]
    return float(np.max(blocks))


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (170, 150)])
@pytest.mark.parametrize("side", [2, 7, 70, 300])
def test_blocks_are_the_means_of_their_pixels(size: tuple[int, int], side: int, linear: bool) -> None:
    assert worst_error(noise(*size), side, linear) <= (0.51 if linear else 0.67)


@pytest.mark.parametrize("linear", [True, False])
def test_blocks_larger_than_a_band_are_exact(monkeypatch: pytest.MonkeyPatch, linear: bool) -> None:
    monkeypatch.setattr(progress_module, "BAND_PX", 2000)

    assert worst_error(noise(170, 150), 70, linear) <= 0.51


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 25))
@settings(max_examples=40, deadline=None)
def test_areas_are_those_of_the_grid(width: int, height: int, side: int) -> None:
    labels = labels_of(SquareGrid(width, height, side))

    assert np.array_equal(block_areas(width, height, side), np.bincount(labels.ravel()))


def test_a_piece_that_is_lower_than_a_block_has_its_mean() -> None:
    image = Image.fromarray(noise(5000, 2 * 64 + 5))  # a row of these blocks is summed at a time

    means = block_means(image, 64, True, Progress())

    assert means.shape == (3, 79, 3)
    assert np.abs(means[2, 0] - true_mean(np.asarray(image)[128:, :64])).max() <= 0.51
