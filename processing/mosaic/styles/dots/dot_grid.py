"""Where dots are: in rows, each in the middle of a rectangle."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...cells.cells import Circle, Polygon
from ...cells.runs import Runs, runs_from_columns
from ...colour.srgb import Floats

Row = TypeVar("Row", int, NDArray[np.int64])


class DotGrid:
    """Rectangles, each with a dot in its middle; implements cells.Cells.

    side: the distance of two dots of a row, and the side of the square that a dot is drawn in. staggered: every second
    row is shifted by half a side. One dot is in the middle of the picture, so that opposite edges cut the dots alike.
    """

    def __init__(self, width: int, height: int, side: int, *, staggered: bool) -> None:
        self.width, self.height, self.side = width, height, side
        self.pitch = float(side)
        self.row_height = max(1, round(side * math.sqrt(3) / 2)) if staggered else side
        across, self.rows = _odd_count(width, side), _odd_count(height, self.row_height)
        self.columns = across + 1 if staggered else across
        self.count = self.columns * self.rows
        self._left, self._top = (width - across * side) // 2, (height - self.rows * self.row_height) // 2
        self.row_offset = side - side // 2 if staggered else 0

    def corner(self, row: Row) -> tuple[Row, Row]:
        """Left and top of the square that a row's first dot is drawn in; may lie outside the picture."""
        top = self._top - (self.side - self.row_height) // 2
        return self._left - self.is_shifted(row) * self.row_offset, top + row * self.row_height

    def is_shifted(self, row: Row) -> Row:
        """1 for the rows that are `row_offset` further to the left, else 0."""
        return (row - self.rows // 2) % 2

    def runs(self, top: int, bottom: int) -> Runs:
        rows, columns = (np.arange(top, bottom) - self._top) // self.row_height, np.arange(self.columns)
        lefts = self._left - self.is_shifted(rows) * self.row_offset
        first_columns = np.clip(lefts[:, None] + columns * self.side, 0, self.width)
        cells = (rows[:, None] * self.columns + columns).astype(np.int32)
        return runs_from_columns(first_columns, cells, self.width)

    def lowest_index(self, row: int) -> int:
        return (row - self._top) // self.row_height * self.columns

    def centres(self, start: int, stop: int) -> Floats:
        row, column = np.divmod(np.arange(start, stop), self.columns)
        left, top = self.corner(row)
        return np.stack([left + (column + 0.5) * self.side, top + self.side / 2], axis=-1)

    def enlarged(self, factor: int) -> None:
        return None

    def outlines(self) -> Iterator[Polygon]:
        half = self.side / 2
        for x, y in self.centres(0, self.count).tolist():
            top = y - half + (self.side - self.row_height) // 2
            bottom = top + self.row_height
            yield Polygon(((x - half, top), (x + half, top), (x + half, bottom), (x - half, bottom)))

    def circles(self, visible: NDArray[np.bool_], radii: Floats) -> Iterator[Circle]:
        """The dots of the visible cells. visible: (count,); radii: (count,) pixels."""
        for (x, y), radius in zip(self.centres(0, self.count)[visible].tolist(), radii[visible].tolist(), strict=True):
            yield Circle(x, y, radius)


def _odd_count(length: int, step: int) -> int:
    """The least odd number of steps that cover the length."""
    return -(-length // step) | 1
