"""Rectangular cells in rows and columns from the top left corner; the last ones are cut by the picture's edge."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..colour.srgb import Floats
from .cells import Polygon
from .runs import Runs, runs_from_columns
from .sides import FAR


class RectangleGrid:
    """Cells of `wide` by `high` pixels; implements cells.Cells."""

    def __init__(self, width: int, height: int, wide: int, high: int) -> None:
        self.width, self.height, self.wide, self.high = width, height, wide, high
        self.columns, self.rows = -(-width // wide), -(-height // high)
        self.count, self.pitch = self.columns * self.rows, math.sqrt(wide * high)

    def runs(self, top: int, bottom: int) -> Runs:
        rows, columns = np.arange(top, bottom) // self.high, np.arange(self.columns)
        first_columns = np.tile(columns * self.wide, (bottom - top, 1))
        cells = (rows[:, None] * self.columns + columns).astype(np.int32)
        return runs_from_columns(first_columns, cells, self.width)

    def lowest_index(self, row: int) -> int:
        return row // self.high * self.columns

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
        return RectangleGrid(-(-self.width * wide // self.wide), -(-self.height * high // self.high), wide, high)

    def enlarged(self, factor: int) -> None:
        return None

    def outlines(self) -> Iterator[Polygon]:
        for top in range(0, self.height, self.high):
            bottom = min(top + self.high, self.height)
            for left in range(0, self.width, self.wide):
                right = min(left + self.wide, self.width)
                yield Polygon(((left, top), (right, top), (right, bottom), (left, bottom)))


class SquareGrid(RectangleGrid):
    """Cells of `side` by `side` pixels."""

    def __init__(self, width: int, height: int, side: int) -> None:
        super().__init__(width, height, side, side)
        self.side = side
