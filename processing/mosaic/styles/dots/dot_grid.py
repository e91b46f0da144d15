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

_EPSILON = 1e-9
_PLACES = 16  # in a pixel, where dots may be: a row is drawn as others that are in the same one

Row = TypeVar("Row", int, NDArray[np.int64])


class DotGrid:
    """Rectangles, each with a dot in its middle; implements cells.Cells.

    side: the distance of two dots of a row, and the side of the square that a dot is drawn in. staggered: every second
    row is shifted by half a side. One dot is in the middle of the picture, so that opposite edges cut the dots alike.
    row_height: the distance of two rows, no whole number where they are staggered. The squares lie on whole pixels, as
    near to their dots as they can. offsets: (rows, 2) x, y from the middles of a row's squares to where their dots
    should be. steps: (rows + 1,) pixels from the dots of the row above each one, and to those of the row below it.
    """

    def __init__(self, width: int, height: int, side: int, *, staggered: bool) -> None:
        self.width, self.height, self.side, self._staggered = width, height, side, staggered
        self.pitch = float(side)
        self.row_height = max(1.0, side * math.sqrt(3) / 2) if staggered else float(side)
        across, self.rows = _odd_count(width, side), _odd_count(height, self.row_height)
        self.columns = across + 1 if staggered else across
        self.count = self.columns * self.rows
        self.row_offset = side / 2 if staggered else 0.0
        rows = np.arange(-1, self.rows + 1)
        middles = height / 2 + (rows - self.rows // 2) * self.row_height
        left = (width - across * side) / 2 - self.is_shifted(rows) * self.row_offset
        places = np.rint(np.stack([left, middles - side / 2], axis=1) * _PLACES) / _PLACES
        corners = np.ceil(places - 0.5).astype(np.int64)  # so that no offset is half a pixel left or up
        self._corners, self.offsets = corners[1:-1], (places - corners)[1:-1]
        self.steps: Floats = np.diff(places[:, 1])
        self._bounds = _whole(middles[:-1] + self.row_height / 2)
        self._bounds[[0, -1]] = min(0, self._bounds[0]), max(height, self._bounds[-1])

    def corner(self, row: Row) -> tuple[Row, Row]:
        """Left and top of the square that a row's first dot is drawn in; may lie outside the picture."""
        left, top = self._corners[row].T
        return (left, top) if isinstance(row, np.ndarray) else (int(left), int(top))

    def is_shifted(self, row: Row) -> Row:
        """1 for the rows that are `row_offset` pixels further to the left, else 0."""
        return (row - self.rows // 2) % 2

    def runs(self, top: int, bottom: int) -> Runs:
        rows, columns = self._rows_at(np.arange(top, bottom)), np.arange(self.columns)
        first_columns = np.clip(self._corners[rows, :1] + columns * self.side, 0, self.width)
        cells = (rows[:, None] * self.columns + columns).astype(np.int32)
        return runs_from_columns(first_columns, cells, self.width)

    def _rows_at(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self._bounds, y, side="right") - 1

    def lowest_index(self, row: int) -> int:
        return int(self._rows_at(np.array([row]))[0]) * self.columns

    def centres(self, start: int, stop: int) -> Floats:
        row, column = np.divmod(np.arange(start, stop), self.columns)
        left, top = self.corner(row)
        return np.stack([left + (column + 0.5) * self.side, top + self.side / 2], axis=-1)

    def enlarged(self, factor: int) -> None:
        return None

    def enlarged_twice(self) -> DotGrid:
        """The same dots in a picture twice as large."""
        return DotGrid(2 * self.width, 2 * self.height, 2 * self.side, staggered=self._staggered)

    def outlines(self) -> Iterator[Polygon]:
        half = self.side / 2
        for cell, (x, _) in enumerate(self.centres(0, self.count).tolist()):
            row = cell // self.columns
            top, bottom = int(self._bounds[row]), int(self._bounds[row + 1])
            yield Polygon(((x - half, top), (x + half, top), (x + half, bottom), (x - half, bottom)))

    def circles(self, visible: NDArray[np.bool_], radii: Floats) -> Iterator[Circle]:
        """The dots of the visible cells. visible: (count,); radii: (count,) pixels."""
        for (x, y), radius in zip(self.centres(0, self.count)[visible].tolist(), radii[visible].tolist(), strict=True):
            yield Circle(x, y, radius)


def _odd_count(length: int, step: float) -> int:
    """The least odd number of steps that cover the length."""
    return math.ceil(length / step - _EPSILON) | 1


def _whole(places: Floats) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = np.floor(places + _EPSILON).astype(np.int64)
    return whole
