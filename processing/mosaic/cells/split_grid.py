"""A grid of rectangles of which some are split into four."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from .cells import Polygon
from .grid import first_pixels
from .runs import Runs, runs_from_columns

Indices = NDArray[np.intp]


class SplitGrid:
    """Cells of `wide` by `high` pixels from the top left corner, row by row. Implements cells.Cells. Where these or
    their halves are no whole numbers, cells begin at the nearest whole pixel.

    split: (rows, columns), which are split: instead of one cell they have four, from left to right and then from top to
    bottom. place: (count,), of which place of the grid each cell is; part: (count,), 0 to 3, which part of it.
    firsts: the first cell of each place.
    """

    def __init__(self, width: int, height: int, wide: float, high: float, split: NDArray[np.bool_]) -> None:
        self.width, self.height, self.wide, self.high, self.split = width, height, wide, high, split
        self.rows, self.columns = split.shape
        counts = 1 + 3 * split.ravel().astype(np.intp)
        self._tops = first_pixels(np.arange(2 * self.rows + 1), high / 2)
        self._lefts = first_pixels(np.arange(2 * self.columns + 1), wide / 2)
        self.firsts: Indices = np.cumsum(counts) - counts
        self.count = int(counts.sum())
        self.place: Indices = np.repeat(np.arange(split.size), counts)
        self.part: Indices = np.arange(self.count) - self.firsts[self.place]
        self.pitch = math.sqrt(wide * high * split.size / self.count)

    def runs(self, top: int, bottom: int) -> Runs:
        row, lower = np.divmod(self._half_rows_at(np.arange(top, bottom)), 2)
        split = self.split[row][:, :, None]
        lefts = self._lefts[:-1].reshape(self.columns, 2)
        starts = np.where(split, lefts, np.stack([lefts[:, 0], self._lefts[2::2]], axis=1))
        parts = np.where(split, 2 * lower[:, None, None] + np.arange(2), 0)
        cells = self.firsts.reshape(self.rows, self.columns)[row][:, :, None] + parts
        columns = np.minimum(starts.reshape(len(row), -1), self.width).astype(np.int64)
        return runs_from_columns(columns, cells.reshape(len(row), -1).astype(np.int32), self.width)

    def _half_rows_at(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self._tops[:-1], y, side="right") - 1

    def lowest_index(self, row: int) -> int:
        return int(self.firsts[self._half_rows_at(np.array([row]))[0] // 2 * self.columns])

    def boxes(self, start: int, stop: int) -> NDArray[np.int64]:
        """(stop - start, 4): left, top, width, height of these cells, of which the picture may cut some."""
        place, part = self.place[start:stop], self.part[start:stop]
        row, column = np.divmod(place, self.columns)
        size = 2 - self.split.ravel()[place].astype(np.intp)  # in halves
        first_x, first_y = 2 * column + part % 2, 2 * row + part // 2
        left, top = self._lefts[first_x], self._tops[first_y]
        return np.stack([left, top, self._lefts[first_x + size] - left, self._tops[first_y + size] - top], axis=1)

    def centres(self, start: int, stop: int) -> Floats:
        boxes = self.boxes(start, stop)
        centres: Floats = boxes[:, :2] + boxes[:, 2:] / 2
        return centres

    def enlarged(self, factor: int) -> None:
        return None

    def outlines(self) -> Iterator[Polygon]:
        for left, top, wide, high in self.boxes(0, self.count).tolist():
            right, bottom = min(left + wide, self.width), min(top + high, self.height)
            yield Polygon(((left, top), (right, top), (right, bottom), (left, bottom)))
