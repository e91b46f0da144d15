"""Error diffusion."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.colour.dithering import diffuse_indices
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import noise, true_mean

BLACK_AND_WHITE = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)


def diffused(colours: np.ndarray, palette: np.ndarray, visible: np.ndarray | None = None) -> np.ndarray:
    """(rows, columns, 3): a picture of cells in the palette's colours."""
    rows, columns = colours.shape[:2]
    grid = SquareGrid(columns * 10, rows * 10, 10)
    centres = grid.centres(0, grid.count)
    indices = diffuse_indices(colours.reshape(-1, 3), palette, centres, grid.pitch, Progress(), visible=visible)
    return palette[indices].reshape(colours.shape)


@pytest.mark.parametrize("grey", [110, 128, 150])
def test_the_light_of_a_mix_is_near_that_of_the_colour(grey: int) -> None:
    palette = np.array([[90] * 3, [170] * 3], np.uint8)

    mix = diffused(np.full((40, 40, 3), grey, np.uint8), palette)

    assert np.abs(true_mean(mix) - grey).max() <= 6


def test_colours_of_the_palette_stay_as_they_are() -> None:
    picture = BLACK_AND_WHITE[np.random.default_rng(1).integers(0, 2, (12, 17))]

    assert np.array_equal(diffused(picture, BLACK_AND_WHITE), picture)


def test_cells_without_pixels_pass_no_error_on() -> None:
    picture = np.full((10, 10, 3), 255, np.uint8)
    picture[:5] = 60
    visible = np.repeat([False, True], 50)

    mix = diffused(picture, BLACK_AND_WHITE, visible=visible)

    assert (mix[5:] == 255).all()


def test_a_single_cell_and_a_single_row_are_dithered() -> None:
    assert diffused(noise(1, 1), BLACK_AND_WHITE).shape == (1, 1, 3)
    assert diffused(noise(30, 1), BLACK_AND_WHITE).shape == (1, 30, 3)
