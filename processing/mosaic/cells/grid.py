"""Square cells in rows and columns from the top left corner; the last ones are cut by the picture's edge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..colour.srgb import Floats
from .cells import Polygon
from .runs import Runs, runs_from_columns


class SquareGrid:
    """Cells of `side` pixels; implements cells.Cells."""

    def __init__(self, width: int, height: int, side: int) -> None:
        self.width, self.height, self.side = width, height, side
        self.columns, self.rows = -(-width // side), -(-height // side)
        self.count, self.pitch = self.columns * self.rows, float(side)

    def runs(self, top: int, bottom: int) -> Runs:
        rows, columns = np.arange(top, bottom) // self.side, np.arange(self.columns)
        first_columns = np.tile(columns * self.side, (bottom - top, 1))
        cells = (rows[:, None] * self.columns + columns).astype(np.int32)
        return runs_from_columns(first_columns, cells, self.width)

    def lowest_index(self, row: int) -> int:
        return row // self.side * self.columns

    def centres(self, start: int, stop: int) -> Floats:
        cell = np.arange(start, stop)
        return (np.stack([cell % self.columns, cell // self.columns], axis=1) + 0.5) * self.side

    def outlines(self) -> Iterator[Polygon]:
        for top in range(0, self.height, self.side):
            bottom = min(top + self.side, self.height)
            for left in range(0, self.width, self.side):
                right = min(left + self.side, self.width)
                yield Polygon(((left, top), (right, top), (right, bottom), (left, bottom)))
