"""Slabs: rows of a picture whose runs are worked out together, and the bands in which their pixels are gone through.

A call to NumPy takes some microseconds however little it does, and one that lets go of the interpreter lock ends in
asking for it again. Runs are few where cells are large: then a slab has many bands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..progress import BAND_PX
from .cells import Cells
from .runs import Runs

_RUNS = 3 << 15  # of a slab, about; each takes a hundred bytes while it is worked out
_MOST_KEPT = 1 << 19  # runs, of 12 bytes each


@dataclass(frozen=True, slots=True)
class Band:
    """Rows top to bottom - 1 of the picture; runs: which of its slab's they are made of; first: the band's first
    pixel, counted from the slab's."""

    top: int
    bottom: int
    runs: slice
    first: int


@dataclass(frozen=True, slots=True)
class Slab:
    """No run goes on from one band into the next."""

    runs: Runs
    bands: tuple[Band, ...]


class Slabs:
    """The slabs of cells, from the top down. For those who go through them twice they are worked out once, as long
    as they are not too many to be kept."""

    def __init__(self, cells: Cells) -> None:
        self.cells, self._room = cells, _MOST_KEPT
        self._kept: dict[int, Slab] = {}

    def __iter__(self) -> Iterator[Slab]:
        width, height = self.cells.width, self.cells.height
        most = max(1, int(_RUNS / (2 * width / self.cells.pitch + 2)))
        band = max(1, min(most, BAND_PX // width))
        step = most // band * band
        for top in range(0, height, step):
            yield self._slab(range(top, min(top + step, height), band), min(top + step, height))

    def _slab(self, tops: range, bottom: int) -> Slab:
        if tops.start in self._kept:
            return self._kept[tops.start]
        slab = _cut(self.cells.runs(tops.start, bottom), [*tops, bottom], self.cells.width)
        if len(slab.runs.starts) <= self._room:
            self._kept[tops.start] = slab
            self._room -= len(slab.runs.starts)
        return slab


def _cut(runs: Runs, rows: list[int], width: int) -> Slab:
    """rows: where each band begins, and where the last one ends."""
    firsts = (np.array(rows) - rows[0]) * width
    runs = _begun(runs, firsts[:-1])
    bounds = np.searchsorted(runs.starts, firsts).tolist()
    spans = zip(rows, rows[1:], bounds, bounds[1:], firsts.tolist(), strict=False)
    return Slab(runs, tuple(Band(top, end, slice(low, high), first) for top, end, low, high, first in spans))


def _begun(runs: Runs, firsts: NDArray[np.int64]) -> Runs:
    """The same with a run that begins at each of these pixels."""
    places = np.searchsorted(runs.starts, firsts, side="right") - 1
    inside = runs.starts[places] != firsts
    if not inside.any():
        return runs
    after = places[inside] + 1
    starts = np.insert(runs.starts, after, firsts[inside])
    return Runs(starts, np.insert(runs.cells, after, runs.cells[places[inside]]), runs.size)
