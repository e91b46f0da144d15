"""Cells: the single description from which means, raster and SVG of a flat mosaic are all derived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..colour.srgb import Floats
from .runs import Runs


@dataclass(frozen=True, slots=True)
class Polygon:
    """An outline in pixels; it may reach outside the picture."""

    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Circle:
    """An outline in pixels."""

    x: float
    y: float
    radius: float


Outline = Polygon | Circle


class Cells(Protocol):
    """A picture partitioned into cells 0 to count - 1, best in reading order, as means are computed strip by strip.

    pitch: the typical distance of neighbours in pixels. A cell may have no pixel at all.
    """

    width: int
    height: int
    count: int
    pitch: float

    def runs(self, top: int, bottom: int) -> Runs:
        """The runs of rows top to bottom - 1. Called repeatedly; must always return the same runs."""
        ...

    def lowest_index(self, row: int) -> int:
        """A lower bound of the indices of all cells in this row and the rows below. 0 is always valid."""
        ...

    def centres(self, start: int, stop: int) -> Floats:
        """(stop - start, 2) x, y in pixels of the cells start to stop - 1, for the dithering pattern."""
        ...

    def outlines(self) -> Iterable[Outline]:
        """One outline for each cell, in order. Contains exactly the pixel centres of the cell's runs."""
        ...

    def enlarged(self, factor: int) -> Cells | None:
        """The same cells in a picture `factor` times as large, to paint their edges antialiased; None if no edge cuts a
        pixel, or if each pixel is to have one colour."""
        ...


class Pieces(Cells, Protocol):
    """Cells that are convex, so that they can be pieces of a material."""

    def scaled(self, width: int, height: int) -> Cells:
        """The same cells on a picture of another size, or nearly that."""
        ...

    def sides(self, start: int, stop: int) -> Floats:
        """(stop - start, k, 3) the sides of the cells start to stop - 1, see sides.sides_of_polygons."""
        ...
