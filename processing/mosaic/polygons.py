"""Cells given as polygons, cut into runs by the rule of all cells: a pixel belongs where its centre lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .cells import Polygon
from .light import Floats
from .runs import GROUND, Runs

Points = Sequence[tuple[float, float]] | Floats

_COLUMN_BITS = 20  # a picture is less than a million pixels wide


class PolygonCells:
    """Cells from polygons that do not overlap, of any number of corners; see cells.Cells.

    polygons: (x, y) corners in pixels; may reach outside the picture. Neighbours that share corners exactly leave
    no pixel uncovered and none twice. Pixels under no polygon are GROUND. Memory: about 36 bytes a corner.
    """

    def __init__(self, width: int, height: int, polygons: Sequence[Points], pitch: float) -> None:
        self.width, self.height, self.pitch = width, height, pitch
        self.count = len(polygons)
        self._corners = np.array([len(points) for points in polygons], np.int64)
        self._points = np.concatenate([np.asarray(points, np.float64).reshape(-1, 2) for points in polygons])
        self._edges, self._owners = _edges(self._points, self._corners)

    def runs(self, top: int, bottom: int) -> Runs:
        cells, firsts, ends = self._spans(top, bottom)
        order = np.argsort(firsts)
        return _filled(firsts[order], ends[order], cells[order], (bottom - top) * self.width)

    def centres(self) -> Floats:
        starts = np.cumsum(self._corners) - self._corners
        means: Floats = np.add.reduceat(self._points, starts, axis=0) / self._corners[:, None]
        return means

    def outlines(self) -> Iterator[Polygon]:
        for points in np.split(self._points, np.cumsum(self._corners)[:-1]):
            yield Polygon([(x, y) for x, y in points.tolist()])

    def _spans(self, top: int, bottom: int) -> tuple[NDArray[np.int64], ...]:
        """Cell, first pixel and end of every stretch of a row that lies in a polygon (even-odd rule)."""
        near = (self._edges[:, 1] < bottom) & (self._edges[:, 3] > top)
        x0, y0, x1, y1 = self._edges[near].T
        first = np.clip(np.ceil(y0 - 0.5), top, bottom).astype(np.int64)
        rows = np.clip(np.ceil(y1 - 0.5), top, bottom).astype(np.int64) - first
        edge = np.repeat(np.arange(len(rows)), rows)
        row = first[edge] + np.arange(len(edge)) - (np.cumsum(rows) - rows)[edge]
        x = x0[edge] + (row + 0.5 - y0[edge]) * ((x1 - x0) / (y1 - y0))[edge]
        column = np.clip(np.ceil(x - 0.5), 0, self.width).astype(np.int64)
        place = (row - top) * self.count + self._owners[near][edge]
        crossings = np.sort(place << _COLUMN_BITS | column)  # one sort of integers for row, cell and column at once
        left, right = crossings[::2], crossings[1::2]
        covered = right > left
        place, column = left[covered] >> _COLUMN_BITS, left[covered] & ((1 << _COLUMN_BITS) - 1)
        firsts = place // self.count * self.width + column
        return place % self.count, firsts, firsts + (right - left)[covered]


def _edges(points: Floats, corners: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
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


def _filled(firsts: NDArray[np.int64], ends: NDArray[np.int64], cells: NDArray[np.int64], size: int) -> Runs:
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
