"""What the cells of a photomosaic look like to its matching."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ...codec.decode import Source
from ...progress import Stage
from .tile_pool import GRID, Grids, grids_of

_FINE = 2 * GRID  # samples across a cell: averaged in light to GRID fields


def cell_grids(source: Source, side: int, stage: Stage) -> Grids:
    """(rows, columns, GRID * GRID, 3) OKLab of square cells of `side` source pixels from the top left corner.

    Cells cut by the right or bottom edge are filled up with the edge's pixels.
    """
    columns, rows = -(-source.width // side), -(-source.height // side)
    small = _samples(source, side)
    grids = np.empty((rows, columns, GRID * GRID, 3), np.float32)
    for top, bottom in stage.bands(columns * _FINE, rows * _FINE, step=_FINE):
        strip = _padded(np.asarray(small.crop((0, top, small.width, min(bottom, small.height)))), columns, bottom - top)
        squares = strip.reshape(-1, _FINE, columns, _FINE, 3).transpose(0, 2, 1, 3, 4)
        looks = grids_of(squares.reshape(-1, _FINE, _FINE, 3))
        grids[top // _FINE : bottom // _FINE] = looks.reshape(-1, columns, GRID * GRID, 3)
    return grids


def _samples(source: Source, side: int) -> Image.Image:
    """The picture at _FINE pixels a cell, by Pillow; exact means where a sample is a whole number of pixels."""
    image = source.image
    if side % (_FINE * source.shrink) == 0:
        factor = side // (_FINE * source.shrink)
        return image if factor == 1 else image.reduce(factor)
    size = (max(1, round(source.width * _FINE / side)), max(1, round(source.height * _FINE / side)))
    return image.resize(size, Image.Resampling.BOX)


def _padded(strip: np.ndarray, columns: int, height: int) -> np.ndarray:
    """The strip cut or filled up with its edge to whole cells."""
    strip = strip[:, : columns * _FINE]
    down, across = height - strip.shape[0], columns * _FINE - strip.shape[1]
    return np.pad(strip, ((0, down), (0, across), (0, 0)), mode="edge")
