"""Colours of a palette for many cells: each different colour is looked up once, which changes no cell."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.colour.palette_indices import palette_indices
from processing.mosaic.progress import Progress

PALETTE = np.array([(0, 0, 0), (255, 255, 255), (200, 40, 30), (30, 90, 180), (240, 200, 60)], np.uint8)


def indices_of(colours: np.ndarray, grid: SquareGrid, first: int, *, dither: bool, chroma_penalty: float) -> np.ndarray:
    """Of the cells from `first` on."""
    pieces = palette_indices(
        colours,
        PALETTE,
        lambda start, stop: grid.centres(first + start, first + stop),
        grid.pitch,
        Progress(),
        dither=dither,
        chroma_penalty=chroma_penalty,
    )
    return np.concatenate([indices for _, indices in pieces])


@pytest.mark.parametrize(("dither", "chroma_penalty"), [(True, 0.0), (False, 0.0), (False, 0.5)])
@pytest.mark.parametrize("different", [2, 20_000, 100_000])
def test_many_cells_get_the_colours_that_each_of_them_would_get(
    different: int, dither: bool, chroma_penalty: float
) -> None:
    grid = SquareGrid(2000, 1600, 4)
    rng = np.random.default_rng(3)
    colours = rng.integers(0, 256, (different, 3), dtype=np.uint8)[rng.integers(0, different, grid.count)]
    colours[:2] = [(0, 0, 0), (255, 255, 255)]

    together = indices_of(colours, grid, 0, dither=dither, chroma_penalty=chroma_penalty)

    halves = [
        indices_of(colours[first : first + 100_000], grid, first, dither=dither, chroma_penalty=chroma_penalty)
        for first in range(0, grid.count, 100_000)
    ]
    assert len(together) > 1 << 17
    assert (together == np.concatenate(halves)).all()
