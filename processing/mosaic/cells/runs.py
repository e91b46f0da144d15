"""Scanline runs: what a band of rows is made of, as stretches of pixels of one row that belong to one cell.

A pixel belongs to the cell that its centre lies in; the centre of column x in row y is (x + 0.5, y + 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats

Labels = NDArray[np.int32]
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
