"""Arrangements: how the cells of a photomosaic lie, and which of them are drawn together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...cells.cells import Cells
from ...cells.grid import RectangleGrid
from ...cells.hexagons import HexagonGrid
from ...progress import Progress
from ...style import RenderContext
from ...tiles.cutting import HEXAGON
from ...tiles.features import Features
from .hexagons import hexagon_features, hexagon_mask
from .matching import cell_features


@dataclass(frozen=True, slots=True)
class Course:
    """Cells of one size and row that are drawn at once.

    cells: (k,) their numbers, from left to right. lefts: (k,), and top: of their boxes in pixels; the picture may cut
    them. size: of a box. tips: whether the cells reach into the rows above and below them, as hexagons do.
    """

    cells: NDArray[np.intp]
    lefts: NDArray[np.int64]
    top: int
    size: tuple[int, int]
    tips: tuple[bool, bool] = (False, False)


class Arrangement(Protocol):
    """The cells 0 to count - 1 of a picture, row by row.

    size: of the picture. cell: width and height of the largest cell's box. rows, columns: of the grid.
    """

    size: tuple[int, int]
    cell: tuple[int, int]
    rows: int
    columns: int

    @property
    def laid(self) -> Cells: ...

    def courses(self, row: int) -> Iterator[Course]:
        """From top to bottom; what a course covers of those above is drawn over."""
        ...

    def reduced(self, factor: int, size: tuple[int, int]) -> Cells:
        """The cells in a picture of that size, `factor` times smaller."""
        ...

    def features(self, context: RenderContext[Any], progress: Progress) -> Features:
        """(rows, columns, GRID * GRID, 3): what the picture shows in each cell."""
        ...

    def inside(self) -> NDArray[np.bool_]:
        """(high, wide): which pixels of its box the cell shows."""
        ...

    def map_fields(self) -> dict[str, object]:
        """For the cell map: where the cells lie."""
        ...


class Rectangles:
    """Implements Arrangement."""

    def __init__(self, size: tuple[int, int], cell: tuple[int, int]) -> None:
        self.size, self.cell = size, cell
        self._grid = RectangleGrid(*size, *cell)
        self.rows, self.columns = self._grid.rows, self._grid.columns

    @property
    def laid(self) -> Cells:
        return self._grid

    def courses(self, row: int) -> Iterator[Course]:
        columns = np.arange(self.columns)
        yield Course(row * self.columns + columns, columns * self.cell[0], row * self.cell[1], self.cell)

    def reduced(self, factor: int, size: tuple[int, int]) -> Cells:
        return RectangleGrid(*size, self.cell[0] // factor, self.cell[1] // factor)

    def features(self, context: RenderContext[Any], progress: Progress) -> Features:
        return cell_features(context, self.cell, progress)

    def inside(self) -> NDArray[np.bool_]:
        return np.ones(self.cell[::-1], bool)

    def map_fields(self) -> dict[str, object]:
        return {"cell": self.cell[0], "cell_height": self.cell[1], "rows": self.rows, "columns": self.columns}


class Hexagons:
    """Implements Arrangement."""

    def __init__(self, size: tuple[int, int], cell: tuple[int, int]) -> None:
        self.size, self.cell = size, cell
        self._grid = HexagonGrid(*size, *cell)
        self.rows, self.columns = self._grid.rows, self._grid.columns

    @property
    def laid(self) -> Cells:
        return self._grid

    def courses(self, row: int) -> Iterator[Course]:
        columns = np.arange(self.columns)
        lefts = self._grid.row_left(row) + columns * self.cell[0]
        tips = row > 0, row < self.rows - 1
        yield Course(row * self.columns + columns, lefts, self._grid.row_top(row), self.cell, tips)

    def reduced(self, factor: int, size: tuple[int, int]) -> Cells:
        return self._grid.reduced(factor, *size)

    def features(self, context: RenderContext[Any], progress: Progress) -> Features:
        return hexagon_features(context, self._grid, progress)

    def inside(self) -> NDArray[np.bool_]:
        return hexagon_mask(self.cell) > 127

    def map_fields(self) -> dict[str, object]:
        grid = self._grid
        return {
            "shape": HEXAGON,
            "cell": self.cell[0],
            "cell_height": self.cell[1],
            "row_height": grid.row_height,
            "left": grid.left,
            "top": grid.top,
            "rows": self.rows,
            "columns": self.columns,
        }
