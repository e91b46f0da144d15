"""The source reduced to a few samples a cell, from which tiles are chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...cells.grid import cell_count
from ...colour.srgb import Colours
from ...progress import Progress
from ...style import RenderContext
from ...tiles.features import GRID, Features, thumbnail_features

SAMPLES = 2 * GRID
"""Pixels across a cell from which its thumbnail is averaged in linear light."""

_WHOLE = 1e-6  # what a length may differ from whole pixels because numbers are rounded


class _SampledPicture:
    """The source at SAMPLES pixels a cell. cell: width and height in pixels of the result.

    It does not depend on the size of the result, so that larger results have the same tiles.
    """

    def __init__(self, context: RenderContext[Any], cell: tuple[float, float]) -> None:
        source = context.source
        self._image = source.image
        across, down = (
            side / SAMPLES * length / (pixels * source.reduction)
            for side, length, pixels in zip(cell, (source.width, source.height), context.size, strict=True)
        )
        factor = round(across)
        if factor and max(abs(across - factor), abs(down - factor)) < _WHOLE:  # faster
            self._image, across, down = self._image.reduce(factor), 1.0, 1.0
        self._down, self._columns = down, _stretches(self._image.width, across)
        self._rows = _stretches(self._image.height, down)

    def rows(self, top: int, bottom: int) -> Colours:
        """(rows, columns, 3): some rows of samples, as far as there are any. At the right and at the bottom, the last
        ones may be of a part of their pixels."""
        part = Image.new("RGB", (self._columns[-1].stop, max(0, min(bottom, self._rows[-1].stop) - top)))
        for row in self._rows:
            first, last = max(top, row.first), min(bottom, row.stop)
            begin = row.begin + (first - row.first) * self._down
            end = row.end if last == row.stop else begin + (last - first) * self._down
            for column in self._columns if last > first else ():
                size = (column.stop - column.first, last - first)
                is_larger = size[0] > column.end - column.begin or size[1] > end - begin
                resampling = Image.Resampling.BILINEAR if is_larger else Image.Resampling.BOX
                box = (column.begin, begin, column.end, end)
                part.paste(self._image.resize(size, resampling, box), (column.first, first - top))
        return np.asarray(part)


def cell_features(context: RenderContext[Any], cell: tuple[float, float], progress: Progress) -> Features:
    """(rows, columns, GRID * GRID, 3) OKLab thumbnails of cells, from the top left. cell: result pixels.

    Cells that the right or bottom edge cuts are padded with the edge's pixels.
    """
    columns, rows = (cell_count(length, side) for length, side in zip(context.size, cell, strict=True))
    features = np.empty((rows, columns, GRID * GRID, 3), np.float32)
    for part, squares in sampled_cells(context, cell, progress):
        thumbnails = thumbnail_features(squares.reshape(-1, SAMPLES, SAMPLES, 3))
        features[part] = thumbnails.reshape(-1, columns, GRID * GRID, 3)
    return features


def sampled_cells(
    context: RenderContext[Any], cell: tuple[float, float], progress: Progress
) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """Some rows of cells at a time, and their pixels, (rows, columns, SAMPLES, SAMPLES, 3)."""
    columns, rows = (cell_count(length, side) for length, side in zip(context.size, cell, strict=True))
    samples = _SampledPicture(context, cell)
    for top, bottom in progress.bands(columns * SAMPLES, rows * SAMPLES, step=SAMPLES):
        band = samples.rows(top, bottom)[:, : columns * SAMPLES]
        missing_rows, missing_columns = bottom - top - band.shape[0], columns * SAMPLES - band.shape[1]
        band = np.pad(band, ((0, missing_rows), (0, missing_columns), (0, 0)), mode="edge")
        squares = band.reshape(-1, SAMPLES, columns, SAMPLES, 3).transpose(0, 2, 1, 3, 4)
        yield slice(top // SAMPLES, bottom // SAMPLES), squares


class _Stretch(NamedTuple):
    """The samples first to stop - 1, and the pixels that they are the means of."""

    first: int
    stop: int
    begin: float
    end: float


def _stretches(length: int, sample: float) -> list[_Stretch]:
    """Whole samples, and the one that the edge cuts."""
    whole = int(length / sample + _WHOLE)
    parts = [_Stretch(0, whole, 0.0, min(length, whole * sample)), _Stretch(whole, whole + 1, whole * sample, length)]
    return [part for part in parts if part.stop > part.first and part.end - part.begin > _WHOLE]
