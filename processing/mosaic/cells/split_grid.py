"""A grid of rectangles of which some are split into four."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from .cells import Polygon
from .runs import Runs, runs_from_columns

Indices = NDArray[np.intp]


class SplitGrid:
    """Cells of `wide` by `high` pixels from the top left corner, row by row; both are even. Implements cells.Cells.

    split: (rows, columns), which are split: instead of one cell they have four, from left to right and then from top to
    bottom. place: (count,), of which place of the grid each cell is; part: (count,), 0 to 3, which part of it.
    firsts: the first cell of each place.
    """

    def __init__(self, width: int, height: int, wide: int, high: int, split: NDArray[np.bool_]) -> None:
        self.width, self.height, self.wide, self.high, self.split = width, height, wide, high, split
        self.rows, self.columns = split.shape
        counts = 1 + 3 * split.ravel().astype(np.intp)
        self.firsts: Indices = np.cumsum(counts) - counts
        self.count = int(counts.sum())
        self.place: Indices = np.repeat(np.arange(split.size), counts)
        self.part: Indices = np.arange(self.count) - self.firsts[self.place]
        self.pitch = math.sqrt(wide * high * split.size / self.count)

    def runs(self, top: int, bottom: int) -> Runs:
        y = np.arange(top, bottom)
        row, lower = y // self.high, y % self.high >= self.high // 2
        halves, split = np.arange(2), self.split[row][:, :, None]
        starts = np.arange(self.columns)[:, None] * self.wide + np.where(split, self.wide // 2, self.wide) * halves
        parts = np.where(split, 2 * lower[:, None, None] + halves, 0)
        cells = self.firsts.reshape(self.rows, self.columns)[row][:, :, None] + parts
        columns = np.minimum(starts.reshape(len(y), -1), self.width).astype(np.int64)
        return runs_from_columns(columns, cells.reshape(len(y), -1).astype(np.int32), self.width)

    def lowest_index(self, row: int) -> int:
        return int(self.firsts[row // self.high * self.columns])

    def boxes(self, start: int, stop: int) -> NDArray[np.int64]:
        """(stop - start, 4): left, top, width, height of these cells, of which the picture may cut some."""
        place, part = self.place[start:stop], self.part[start:stop]
        row, column = np.divmod(place, self.columns)
        shares = 1 + self.split.ravel()[place]
        wide, high = self.wide // shares, self.high // shares
        return np.stack([column * self.wide + part % 2 * wide, row * self.high + part // 2 * high, wide, high], axis=1)

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
