"""Arrangements: how the cells of a photomosaic lie, and which of them are drawn together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...cells.cells import Cells
from ...cells.grid import RectangleGrid, first_pixels
from ...cells.hexagons import HexagonGrid
from ...cells.split_grid import SplitGrid
from ...progress import Progress
from ...style import RenderContext
from ...tiles.cutting import HEXAGON
from ...tiles.features import GRID, Features
from .hexagons import FIELD_WEIGHTS, hexagon_features, hexagon_mask
from .places import Places
from .sampled_picture import cell_features
from .two_sizes import cells_with_detail, quarter_features
from .vectors import EQUAL, FieldWeights

_EPSILON = 1e-9
_SAMPLED_BELOW, _MARGIN_SAMPLED_BELOW, _FINEST_BELOW = 32, 64, 48  # pixels of the side of a cell
_SMALL_PX, _FINEST_PX = 1_000_000, 4_000_000  # of a result; larger ones would take too long


@dataclass(frozen=True, slots=True)
class Course:
    """Cells of one size and row that are drawn at once.

    cells: (k,) their numbers, from left to right, with gaps between some. lefts, widths: (k,), and top: of the cells in
    pixels; the picture may cut them. size: of the boxes that they are drawn in, whose right columns may be those of
    the next cell. reach: the height of the cells, down to the lower tip, where the row below draws over them. tips:
    whether the cells reach into the rows above and below them, as hexagons do.
    """

    cells: NDArray[np.intp]
    lefts: NDArray[np.int64]
    widths: NDArray[np.int64]
    top: int
    size: tuple[int, int]
    reach: int
    tips: tuple[bool, bool] = (False, False)


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

    def enlarged(self, factor: int) -> Arrangement:
        """The same cells in a picture `factor` times as large, to be drawn."""
        ...

    @property
    def is_whole(self) -> bool:
        """Whether every cell begins and ends at a whole pixel."""
        ...


class Rectangles:
    """Implements Arrangement."""

    def __init__(self, size: tuple[int, int], cell: tuple[float, float]) -> None:
        self.size, self.exact, self.cell, self.smallest = size, cell, whole_box(cell), (int(cell[0]), int(cell[1]))
        self._grid = RectangleGrid(*size, *cell)
        self.rows, self.columns = self._grid.rows, self._grid.columns
        self.places = Places.of_grid(self.rows, self.columns)

    @property
    def laid(self) -> Cells:
        return self._grid

    def courses(self, row: int) -> Iterator[Course]:
        lefts = first_pixels(np.arange(self.columns + 1), self.exact[0])
        top, bottom = first_pixels(np.array([row, row + 1]), self.exact[1]).tolist()
        cells = row * self.columns + np.arange(self.columns)
        yield Course(cells, lefts[:-1], np.diff(lefts), top, self.cell, bottom - top)

    def reduced(self, factor: int, size: tuple[int, int]) -> Cells:
        return RectangleGrid(*size, self.exact[0] / factor, self.exact[1] / factor)

    def features(self, context: RenderContext[Any], progress: Progress) -> Features:
        return cell_features(context, self.exact, progress).reshape(-1, GRID * GRID, 3)

    def inside(self) -> NDArray[np.bool_]:
        return np.ones(self.cell[::-1], bool)

    @property
    def field_weights(self) -> FieldWeights:
        return EQUAL

    def map_fields(self) -> dict[str, object]:
        return {"cell": self.exact[0], "cell_height": self.exact[1], "rows": self.rows, "columns": self.columns}

    def enlarged(self, factor: int) -> Rectangles:
        return Rectangles(*_times(self.size, self.exact, factor))

    @property
    def is_whole(self) -> bool:
        return all(float(side).is_integer() for side in self.exact)


class TwoSizes:
    """Implements Arrangement: rectangles, of which those where the picture has detail are split into four."""

    def __init__(self, context: RenderContext[Any], cell: tuple[float, float], progress: Progress) -> None:
        self.size = context.size
        self._whole = cell_features(context, cell, progress)
        self._set_cell(cell, cells_with_detail(self._whole))
        self.rows, self.columns = self._grid.rows, self._grid.columns
        row, column = np.divmod(self._grid.place, self.columns)
        self.places = Places(row, column, self._grid.part, (self.rows, self.columns, 4))

    def _set_cell(self, cell: tuple[float, float], split: NDArray[np.bool_]) -> None:
        self.exact, self.cell = cell, whole_box(cell)
        self._small, self.smallest = whole_box((cell[0] / 2, cell[1] / 2)), (int(cell[0] / 2), int(cell[1] / 2))
        self._grid = SplitGrid(*self.size, *cell, split)

    @property
    def laid(self) -> Cells:
        return self._grid

    def courses(self, row: int) -> Iterator[Course]:
        grid, split = self._grid, self._grid.split[row]
        firsts = grid.firsts[row * self.columns + np.arange(self.columns)]
        boxes = grid.boxes(int(firsts[0]), int(firsts[-1]) + (4 if split[-1] else 1))
        parts = [(firsts[~split], self.cell)]
        for lower in (0, 1):
            parts.append((np.add.outer(firsts[split], [2 * lower, 2 * lower + 1]).ravel(), self._small))
        for cells, size in parts:
            if len(cells):
                left, top, width, height = boxes[cells - firsts[0]].T
                yield Course(cells, left, width, int(top[0]), size, int(height[0]))

    def reduced(self, factor: int, size: tuple[int, int]) -> Cells:
        return SplitGrid(*size, self.exact[0] / factor, self.exact[1] / factor, self._grid.split)

    def features(self, context: RenderContext[Any], progress: Progress) -> Features:
        grid, split = self._grid, self._grid.split.ravel()
        features = np.empty((grid.count, GRID * GRID, 3), np.float32)
        features[grid.firsts[~split]] = self._whole[~grid.split]
        quarters = quarter_features(context, self.exact, grid.split, progress)
        features[np.add.outer(grid.firsts[split], np.arange(4))] = quarters
        return features

    def inside(self) -> NDArray[np.bool_]:
        return np.ones(self.cell[::-1], bool)

    @property
    def field_weights(self) -> FieldWeights:
        return EQUAL

    def map_fields(self) -> dict[str, object]:
        return {
            "cell": self.exact[0],
            "cell_height": self.exact[1],
            "rows": self.rows,
            "columns": self.columns,
            "split": self._grid.split.ravel().astype(int).tolist(),
        }

    def enlarged(self, factor: int) -> TwoSizes:
        result = copy(self)
        result.size, exact = _times(self.size, self.exact, factor)
        result._set_cell(exact, self._grid.split)
        return result

    @property
    def is_whole(self) -> bool:
        return all((side / 2).is_integer() for side in self.exact)


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
        grid, (wide, high), top = self._grid, self.cell, self._grid.box_top(row)
        reach = grid.box_top(row + 1) - top + high // 4 if row < self.rows - 1 else high
        cells, lefts = row * self.columns + np.arange(self.columns), grid.box_lefts(row)
        widths = np.diff(lefts, append=lefts[-1] + wide)
        yield Course(cells, lefts, widths, top, self.cell, reach, (row > 0, row < self.rows - 1))

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

    def enlarged(self, factor: int) -> Hexagons:
        return Hexagons(*_times(self.size, (self._grid.wide, self._grid.high), factor))

    @property
    def is_whole(self) -> bool:
        return False


def _times(
    size: tuple[int, int], cell: tuple[float, float], factor: int
) -> tuple[tuple[int, int], tuple[float, float]]:
    return (size[0] * factor, size[1] * factor), (cell[0] * factor, cell[1] * factor)


def whole_box(cell: tuple[float, float]) -> tuple[int, int]:
    """The whole pixels that cover a cell."""
    return math.ceil(cell[0] - _EPSILON), math.ceil(cell[1] - _EPSILON)


def samples_of(arrangement: Arrangement, margin: int) -> int:
    """How many samples of a pixel, across and down, are drawn where cells or margins do not end at whole pixels.

    The larger the cells, the less the nearest pixel is off: of the default tiles nobody sees it.
    """
    side, result_px = min(arrangement.smallest), arrangement.size[0] * arrangement.size[1]
    if margin and side < _MARGIN_SAMPLED_BELOW:
        if arrangement.is_whole:
            halves = min(2 * margin, side / 2)  # of the margin, on both sides of a border
            return next(samples for samples in (1, 2, 4) if samples == 4 or halves * samples % 4 == 0)
        return 4 if side < _FINEST_BELOW and result_px <= _FINEST_PX else 2
    if arrangement.is_whole:
        return 1
    if side < _FINEST_BELOW and result_px <= _SMALL_PX:
        return 4
    return 2 if side < _SAMPLED_BELOW or (side < _MARGIN_SAMPLED_BELOW and result_px <= _FINEST_PX) else 1
