"""A plan to build a mosaic by hand: which piece goes where. Styles on a grid with a named palette make one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

EMPTY = -1
"""In `Plan.cells`: nothing is there."""


@dataclass(frozen=True, slots=True)
class PlanColour:
    """One colour of the pieces.

    symbol: what stands in each of its cells, best 1 to 5 characters. name: of the maker. number: the maker's official
    one; empty if there is none, or if it is the symbol. rgb: #rrggbb. count: of pieces. details: of the list alone,
    like how many pieces there are of each size. zh: the name in Chinese; empty: the same.
    """

    symbol: str
    name: str
    rgb: str
    count: int
    number: str = ""
    details: str = ""
    zh: str = ""

    def named(self, language: str) -> str:
        """The name in a language: en or zh."""
        return (self.zh if language == "zh" else "") or self.name


@dataclass(frozen=True, slots=True)
class Plan:
    """What `pdf.plan_document.write_plan` draws.

    cells: (rows, columns), the index in `colours` of each, or EMPTY; none at all where the picture itself is the plan,
    as for a painting. colours: those that are used, in the order of the
    list. pitch_mm: the distance of pieces when they are built. section: cells along a side of the part on one page.
    boxes: (n, 4) top, left, rows, columns of each piece in cells; None: every cell is one piece. printed_mm: the
    distance on paper, where it fits; None: as large as the page allows. mirrored: seen from the back.
    notes: further lines of the cover.
    """

    cells: NDArray[np.int32]
    colours: tuple[PlanColour, ...]
    pitch_mm: float
    section: int = 16
    boxes: NDArray[np.int32] | None = None
    printed_mm: float | None = None
    mirrored: bool = False
    notes: tuple[str, ...] = ()

    @property
    def pieces(self) -> int:
        return sum(colour.count for colour in self.colours)

    @property
    def size_cm(self) -> tuple[float, float]:
        """Width and height when it is built."""
        rows, columns = self.cells.shape
        return columns * self.pitch_mm / 10, rows * self.pitch_mm / 10

    def from_the_back(self) -> Plan:
        """The plan of the other side, as for beads, whose ironed side becomes the front."""
        boxes = self.boxes
        if boxes is not None:
            top, left, rows, columns = boxes.T
            boxes = np.stack([top, self.cells.shape[1] - left - columns, rows, columns], axis=1)
        return replace(self, cells=self.cells[:, ::-1], boxes=boxes, mirrored=not self.mirrored)


def order_colours(cells: NDArray[np.int32], counts: Sequence[int]) -> tuple[NDArray[np.int32], list[int]]:
    """The colours that are used, the most frequent first, and the cells with the indexes in that order.

    counts: of the pieces of each colour.
    """
    order = [index for index in np.argsort(-np.array(counts), kind="stable").tolist() if counts[index]]
    places = np.full(len(counts) + 1, EMPTY, np.int32)  # the last one stays for EMPTY
    places[order] = np.arange(len(order))
    return places[cells], order
