"""Scanline runs: what a band of rows is made of, as stretches of pixels of one row that belong to one cell.

A pixel belongs to the cell that its centre lies in; the centre of column x in row y is (x + 0.5, y + 0.5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .light import Floats

Labels = NDArray[np.int32]
_MOST_KEPT = 1 << 19  # runs, of 12 bytes each
GROUND = -1  # the "cell" of pixels that no cell covers: grout, leading, the ground between dots


@dataclass(frozen=True, slots=True)
class Runs:
    """A band cut into runs.

    starts: (n,) int64, strictly rising from 0, the first pixel of each run counted row by row from the band's first
    pixel; a run of the ground may go on in the next row. cells: (n,) int32, the cell of each run or GROUND.
    size: pixels of the band.
    """

    starts: NDArray[np.int64]
    cells: Labels
    size: int

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.starts, append=self.size)


RunsOf = Callable[[int, int], Runs]
"""The runs of rows top to bottom - 1."""


class KeptRuns:
    """Works runs out once for those who need them twice, as long as they are not too many to be kept."""

    def __init__(self, runs_of: RunsOf) -> None:
        self._runs_of, self._room = runs_of, _MOST_KEPT
        self._kept: dict[tuple[int, int], Runs] = {}

    def __call__(self, top: int, bottom: int) -> Runs:
        if (top, bottom) in self._kept:
            return self._kept[top, bottom]
        runs = self._runs_of(top, bottom)
        if len(runs.starts) <= self._room:
            self._kept[top, bottom] = runs
            self._room -= len(runs.starts)
        return runs


def runs_from_edges(edges: Floats, cells: Labels, width: int) -> Runs:
    """Runs from the places where each row crosses from one cell into the next.

    edges: (rows, k) x of the crossings, rising within a row, in pixels, may lie outside the picture. cells:
    (rows, k + 1), the cell left of the first crossing, between the first and the second, and so on.
    """
    rows = len(edges)
    firsts = np.zeros((rows, edges.shape[1] + 1), np.int64)
    firsts[:, 1:] = np.clip(np.ceil(edges - 0.5), 0, width)
    return runs_from_firsts(firsts, cells, width)


def runs_from_firsts(firsts: NDArray[np.int64], cells: Labels, width: int) -> Runs:
    """As runs_from_edges, from the first column (0 to width) of each run; empty runs are dropped."""
    ends = np.empty_like(firsts)
    ends[:, :-1], ends[:, -1] = firsts[:, 1:], width
    kept = ends > firsts
    rows = np.arange(len(firsts), dtype=np.int64)[:, None] * width
    return Runs((firsts + rows)[kept], np.ascontiguousarray(cells)[kept].astype(np.int32), len(firsts) * width)


def runs_from_labels(labels: Labels) -> Runs:
    """Runs from the cell of every pixel of a band, (rows, width) int32."""
    changes = np.ones(labels.shape, bool)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=changes[:, 1:])
    starts = np.flatnonzero(changes.ravel())
    return Runs(starts.astype(np.int64), labels.ravel()[starts], labels.size)
