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
from ...cells.split_grid import SplitGrid
from ...progress import Progress
from ...style import RenderContext
from ...tiles.cutting import HEXAGON
from ...tiles.features import GRID, Features
from .hexagons import FIELD_WEIGHTS, hexagon_features, hexagon_mask
from .matching import cell_features
from .places import Places
from .two_sizes import cells_with_detail, quarter_features
from .vectors import EQUAL, FieldWeights


@dataclass(frozen=True, slots=True)
class Course:
    """Cells of one size and row that are drawn at once.

    cells: (k,) their numbers, from left to right, with gaps between some. lefts: (k,), and top: of their boxes in
    pixels; the picture may cut them. size: of a box. tips: whether the cells reach into the rows above and below them,
    as hexagons do. reach: the height of a cell down to its lower tip, which the row below draws over; None: of the box.
    """

    cells: NDArray[np.intp]
    lefts: NDArray[np.int64]
    top: int
    size: tuple[int, int]
    tips: tuple[bool, bool] = (False, False)
    reach: int | None = None

    @property
    def widths(self) -> NDArray[np.int64]:
        """(k,): what is seen of each box: less than all of it where the next one overlaps it."""
        return np.minimum(np.diff(self.lefts, append=self.lefts[-1] + self.size[0]), self.size[0])


class Arrangement(Protocol):
    """The cells 0 to count - 1 of a picture, row by row.

    size: of the picture. cell, smallest: width and height of the boxes of the largest and the smallest cells. rows,
    columns: of the grid. places: in it, of each cell.
    """

    size: tuple[int, int]
    cell: tuple[int, int]
    smallest: tuple[int, int]
    rows: int
    columns: int
    places: Places

    @property
    def laid(self) -> Cells: ...

    def courses(self, row: int) -> Iterator[Course]:
        """From top to bottom; what a course covers of those above is drawn over."""
        ...

    def reduced(self, factor: int, size: tuple[int, int]) -> Cells:
        """The cells in a picture of that size, `factor` times smaller."""
        ...

    def features(self, context: RenderContext[Any], progress: Progress) -> Features:
        """(count, GRID * GRID, 3): what the picture shows in each cell."""
        ...

    def inside(self) -> NDArray[np.bool_]:
        """(high, wide): which pixels of its box the cell shows."""
        ...

    @property
    def field_weights(self) -> FieldWeights: ...

    def map_fields(self) -> dict[str, object]:
        """For the cell map: where the cells lie."""
        ...


class Rectangles:
    """Implements Arrangement."""

    def __init__(self, size: tuple[int, int], cell: tuple[int, int]) -> None:
        self.size, self.cell, self.smallest = size, cell, cell
        self._grid = RectangleGrid(*size, *cell)
        self.rows, self.columns = self._grid.rows, self._grid.columns
        self.places = Places.of_grid(self.rows, self.columns)

    @property
    def laid(self) -> Cells:
        return self._grid

    def courses(self, row: int) -> Iterator[Course]:
        columns = np.arange(self.columns)
        yield Course(row * self.columns + columns, columns * self.cell[0], row * self.cell[1], self.cell)

    def reduced(self, factor: int, size: tuple[int, int]) -> Cells:
        return RectangleGrid(*size, self.cell[0] // factor, self.cell[1] // factor)

    def features(self, context: RenderContext[Any], progress: Progress) -> Features:
        return cell_features(context, self.cell, progress).reshape(-1, GRID * GRID, 3)

    def inside(self) -> NDArray[np.bool_]:
        return np.ones(self.cell[::-1], bool)

    @property
    def field_weights(self) -> FieldWeights:
        return EQUAL

    def map_fields(self) -> dict[str, object]:
        return {"cell": self.cell[0], "cell_height": self.cell[1], "rows": self.rows, "columns": self.columns}


class TwoSizes:
    """Implements Arrangement: rectangles, of which those where the picture has detail are split into four."""

    def __init__(self, context: RenderContext[Any], cell: tuple[int, int], progress: Progress) -> None:
        """cell: of even sides."""
        self.size, self.cell, self.smallest = context.size, cell, (cell[0] // 2, cell[1] // 2)
        self._whole = cell_features(context, cell, progress)
        self._grid = SplitGrid(*self.size, *cell, cells_with_detail(self._whole))
        self.rows, self.columns = self._grid.rows, self._grid.columns
        row, column = np.divmod(self._grid.place, self.columns)
        self.places = Places(row, column, self._grid.part, (self.rows, self.columns, 4))

    @property
    def laid(self) -> Cells:
        return self._grid

    def courses(self, row: int) -> Iterator[Course]:
        grid, (wide, high) = self._grid, self.smallest
        columns, split = np.arange(self.columns), grid.split[row]
        firsts = grid.firsts[row * self.columns + columns]
        if not split.all():
            yield Course(firsts[~split], columns[~split] * self.cell[0], row * self.cell[1], self.cell)
        if split.any():
            lefts = np.add.outer(columns[split] * self.cell[0], [0, wide]).ravel()
            for lower in (0, 1):
                cells = np.add.outer(firsts[split], [2 * lower, 2 * lower + 1]).ravel()
                yield Course(cells, lefts, row * self.cell[1] + lower * high, self.smallest)

    def reduced(self, factor: int, size: tuple[int, int]) -> Cells:
        return SplitGrid(*size, self.cell[0] // factor, self.cell[1] // factor, self._grid.split)

    def features(self, context: RenderContext[Any], progress: Progress) -> Features:
        grid, split = self._grid, self._grid.split.ravel()
        features = np.empty((grid.count, GRID * GRID, 3), np.float32)
        features[grid.firsts[~split]] = self._whole[~grid.split]
        quarters = quarter_features(context, self.cell, grid.split, progress)
        features[np.add.outer(grid.firsts[split], np.arange(4))] = quarters
        return features

    def inside(self) -> NDArray[np.bool_]:
        return np.ones(self.cell[::-1], bool)

    @property
    def field_weights(self) -> FieldWeights:
        return EQUAL

    def map_fields(self) -> dict[str, object]:
        return {
            "cell": self.cell[0],
            "cell_height": self.cell[1],
            "rows": self.rows,
            "columns": self.columns,
            "split": self._grid.split.ravel().astype(int).tolist(),
        }


class Hexagons:
    """Implements Arrangement."""

    def __init__(self, size: tuple[int, int], cell: tuple[float, float]) -> None:
        self._grid = HexagonGrid(*size, *cell)
        self.size, self.cell, self.smallest = size, self._grid.box, (int(cell[0]), int(cell[1]))
        self.rows, self.columns = self._grid.rows, self._grid.columns
        self.places = Places.of_grid(self.rows, self.columns)

    @property
    def laid(self) -> Cells:
        return self._grid

    def courses(self, row: int) -> Iterator[Course]:
        grid, top, reach = self._grid, self._grid.box_top(row), None
        if row < self.rows - 1:
            reach = grid.box_top(row + 1) - top + self.cell[1] // 4
        cells = row * self.columns + np.arange(self.columns)
        yield Course(cells, grid.box_lefts(row), top, self.cell, (row > 0, row < self.rows - 1), reach)

    def reduced(self, factor: int, size: tuple[int, int]) -> Cells:
        return self._grid.reduced(factor, *size)

    def features(self, context: RenderContext[Any], progress: Progress) -> Features:
        return hexagon_features(context, self._grid, progress).reshape(-1, GRID * GRID, 3)

    def inside(self) -> NDArray[np.bool_]:
        return hexagon_mask(self.cell) > 127

    @property
    def field_weights(self) -> FieldWeights:
        return FIELD_WEIGHTS

    def map_fields(self) -> dict[str, object]:
        grid = self._grid
        return {
            "shape": HEXAGON,
            "cell": grid.wide,
            "cell_height": grid.high,
            "row_height": grid.row_height,
            "left": grid.left,
            "top": grid.top,
            "rows": self.rows,
            "columns": self.columns,
        }
