"""Cells given as polygons, cut into runs by the rule of all cells: a pixel belongs where its centre lies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..colour.srgb import Floats
from .cells import Polygon
from .convex import Counts
from .runs import GROUND, Runs

_COLUMN_BITS = 20  # a picture is less than a million pixels wide


class PolygonCells:
    """Cells from polygons that do not overlap, of any number of corners; see cells.Cells.

    points: (n, 2) x, y of corners in pixels, polygon by polygon; may reach outside the picture. corners: (count,)
    how many each polygon has, at least one. Neighbours that share corners exactly leave no pixel uncovered and none
    twice. Pixels under no polygon are GROUND. Memory: about 60 bytes a corner.
    """

    def __init__(self, width: int, height: int, points: Floats, corners: Counts, pitch: float) -> None:
        self.width, self.height, self.pitch = width, height, pitch
        self.count = len(corners)
        self._points, self._corners = points, corners
        self._edges, self._owners = _edges(points, corners)
        self._owner_bits = self.count.bit_length()

    def runs(self, top: int, bottom: int) -> Runs:
        firsts, lengths, cells = self._spans(top, bottom)
        order = np.argsort(firsts)
        firsts = firsts[order]
        return _filled(firsts, firsts + lengths[order], cells[order], (bottom - top) * self.width)

    def first(self, row: int) -> int:
        return 0

    def centres(self, first: int, stop: int) -> Floats:
        starts, corners = (np.cumsum(self._corners) - self._corners)[first:stop], self._corners[first:stop]
        points = self._points[starts[0] : starts[-1] + corners[-1]]
        means: Floats = np.add.reduceat(points, starts - starts[0], axis=0) / corners[:, None]
        return means

    def outlines(self) -> Iterator[Polygon]:
        for points in np.split(self._points, np.cumsum(self._corners)[:-1]):
            yield Polygon([(x, y) for x, y in points.tolist()])

    def _spans(self, top: int, bottom: int) -> tuple[Counts, Counts, Counts]:
        """First pixel, length and cell of every stretch of a row that lies in a polygon (even-odd rule)."""
        near = (self._edges[:, 1] < bottom) & (self._edges[:, 3] > top)
        x0, y0, x1, y1 = self._edges[near].T
        slope = (x1 - x0) / (y1 - y0)
        first = np.clip(np.ceil(y0 - 0.5), top, bottom).astype(np.int64)
        rows = np.clip(np.ceil(y1 - 0.5), top, bottom).astype(np.int64) - first
        edge = np.repeat(np.arange(len(rows)), rows)
        row = np.arange(len(edge)) + (first - np.cumsum(rows) + rows)[edge]
        x = (row - (y0 - 0.5)[edge]) * slope[edge] + (x0 - 0.5)[edge]
        np.clip(np.ceil(x, out=x), 0, self.width, out=x)
        # row, cell and column in one integer, so that one sort puts the two crossings of each stretch side by side
        row -= top
        row <<= self._owner_bits
        row |= self._owners[near][edge]
        row <<= _COLUMN_BITS
        row |= x.astype(np.int64)
        row.sort()
        left, length = row[::2], row[1::2] - row[::2]
        covered = length > 0
        left = left[covered]
        column, place = left & ((1 << _COLUMN_BITS) - 1), left >> _COLUMN_BITS
        owner = place & ((1 << self._owner_bits) - 1)
        return (place >> self._owner_bits) * self.width + column, length[covered], owner


def _edges(points: Floats, corners: Counts) -> tuple[Floats, Counts]:
    """x0, y0, x1, y1 of every edge that is not level, and its polygon.

    The upper end comes first, whichever way the polygon runs, so that neighbours compute the same crossings.
    """
    following = np.arange(1, len(points) + 1)
    lasts = np.cumsum(corners) - 1
    following[lasts] = lasts - corners + 1
    edges = np.concatenate([points, points[following]], axis=1)
    swapped = edges[:, 1] > edges[:, 3]
    edges[swapped] = edges[swapped][:, [2, 3, 0, 1]]
    sloped = edges[:, 1] != edges[:, 3]
    return edges[sloped], np.repeat(np.arange(len(corners)), corners)[sloped]


def _filled(firsts: Counts, ends: Counts, cells: Counts, size: int) -> Runs:
    """Runs from stretches in order, with GROUND wherever none follows directly."""
    starts = np.zeros((len(firsts) + 1, 2), np.int64)  # of each stretch, and of the gap before it
    starts[:-1, 1], starts[-1, 1] = firsts, size
    starts[1:, 0] = ends
    owners = np.full(starts.shape, GROUND, np.int32)
    owners[:-1, 1] = cells
    kept = np.ones(starts.shape, bool)
    kept[:, 0] = starts[:, 0] < starts[:, 1]
    kept[-1, 1] = False
    return Runs(starts[kept], owners[kept], size)
