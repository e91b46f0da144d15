"""Hexagonal cells for pictures in them, in rows of equally many."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import copy

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from .cells import Polygon
from .runs import Runs, runs_from_edges

ASPECT = math.sqrt(3) / 2
"""Width / height of a regular hexagon that stands on a tip."""

_LEAST_SEEN = 0.3  # of a cell: where less of a column would be seen, the cells are a little wider instead
_EPSILON = 1e-9


def hexagon_size(side: int, width: int) -> tuple[float, float]:
    """Width and height of a nearly regular hexagon with the area of a square of `side`, for a picture of that width.

    They are no whole numbers, so that a picture four times as large has the same cells four times as large; the width
    is such that HexagonGrid needs no cell outside the picture.
    """
    high = side / math.sqrt(3 / 4 * ASPECT)
    wide = high * ASPECT
    columns = max(1, math.ceil(width / wide + 0.5 - _LEAST_SEEN))
    return max(wide, width / (columns - 0.5)), high


class HexagonGrid:
    """Cells of `wide` by `high` pixels, as of `hexagon_size`; implements cells.Cells.

    Odd rows are half a cell further to the right. Opposite edges of the picture cut the cells alike, every cell is
    seen, and those of the first and the last row have no tips beyond which there would be others.
    left, top: of the box around the first cell in pixels, 0 or less. row_height: distance of rows. box: width and
    height in whole pixels that each cell is drawn in.
    """

    def __init__(self, width: int, height: int, wide: float, high: float) -> None:
        self.width, self.height, self.wide, self.high = width, height, wide, high
        self.box = math.ceil(wide - _EPSILON), math.ceil(high - _EPSILON)
        self.slope, self.row_height = high / 4, high * 3 / 4
        self.columns = max(1, math.ceil(width / wide + 0.5 - _EPSILON))
        self.rows = max(1, math.ceil((height - self.slope) / self.row_height - _EPSILON))
        self.left = -wide / 2 - (self.columns * wide - width - wide / 2) / 2
        self.top = -max(0.0, self.rows * self.row_height + self.slope - height) / 2
        self.count, self.pitch = self.columns * self.rows, math.sqrt(wide * self.row_height)
        self._reduction = 1

    def reduced(self, factor: int, width: int, height: int) -> HexagonGrid:
        """The same cells in a picture of that size, `factor` times smaller; its boxes are those of the larger one."""
        grid = copy(self)
        grid.width, grid.height, grid.pitch, grid._reduction = width, height, self.pitch / factor, factor
        return grid

    def box_lefts(self, row: int) -> NDArray[np.int64]:
        """Of the boxes that the cells of a row are drawn in: some overlap by a pixel, as a width is no whole number."""
        lefts = self.left + row % 2 * (self.wide / 2) + np.arange(self.columns) * self.wide
        whole: NDArray[np.int64] = np.floor(lefts + 0.5).astype(np.int64)
        return whole

    def box_top(self, row: int) -> int:
        """Of the boxes that the cells of a row are drawn in."""
        return math.floor(self.top + row * self.row_height + 0.5)

    def runs(self, top: int, bottom: int) -> Runs:
        y = (np.arange(top, bottom) + 0.5) * self._reduction - self.top
        row = np.minimum((y // self.row_height).astype(np.int64), self.rows - 1)
        depth = np.where(row == 0, self.slope, np.minimum(y - row * self.row_height, self.slope))
        half = (
            depth / self.slope * self.wide / 2
        )  # of the cells of `row`, between whose tips are those of the row above
        columns, odd = np.arange(self.columns), row % 2
        middles = self.left + (odd[:, None] + 1 + 2 * columns) * (self.wide / 2)
        edges = (middles[:, :, None] + half[:, None, None] * (-1, 1)) / self._reduction
        cells = np.empty((len(row), 2 * self.columns + 1), np.int64)
        cells[:, 1::2] = row[:, None] * self.columns + columns
        above = np.clip(np.arange(-1, self.columns) + odd[:, None], 0, self.columns - 1)
        cells[:, 0::2] = np.maximum(row - 1, 0)[:, None] * self.columns + above
        return runs_from_edges(edges.reshape(len(row), -1), cells.astype(np.int32), self.width)

    def lowest_index(self, row: int) -> int:
        crossed = int(((row + 0.5) * self._reduction - self.top) // self.row_height)
        return max(0, min(crossed, self.rows - 1) - 1) * self.columns

    def centres(self, start: int, stop: int) -> Floats:
        row, column = np.divmod(np.arange(start, stop), self.columns)
        x = self.left + (row % 2 + 1 + 2 * column) * (self.wide / 2)
        centres: Floats = np.stack([x, self.top + row * self.row_height + self.high / 2], axis=1) / self._reduction
        return centres

    def enlarged(self, factor: int) -> None:
        return None

    def outlines(self) -> Iterator[Polygon]:
        for row in range(self.rows):
            top = self.top + row * self.row_height
            bottom = top + self.high
            upper = top if row == 0 else top + self.slope
            lower = bottom if row == self.rows - 1 else bottom - self.slope
            for column in range(self.columns):
                left = self.left + (row % 2 / 2 + column) * self.wide
                middle, right = left + self.wide / 2, left + self.wide
                points = [(middle, top), (right, upper), (right, lower), (middle, bottom), (left, lower), (left, upper)]
                yield Polygon([(x / self._reduction, y / self._reduction) for x, y in points])
