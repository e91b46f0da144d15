"""Rectangular cells in rows and columns from the top left corner; the last ones are cut by the picture's edge."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from .cells import Polygon
from .runs import Runs, runs_from_columns
from .sides import FAR

_EPSILON = 1e-9


class RectangleGrid:
    """Cells of `wide` by `high` pixels; implements cells.Cells. Where these are no whole numbers, cells begin at the
    nearest whole pixel."""

    def __init__(self, width: int, height: int, wide: float, high: float) -> None:
        self.width, self.height, self.wide, self.high = width, height, wide, high
        self.columns, self.rows = cell_count(width, wide), cell_count(height, high)
        self.count, self.pitch = self.columns * self.rows, math.sqrt(wide * high)
        self._row_starts = first_pixels(np.arange(self.rows), high)

    def runs(self, top: int, bottom: int) -> Runs:
        rows, columns = self._rows_at(np.arange(top, bottom)), np.arange(self.columns)
        first_columns = np.tile(np.minimum(first_pixels(columns, self.wide), self.width), (bottom - top, 1))
        cells = (rows[:, None] * self.columns + columns).astype(np.int32)
        return runs_from_columns(first_columns, cells, self.width)

    def _rows_at(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self._row_starts, y, side="right") - 1

    def lowest_index(self, row: int) -> int:
        return int(self._rows_at(np.array([row]))[0]) * self.columns

    def centres(self, start: int, stop: int) -> Floats:
        cell = np.arange(start, stop)
        centre: Floats = (np.stack([cell % self.columns, cell // self.columns], axis=1) + 0.5) * (self.wide, self.high)
        return centre

    def sides(self, start: int, stop: int) -> Floats:
        row, column = np.divmod(np.arange(start, stop), self.columns)
        left, top, ones = column * self.wide, row * self.high, np.ones(stop - start)
        right = np.where(column == self.columns - 1, FAR, left + self.wide)  # not where the picture cuts the cell
        bottom = np.where(row == self.rows - 1, FAR, top + self.high)
        sides = [(ones, 0 * ones, -left), (0 * ones, ones, -top), (-ones, 0 * ones, right), (0 * ones, -ones, bottom)]
        return np.moveaxis(np.array(sides, np.float32), 2, 0)

    def scaled(self, width: int, height: int) -> RectangleGrid:
        """The same cells on a picture of about another size: cells have whole pixels."""
        wide, high = (max(1, round(size * width / self.width)) for size in (self.wide, self.high))
        across, down = cell_count(self.width * wide, self.wide), cell_count(self.height * high, self.high)
        return RectangleGrid(across, down, wide, high)

    def enlarged(self, factor: int) -> None:
        return None

    def outlines(self) -> Iterator[Polygon]:
        lefts = first_pixels(np.arange(self.columns + 1), self.wide).tolist()
        tops = first_pixels(np.arange(self.rows + 1), self.high).tolist()
        for top, end in pairwise(tops):
            bottom = min(end, self.height)
            for left, next_left in pairwise(lefts):
                right = min(next_left, self.width)
                yield Polygon(((left, top), (right, top), (right, bottom), (left, bottom)))


class SquareGrid(RectangleGrid):
    """Cells of `side` by `side` pixels."""

    def __init__(self, width: int, height: int, side: int) -> None:
        super().__init__(width, height, side, side)
        self.side = side


def cell_count(length: float, side: float) -> int:
    """How many cells cover a length."""
    return max(1, math.ceil(length / side - _EPSILON))


def first_pixels(indices: NDArray[Any], side: float) -> NDArray[np.int64]:
    """Where cells of that side begin."""
    pixels: NDArray[np.int64] = np.floor(indices * side + (0.5 + _EPSILON)).astype(np.int64)
    return pixels
