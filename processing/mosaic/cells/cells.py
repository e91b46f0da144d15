"""Cells: the one list from which means, raster and SVG of a flat mosaic all come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..colour.srgb import Floats
from .runs import Runs


@dataclass(frozen=True, slots=True)
class Polygon:
    """An outline in pixels; what lies outside the picture is cut off by it."""

    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Circle:
    """An outline in pixels."""

    x: float
    y: float
    radius: float


Outline = Polygon | Circle


class Cells(Protocol):
    """A picture cut into cells numbered 0 to count - 1, best in reading order (means are gathered by bands).

    pitch: the typical distance of neighbours in pixels. A cell may have no pixel at all.
    """

    width: int
    height: int
    count: int
    pitch: float

    def runs(self, top: int, bottom: int) -> Runs:
        """The runs of rows top to bottom - 1. They are asked for twice or more: the same answer every time."""
        ...

    def first(self, row: int) -> int:
        """A number that no cell of this row, or of a row below, is under. 0 is always true."""
        ...

    def centres(self, first: int, stop: int) -> Floats:
        """(stop - first, 2) x, y in pixels of the cells first to stop - 1, where a dithering pattern looks them up."""
        ...

    def outlines(self) -> Iterable[Outline]:
        """One outline a cell, in order, agreeing with the runs at every pixel's centre."""
        ...
