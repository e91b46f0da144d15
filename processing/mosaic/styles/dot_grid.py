"""Where dots stand: rows of equal rectangles around the picture's middle, every second row moved by half a dot."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..cells.cells import Circle, Polygon
from ..cells.runs import Runs, runs_from_firsts
from ..colour.srgb import Floats

Row = TypeVar("Row", int, NDArray[np.int64])


class DotGrid:
    """Rectangles, of which the means are taken, each with the middle of a dot; see cells.Cells.

    side: distance of two dots of a row, and the side of the square that a dot is drawn in. One dot stands in the
    picture's middle, so that the edges cut left and right, and above and below, alike.
    """

    def __init__(self, width: int, height: int, side: int, *, staggered: bool) -> None:
        self.width, self.height, self.side = width, height, side
        self.pitch = float(side)
        self._step = max(1, round(side * math.sqrt(3) / 2)) if staggered else side
        across, self.rows = _odd(width, side), _odd(height, self._step)
        self.columns = across + 1 if staggered else across
        self.count = self.columns * self.rows
        self._left, self._top = (width - across * side) // 2, (height - self.rows * self._step) // 2
        self._moved = side - side // 2 if staggered else 0

    def corner(self, row: Row) -> tuple[Row, Row]:
        """Left and top of the square that a row's first dot is drawn in; may lie outside the picture."""
        top = self._top - (self.side - self._step) // 2
        return self._left - (row - self.rows // 2) % 2 * self._moved, top + row * self._step

    def runs(self, top: int, bottom: int) -> Runs:
        rows, columns = (np.arange(top, bottom) - self._top) // self._step, np.arange(self.columns)
        lefts = self._left - (rows - self.rows // 2) % 2 * self._moved
        firsts = np.clip(lefts[:, None] + columns * self.side, 0, self.width)
        cells = (rows[:, None] * self.columns + columns).astype(np.int32)
        return runs_from_firsts(firsts, cells, self.width)

    def first(self, row: int) -> int:
        return (row - self._top) // self._step * self.columns

    def centres(self, first: int, stop: int) -> Floats:
        row, column = np.divmod(np.arange(first, stop), self.columns)
        left, top = self.corner(row)
        return np.stack([left + (column + 0.5) * self.side, top + self.side / 2], axis=-1)

    def outlines(self) -> Iterator[Polygon]:
        half = self.side / 2
        for x, y in self.centres(0, self.count).tolist():
            top = y - half + (self.side - self._step) // 2
            bottom = top + self._step
            yield Polygon(((x - half, top), (x + half, top), (x + half, bottom), (x - half, bottom)))

    def circles(self, shown: NDArray[np.bool_], radii: Floats) -> Iterator[Circle]:
        """The dots of those cells. radii: (count,) pixels."""
        for (x, y), radius in zip(self.centres(0, self.count)[shown].tolist(), radii[shown].tolist(), strict=True):
            yield Circle(x, y, radius)


def _odd(length: int, step: int) -> int:
    """The least odd number of steps that fill the length."""
    return -(-length // step) | 1
