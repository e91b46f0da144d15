"""Scanline runs: the pixels of some rows as stretches that belong to one cell.

A pixel belongs to the cell that contains its centre; the centre of column x in row y is (x + 0.5, y + 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats

Labels = NDArray[np.int32]
BACKGROUND = -1
"""The "cell" of pixels that no cell covers: grout, leading, the ground between dots."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Consecutive rows of pixels as runs.

    starts: (n,) int64, strictly increasing from 0, the first pixel of each run, counted row by row from the first
    row's first pixel; a run of the background may continue in the next row. cells: (n,) int32, the cell of each run or
    BACKGROUND. size: pixels in all.
    """

    starts: NDArray[np.int64]
    cells: Labels
    size: int

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.starts, append=self.size)


def runs_from_edges(edges: Floats, cells: Labels, width: int) -> Runs:
    """Runs from the places where each row crosses from one cell into the next.

    edges: (rows, k) x of the crossings in pixels, increasing within a row, possibly outside the picture. cells:
    (rows, k + 1), the cell left of the first crossing, between the first and the second, and so on.
    """
    return runs_from_columns(columns_from_edges(edges, width), cells, width)


def columns_from_edges(edges: Floats, width: int) -> NDArray[np.int64]:
    """(rows, k + 1): the first column (0 to width) of what lies left of the first edge, right of it, and so on."""
    columns = np.zeros((len(edges), edges.shape[1] + 1), np.int64)
    columns[:, 1:] = np.clip(np.ceil(edges - 0.5), 0, width)
    return columns


def runs_from_columns(columns: NDArray[np.int64], cells: Labels, width: int) -> Runs:
    """Runs from the first column (0 to width) of each of them, (rows, k), and their cells, (rows, k).

    Empty runs are dropped.
    """
    ends = np.empty_like(columns)
    ends[:, :-1], ends[:, -1] = columns[:, 1:], width
    nonempty = ends > columns
    row_starts = np.arange(len(columns), dtype=np.int64)[:, None] * width
    starts = (columns + row_starts)[nonempty]
    return Runs(starts, np.ascontiguousarray(cells)[nonempty].astype(np.int32), len(columns) * width)
