"""Strips: rows of a picture whose runs are computed together, and the bands in which their pixels are processed.

Each call of NumPy takes some microseconds however small its input, and a call that releases the interpreter lock ends
by acquiring it again. Where cells are large, runs are few, and a strip has many bands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..progress import BAND_PX, pieces
from .cells import Cells
from .polygons import PolygonCells
from .runs import Runs

RUNS_PER_STRIP = 3 << 15  # approximately; computing a run takes a hundred bytes
MAX_CACHED_RUNS = 1 << 19  # of 12 bytes each


@dataclass(frozen=True, slots=True)
class Band:
    """Rows top to bottom - 1 of the picture. runs: the slice of its strip's runs. first_pixel: counted in the strip."""

    top: int
    bottom: int
    runs: slice
    first_pixel: int


@dataclass(frozen=True, slots=True)
class Strip:
    """No run continues from one band into the next."""

    runs: Runs
    bands: tuple[Band, ...]


class Strips:
    """The strips of a picture from top to bottom, in bands whose height is a multiple of `step`.

    Iterating a second time reuses the runs that fit into the cache.
    """

    def __init__(self, cells: Cells, *, step: int = 1) -> None:
        self.cells, self._cache_left, self._step = cells, MAX_CACHED_RUNS, step
        self._cache: dict[int, Strip] = {}
        runs_per_row = 2 * cells.width / cells.pitch + 2
        if isinstance(cells, PolygonCells):
            runs_per_row = max(runs_per_row, cells.most_crossings())
        self._max_rows = max(1, int(RUNS_PER_STRIP / runs_per_row))

    def __iter__(self) -> Iterator[Strip]:
        return self.between(0, self.cells.height)

    def between(self, top: int, bottom: int) -> Iterator[Strip]:
        """Only the strips that reach into rows top to bottom - 1."""
        width, height, max_rows = self.cells.width, self.cells.height, self._max_rows
        band_rows = max(1, min(max_rows, BAND_PX // width) // self._step) * self._step
        for rows in pieces(height, max(band_rows, max_rows // band_rows * band_rows)):
            if rows.start < bottom and rows.stop > top:
                yield self._strip(range(rows.start, rows.stop, band_rows), rows.stop)

    def _strip(self, tops: range, bottom: int) -> Strip:
        if tops.start in self._cache:
            return self._cache[tops.start]
        strip = _split_into_bands(self.cells.runs(tops.start, bottom), [*tops, bottom], self.cells.width)
        if len(strip.runs.starts) <= self._cache_left:
            self._cache[tops.start] = strip
            self._cache_left -= len(strip.runs.starts)
        return strip


def _split_into_bands(runs: Runs, rows: list[int], width: int) -> Strip:
    """rows: the first row of each band, and the row after the last one."""
    first_pixels = (np.array(rows) - rows[0]) * width
    runs = _split_runs(runs, first_pixels[:-1])
    bounds = np.searchsorted(runs.starts, first_pixels).tolist()
    bands = zip(rows, rows[1:], bounds, bounds[1:], first_pixels.tolist(), strict=False)
    return Strip(runs, tuple(Band(top, bottom, slice(low, high), first) for top, bottom, low, high, first in bands))


def _split_runs(runs: Runs, pixels: NDArray[np.int64]) -> Runs:
    """The same pixels with an additional run boundary at each of the given ones."""
    indices = np.searchsorted(runs.starts, pixels, side="right") - 1
    inside = runs.starts[indices] != pixels
    if not inside.any():
        return runs
    after = indices[inside] + 1
    starts = np.insert(runs.starts, after, pixels[inside])
    return Runs(starts, np.insert(runs.cells, after, runs.cells[indices[inside]]), runs.size)
