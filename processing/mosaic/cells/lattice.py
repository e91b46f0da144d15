"""Regular grids of interlocking cells: hexagons, diamonds, triangles.

Every pixel row crosses alternately cells of two families, all symmetric to a vertical axis: the cells of the first
family are `step` apart, and those of the second are half a step further to the right. A pixel row is described by half
the width that the cells of each family have on it. Without joints the two halves add up to half a step, so that one
edge serves both neighbours, and neither a seam nor an uncovered pixel can occur.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from .cells import Polygon
from .runs import BACKGROUND, Runs, columns_from_edges, runs_from_columns
from .sides import sides_of_polygons

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RowCrossings:
    """The cells that pixel rows cross.

    first: (rows, 2) the index of the first cell of each family. stride: from a cell's index to that of the next cell
    of its family. half: (rows, 2) half of the cells' widths in pixels, below 0 where a family is not crossed.
    """

    first: Numbers
    stride: int
    half: Floats


class Tiling(Protocol):
    """A tiling, `columns` cells of each family wide, from the origin (0, 0). Lengths are pixels.

    families: how many of them a row of cells contains. step: the distance of neighbours of one family. row_height: the
    distance of two rows of cells. grout: the width of joints.
    """

    families: ClassVar[int]

    @property
    def step(self) -> float: ...

    @property
    def row_height(self) -> float: ...

    @property
    def grout(self) -> float: ...

    def row_crossings(self, y: Floats, columns: int) -> RowCrossings:
        """y: (rows,) centres of pixel rows, increasing."""
        ...

    def scaled(self, across: float, down: float) -> Tiling:
        """All lengths multiplied by one factor for x and one for y, which are nearly equal."""
        ...

    def row_count(self, height: float) -> int:
        """How many rows of cells are needed to cover `height`."""
        ...

    def centres(self, cells: Numbers, columns: int) -> Floats:
        """(n, 2) centres of the bounding boxes of these cells."""
        ...

    def corners(self, cell: int, columns: int) -> list[tuple[float, float]]:
        """The corners of a cell without its joints, relative to its centre."""
        ...

    def enlarged(self, factor: int) -> Tiling:
        """The same tiling, `factor` times as large."""
        ...

    def shapes(self, cells: Numbers, columns: int) -> Numbers:
        """(n,): the cell with equal corners among the first ones, 0 or 1."""
        ...


class Lattice:
    """A tiling centred on a picture, so that opposite edges cut it alike; implements cells.Cells."""

    def __init__(self, width: int, height: int, tiling: Tiling, pitch: float) -> None:
        self.width, self.height, self.pitch = width, height, pitch
        self._tiling = tiling
        self._left = (width / 2) % tiling.step - tiling.step
        self._top = (height / 2) % (2 * tiling.row_height) - 2 * tiling.row_height
        self._columns = int((width - self._left) / tiling.step) + 2
        self._rows: Floats | None = None
        self.count = tiling.row_count(height - self._top) * self._columns * tiling.families

    def scaled(self, width: int, height: int) -> Lattice:
        """The same cells on a picture of another size."""
        result = copy(self)
        across, down = width / self.width, height / self.height
        result.width, result.height, result.pitch = width, height, self.pitch * across
        result._tiling = self._tiling.scaled(across, down)
        result._left, result._top = self._left * across, self._top * down
        return result

    def runs(self, top: int, bottom: int) -> Runs:
        return runs_from_columns(*self.columns(top, bottom), self.width)

    def columns(self, top: int, bottom: int) -> tuple[Numbers, NDArray[np.int32]]:
        """The first columns (0 to width) of the runs in each row, (rows, k), and their cells; many runs are empty."""
        tiling, columns = self._tiling, np.arange(self._columns)
        y = np.arange(top, bottom) + 0.5 if self._rows is None else self._rows[top:bottom]
        crossings = tiling.row_crossings(y - self._top, self._columns)
        cells = crossings.first[:, None, :] + columns[:, None] * crossings.stride
        centres = self._left + columns[:, None] * tiling.step + (0, tiling.step / 2)
        edges_of = _edges_with_joints if tiling.grout else _edges_without_joints
        edges, cells_of_runs = edges_of(centres, crossings.half, cells)
        return columns_from_edges(edges, self.width), cells_of_runs

    def distinct_rows(self, step: int) -> tuple[Lattice, Numbers]:
        """To be painted: the same rows without every group of `step` rows that equals the group above it, as where
        hexagons have vertical sides; and how many times in a row each group stands in the picture."""
        y = np.arange(self.height) + 0.5
        crossings = self._tiling.row_crossings(y - self._top, self._columns)
        half = np.maximum(crossings.half, 0.0)
        rows = np.concatenate([half, np.where(half > 0, crossings.first, BACKGROUND)], axis=1).reshape(-1, 4 * step)
        starts = np.flatnonzero(np.append(True, (rows[1:] != rows[:-1]).any(axis=1)))
        result = copy(self)
        result._rows = y.reshape(-1, step)[starts].ravel()
        result.height = len(result._rows)
        return result, np.diff(starts, append=len(rows))

    def lowest_index(self, row: int) -> int:
        return int(self._tiling.row_crossings(np.array([row + 0.5 - self._top]), self._columns).first.min())

    def centres(self, start: int, stop: int) -> Floats:
        origin = np.array([self._left, self._top])
        centres: Floats = self._tiling.centres(np.arange(start, stop), self._columns) + origin
        return centres

    def sides(self, start: int, stop: int) -> Floats:
        cells = np.arange(start, stop)
        outlines = [self._tiling.corners(shape, self._columns) for shape in range(self._tiling.families)]
        corners = np.array([len(outline) for outline in outlines])
        templates = sides_of_polygons(np.concatenate([np.array(outline) for outline in outlines]), corners)
        sides = templates[self._tiling.shapes(cells, self._columns)]
        sides[..., 2] -= np.einsum("csi,ci->cs", sides[..., :2], self.centres(start, stop))
        return sides

    def enlarged(self, factor: int) -> Lattice:
        width, height = self.width * factor, self.height * factor
        return Lattice(width, height, self._tiling.enlarged(factor), self.pitch * factor)

    def outlines(self) -> Iterator[Polygon]:
        for cell, (x, y) in enumerate(self.centres(0, self.count).tolist()):
            yield Polygon([(x + dx, y + dy) for dx, dy in self._tiling.corners(cell, self._columns)])


def _edges_without_joints(centres: Floats, half: Floats, cells: Numbers) -> tuple[Floats, NDArray[np.int32]]:
    """Edges and cells of pixel rows without joints: the edges of the first family are those of the second as well."""
    rows = len(half)
    edges = centres[None, :, :1] + half[:, None, :1] * (-1, 1)
    return edges.reshape(rows, -1), _prepend_background(cells.reshape(rows, -1))


def _edges_with_joints(centres: Floats, half: Floats, cells: Numbers) -> tuple[Floats, NDArray[np.int32]]:
    """Edges and cells of pixel rows with background on both sides of every cell."""
    rows = len(half)
    edges = centres[None, :, :, None] + np.maximum(half, 0.0)[:, None, :, None] * (-1, 1)
    cells_and_gaps = np.stack([cells, np.full_like(cells, BACKGROUND)], axis=-1)
    return edges.reshape(rows, -1), _prepend_background(cells_and_gaps.reshape(rows, -1))


def _prepend_background(cells: Numbers) -> NDArray[np.int32]:
    """The first edge is left of the picture, so what precedes it is never visible."""
    return np.pad(cells, ((0, 0), (1, 0)), constant_values=BACKGROUND).astype(np.int32)


@dataclass(frozen=True, slots=True)
class HexagonalTiling:
    """Cells with vertical sides `straight` high between slanted sides `slope` high: hexagons, or diamonds if `straight`
    is 0. Even rows of cells are the first family, odd rows the second. Lengths are pixels."""

    families: ClassVar[int] = 1

    step: float
    straight: float
    slope: float
    grout: float

    @property
    def row_height(self) -> float:
        return self.straight + self.slope

    def scaled(self, across: float, down: float) -> HexagonalTiling:
        return HexagonalTiling(self.step * across, self.straight * down, self.slope * down, self.grout * down)

    def row_crossings(self, y: Floats, columns: int) -> RowCrossings:
        row = np.floor(y / self.row_height).astype(np.int64)
        depth = (y - row * self.row_height - self.straight / 2) / self.slope  # 0 to 1 where two rows meet
        even = row % 2 == 0
        shrinking, growing = self._half_width(1 - depth), self._half_width(depth)
        half = np.stack([np.where(even, shrinking, growing), np.where(even, growing, shrinking)], axis=1)
        first = np.stack([np.where(even, row, row + 1), np.where(even, row + 1, row)], axis=1)
        return RowCrossings(first * columns, 1, half)

    def row_count(self, height: float) -> int:
        return int(height / self.row_height) + 2

    def centres(self, cells: Numbers, columns: int) -> Floats:
        row, column = np.divmod(cells, columns)
        return np.stack([(column + row % 2 / 2) * self.step, row * self.row_height], axis=1)

    def corners(self, cell: int, columns: int) -> list[tuple[float, float]]:
        side, tip = self.step / 2 - self.grout / 2, self.straight / 2 + self.slope
        tip -= self._inset * self.slope / (self.step / 2)
        shoulder = tip - side * self.slope / (self.step / 2)
        if shoulder <= 0:
            side += shoulder * (self.step / 2) / self.slope
            return [(0, -tip), (side, 0), (0, tip), (-side, 0)]
        return [(0, -tip), (side, -shoulder), (side, shoulder), (0, tip), (-side, shoulder), (-side, -shoulder)]

    def enlarged(self, factor: int) -> HexagonalTiling:
        return HexagonalTiling(self.step * factor, self.straight * factor, self.slope * factor, self.grout * factor)

    def shapes(self, cells: Numbers, columns: int) -> Numbers:
        return np.zeros_like(cells)

    @property
    def _inset(self) -> float:
        """How far a slanted side moves horizontally to make room for half a joint."""
        return float(self.grout / 2 * np.hypot(self.step / 2, self.slope) / self.slope)

    def _half_width(self, share: Floats) -> Floats:
        """Half the width of a cell where the slanted sides alone would leave `share` of it."""
        half: Floats = np.minimum(self.step / 2 - self.grout / 2, share * self.step / 2 - self._inset)
        return half if self.grout else np.maximum(half, 0.0)


@dataclass(frozen=True, slots=True)
class TriangularTiling:
    """Triangles that point up and down alternately, in rows `row_height` high with bases `step` wide.

    The first family points up in even rows and down in odd rows. Lengths are pixels."""

    families: ClassVar[int] = 2

    step: float
    row_height: float
    grout: float

    def scaled(self, across: float, down: float) -> TriangularTiling:
        return TriangularTiling(self.step * across, self.row_height * down, self.grout * down)

    def row_crossings(self, y: Floats, columns: int) -> RowCrossings:
        row = np.floor(y / self.row_height).astype(np.int64)
        depth, even, joint = y - row * self.row_height, row % 2 == 0, self.grout / 2
        rising = np.where(depth < self.row_height - joint, self._half_width(depth), -1.0)
        falling = np.where(depth >= joint, self._half_width(self.row_height - depth), -1.0)
        half = np.stack([np.where(even, rising, falling), np.where(even, falling, rising)], axis=1)
        first = row[:, None] * (2 * columns) + (0, 1)
        return RowCrossings(first, 2, half)

    def row_count(self, height: float) -> int:
        return int(height / self.row_height) + 1

    def centres(self, cells: Numbers, columns: int) -> Floats:
        row, position = np.divmod(cells, 2 * columns)
        return np.stack([position * self.step / 2, (row + 0.5) * self.row_height], axis=1)

    def corners(self, cell: int, columns: int) -> list[tuple[float, float]]:
        row, position = divmod(cell, 2 * columns)
        tip = self._inset * self.row_height / (self.step / 2) - self.row_height / 2
        base = self.row_height / 2 - self.grout / 2
        side = (base - tip) * (self.step / 2) / self.row_height
        sign = 1 if (row + position) % 2 == 0 else -1
        return [(0, tip * sign), (side, base * sign), (-side, base * sign)]

    def enlarged(self, factor: int) -> TriangularTiling:
        return TriangularTiling(self.step * factor, self.row_height * factor, self.grout * factor)

    def shapes(self, cells: Numbers, columns: int) -> Numbers:
        row, position = np.divmod(cells, 2 * columns)
        return (row + position) % 2

    @property
    def _inset(self) -> float:
        return float(self.grout / 2 * np.hypot(self.step / 2, self.row_height) / self.row_height)

    def _half_width(self, distance: Floats) -> Floats:
        """Half the width of a cell at that vertical distance from its tip."""
        return distance / self.row_height * self.step / 2 - self._inset
