"""Regular grids whose cells interlock: hexagons, diamonds, triangles.

Every pixel row crosses cells of two families by turns, all of them symmetric to an upright axis: the cells of the
first stand `step` apart, those of the second half way between them. A row is told by half the width that each
family has on it; without joints the two halves add up to half a step, so that one edge serves both neighbours and
neither a seam nor an uncovered pixel can come about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from .cells import Polygon
from .runs import GROUND, Runs, runs_from_edges

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Crossed:
    """What pixel rows cross. first: (rows, 2) the number of the first cell of each family; stride: from one cell's
    number to that of the next in its family; half: (rows, 2) half of their widths, below 0 where there is none."""

    first: Numbers
    stride: int
    half: Floats


class Shape(Protocol):
    """The cells of a lattice that is `columns` cells of each family wide and starts at the place (0, 0).

    families: how many of them a course of cells holds."""

    families: ClassVar[int]

    @property
    def step(self) -> float: ...

    @property
    def rise(self) -> float: ...

    @property
    def grout(self) -> float: ...

    def crossed(self, y: Floats, columns: int) -> Crossed:
        """y: centres of pixel rows, rising."""
        ...

    def courses(self, height: float) -> int:
        """How many courses of cells reach down to `height`."""
        ...

    def centres(self, numbers: Numbers, columns: int) -> Floats:
        """(n, 2) the middles of the heights of those cells."""
        ...

    def corners(self, cell: int, columns: int) -> list[tuple[float, float]]:
        """Of a cell, joints taken off, as seen from its centre."""
        ...


class Lattice:
    """A shape's cells over a picture, cut alike at opposite edges; see cells.Cells."""

    def __init__(self, width: int, height: int, shape: Shape, pitch: float) -> None:
        self.width, self.height, self.pitch = width, height, pitch
        self._shape = shape
        self._left = (width / 2) % shape.step - shape.step
        self._top = (height / 2) % (2 * shape.rise) - 2 * shape.rise
        self._columns = int((width - self._left) / shape.step) + 2
        self.count = shape.courses(height - self._top) * self._columns * shape.families

    def runs(self, top: int, bottom: int) -> Runs:
        shape, columns = self._shape, np.arange(self._columns)
        crossed = shape.crossed(np.arange(top, bottom) + 0.5 - self._top, self._columns)
        numbers = crossed.first[:, None, :] + columns[:, None] * crossed.stride
        middles = self._left + columns[:, None] * shape.step + (0, shape.step / 2)
        parts = (_jointed if shape.grout else _joined)(middles, crossed.half, numbers)
        return runs_from_edges(*parts, self.width)

    def first(self, row: int) -> int:
        return int(self._shape.crossed(np.array([row + 0.5 - self._top]), self._columns).first.min())

    def centres(self, first: int, stop: int) -> Floats:
        places: Floats = self._shape.centres(np.arange(first, stop), self._columns) + np.array([self._left, self._top])
        return places

    def outlines(self) -> Iterator[Polygon]:
        for cell, (x, y) in enumerate(self.centres(0, self.count).tolist()):
            yield Polygon([(x + across, y + down) for across, down in self._shape.corners(cell, self._columns)])


def _joined(middles: Floats, half: Floats, numbers: Numbers) -> tuple[Floats, NDArray[np.int32]]:
    """Edges and cells of rows without joints: only the first family's edges are looked at."""
    rows = len(half)
    edges = middles[None, :, :1] + half[:, None, :1] * (-1, 1)
    return edges.reshape(rows, -1), _after_ground(numbers.reshape(rows, -1))


def _jointed(middles: Floats, half: Floats, numbers: Numbers) -> tuple[Floats, NDArray[np.int32]]:
    """Edges and cells of rows with ground on both sides of every cell."""
    rows = len(half)
    edges = middles[None, :, :, None] + np.maximum(half, 0.0)[:, None, :, None] * (-1, 1)
    cells = np.stack([numbers, np.full_like(numbers, GROUND)], axis=-1)
    return edges.reshape(rows, -1), _after_ground(cells.reshape(rows, -1))


def _after_ground(cells: Numbers) -> NDArray[np.int32]:
    """Left of the first edge, which is outside the picture, there is nothing."""
    return np.pad(cells, ((0, 0), (1, 0)), constant_values=GROUND).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Zigzag:
    """Courses of cells with upright sides `straight` high between slants `slope` high: hexagons, or diamonds when
    `straight` is 0. Even courses are the first family, odd ones the second; pixels throughout."""

    families: ClassVar[int] = 1

    step: float
    straight: float
    slope: float
    grout: float

    @property
    def rise(self) -> float:
        return self.straight + self.slope

    def crossed(self, y: Floats, columns: int) -> Crossed:
        course = np.floor(y / self.rise).astype(np.int64)
        depth = (y - course * self.rise - self.straight / 2) / self.slope  # 0 to 1 where two courses meet
        even = course % 2 == 0
        fading, growing = self._half(1 - depth), self._half(depth)
        half = np.stack([np.where(even, fading, growing), np.where(even, growing, fading)], axis=1)
        first = np.stack([np.where(even, course, course + 1), np.where(even, course + 1, course)], axis=1)
        return Crossed(first * columns, 1, half)

    def courses(self, height: float) -> int:
        return int(height / self.rise) + 2

    def centres(self, numbers: Numbers, columns: int) -> Floats:
        course, column = np.divmod(numbers, columns)
        return np.stack([(column + course % 2 / 2) * self.step, course * self.rise], axis=1)

    def corners(self, cell: int, columns: int) -> list[tuple[float, float]]:
        side, tip = self.step / 2 - self.grout / 2, self.straight / 2 + self.slope
        tip -= self._inset * self.slope / (self.step / 2)
        shoulder = tip - side * self.slope / (self.step / 2)
        if shoulder <= 0:
            side += shoulder * (self.step / 2) / self.slope
            return [(0, -tip), (side, 0), (0, tip), (-side, 0)]
        return [(0, -tip), (side, -shoulder), (side, shoulder), (0, tip), (-side, shoulder), (-side, -shoulder)]

    @property
    def _inset(self) -> float:
        """How far a slant moves sideways when it gives way to half a joint."""
        return float(self.grout / 2 * np.hypot(self.step / 2, self.slope) / self.slope)

    def _half(self, share: Floats) -> Floats:
        """Half the width where the slants alone would leave that share of it."""
        half: Floats = np.minimum(self.step / 2 - self.grout / 2, share * self.step / 2 - self._inset)
        return half if self.grout else np.maximum(half, 0.0)


@dataclass(frozen=True, slots=True)
class Triangles:
    """Triangles point up, down, up, down in courses `rise` high, with bases `step` wide that lie on each other.

    The first family points up in even courses and down in odd ones; pixels throughout."""

    families: ClassVar[int] = 2

    step: float
    rise: float
    grout: float

    def crossed(self, y: Floats, columns: int) -> Crossed:
        course = np.floor(y / self.rise).astype(np.int64)
        depth, even, joint = y - course * self.rise, course % 2 == 0, self.grout / 2
        rising = np.where(depth < self.rise - joint, self._half(depth), -1.0)
        falling = np.where(depth >= joint, self._half(self.rise - depth), -1.0)
        half = np.stack([np.where(even, rising, falling), np.where(even, falling, rising)], axis=1)
        first = course[:, None] * (2 * columns) + (0, 1)
        return Crossed(first, 2, half)

    def courses(self, height: float) -> int:
        return int(height / self.rise) + 1

    def centres(self, numbers: Numbers, columns: int) -> Floats:
        course, place = np.divmod(numbers, 2 * columns)
        return np.stack([place * self.step / 2, (course + 0.5) * self.rise], axis=1)

    def corners(self, cell: int, columns: int) -> list[tuple[float, float]]:
        course, place = divmod(cell, 2 * columns)
        tip, base = self._inset * self.rise / (self.step / 2) - self.rise / 2, self.rise / 2 - self.grout / 2
        side = (base - tip) * (self.step / 2) / self.rise
        turn = 1 if (course + place) % 2 == 0 else -1
        return [(0, tip * turn), (side, base * turn), (-side, base * turn)]

    @property
    def _inset(self) -> float:
        return float(self.grout / 2 * np.hypot(self.step / 2, self.rise) / self.rise)

    def _half(self, distance: Floats) -> Floats:
        """Half the width so far from the tip."""
        return distance / self.rise * self.step / 2 - self._inset
