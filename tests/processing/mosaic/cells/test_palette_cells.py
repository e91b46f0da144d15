"""Palette colours of cells: still pictures diffuse errors; frames of an animation must not flicker."""

from __future__ import annotations

import numpy as np

from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.cells.palette_cells import assign_colours
from processing.mosaic.colour.srgb import Colours, linearise
from processing.mosaic.progress import Progress

GRID = SquareGrid(320, 320, 10)
GREYS = np.array([[100, 100, 100], [160, 160, 160]], np.uint8)
GREY = np.full((GRID.count, 3), 128, np.uint8)


def assigned(colours: Colours, *, dither: bool, still: bool) -> np.ndarray:
    return assign_colours(GRID, colours, GREYS, Progress(), dither=dither, still=still, chroma_penalty=0.0).reshape(
        GRID.rows, GRID.columns
    )


def test_without_dithering_each_cell_has_the_nearest_colour() -> None:
    assert not assigned(GREY // 2, dither=False, still=True).any()
    assert assigned(255 - GREY // 2, dither=False, still=True).all()


def test_dithering_mixes_the_light_of_grey() -> None:
    dark, grey, light = linearise(np.array([100, 128, 160]) / 255)

    share = assigned(GREY, dither=True, still=True).mean()

    assert abs(share - (grey - dark) / (light - dark)) < 0.02


def test_a_change_in_one_cell_moves_no_other_cell_of_an_animation() -> None:
    changed = GREY.copy()
    changed[5] = 140

    differ = assigned(GREY, dither=True, still=False) != assigned(changed, dither=True, still=False)

    assert differ.sum() <= 1
    assert (assigned(GREY, dither=True, still=True) != assigned(changed, dither=True, still=True)).sum() > 1
