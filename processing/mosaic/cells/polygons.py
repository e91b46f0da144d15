"""Cells given as polygons, scan-converted by pixel centres."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..colour.srgb import Floats
from .cells import Polygon
from .convex import Counts
from .runs import BACKGROUND, Runs
from .sides import sides_of_polygons

_COLUMN_BITS = 20  # pictures are less than a million pixels wide


class PolygonCells:
    """Cells from polygons of any number of corners; implements cells.Cells. Where two overlap, one of them counts.

    points: (n, 2) x, y of corners in pixels, polygon by polygon; may reach outside the picture. corners: (count,)
    how many each polygon has, at least one. Between neighbours that share corners exactly, each pixel belongs to one of
    them. Pixels under no polygon are BACKGROUND. Memory: about 60 bytes a corner.
    """

    def __init__(self, width: int, height: int, points: Floats, corners: Counts, pitch: float) -> None:
        self.width, self.height, self.pitch = width, height, pitch
        self.count = len(corners)
        self._points, self._corners = points, corners
        self._edges, self._owners = _edges(points, corners)
        self._owner_bits = self.count.bit_length()

    def scaled(self, width: int, height: int) -> PolygonCells:
        """The same cells on a picture of another size."""
        factors = (width / self.width, height / self.height)
        return PolygonCells(width, height, self._points * factors, self._corners, self.pitch * factors[0])

    def runs(self, top: int, bottom: int) -> Runs:
        firsts, lengths, cells = self._spans(top, bottom)
        order = np.argsort(firsts)
        firsts = firsts[order]
        return _filled(firsts, firsts + lengths[order], cells[order], (bottom - top) * self.width)

    def most_crossings(self) -> int:
        """Of edges by one row: where cells are smaller than elsewhere, many more than the pitch suggests."""
        ends = np.clip(np.ceil(self._edges[:, 1::2] - 0.5), 0, self.height).astype(np.int64)
        begin, end = (np.bincount(each, minlength=self.height + 1) for each in ends.T)
        return int(np.cumsum(begin - end).max())

    def lowest_index(self, row: int) -> int:
        return 0

    def centres(self, start: int, stop: int) -> Floats:
        starts, corners = (np.cumsum(self._corners) - self._corners)[start:stop], self._corners[start:stop]
        points = self._points[starts[0] : starts[-1] + corners[-1]]
        means: Floats = np.add.reduceat(points, starts - starts[0], axis=0) / corners[:, None]
        return means

    def sides(self, start: int, stop: int) -> Floats:
        corners = self._corners[start:stop]
        first = int(self._corners[:start].sum())
        return sides_of_polygons(self._points[first : first + int(corners.sum())], corners)

    def enlarged(self, factor: int) -> PolygonCells | None:
        width, height = self.width * factor, self.height * factor
        return PolygonCells(width, height, self._points * factor, self._corners, self.pitch * factor)

    def outlines(self) -> Iterator[Polygon]:
        for points in np.split(self._points, np.cumsum(self._corners)[:-1]):
            yield Polygon([(x, y) for x, y in points.tolist()])

    def _spans(self, top: int, bottom: int) -> tuple[Counts, Counts, Counts]:
        """First pixel, length and cell of every stretch of a row inside a polygon (even-odd rule)."""
        near = (self._edges[:, 1] < bottom) & (self._edges[:, 3] > top)
        x0, y0, x1, y1 = self._edges[near].T
        slope = (x1 - x0) / (y1 - y0)
        first = np.clip(np.ceil(y0 - 0.5), top, bottom).astype(np.int64)
        rows = np.clip(np.ceil(y1 - 0.5), top, bottom).astype(np.int64) - first
        edge = np.repeat(np.arange(len(rows)), rows)
        row = np.arange(len(edge)) + (first - np.cumsum(rows) + rows)[edge]
        x = (row - (y0 - 0.5)[edge]) * slope[edge] + (x0 - 0.5)[edge]
        np.clip(np.ceil(x, out=x), 0, self.width, out=x)
        # Row, cell and column packed into one integer: a single sort pairs the two crossings of each stretch.
        row -= top
        row <<= self._owner_bits
        row |= self._owners[near][edge]
        row <<= _COLUMN_BITS
        row |= x.astype(np.int64)
        row.sort()
        left, length = row[::2], row[1::2] - row[::2]
        covered = length > 0
        left = left[covered]
        column, row_and_owner = left & ((1 << _COLUMN_BITS) - 1), left >> _COLUMN_BITS
        owner = row_and_owner & ((1 << self._owner_bits) - 1)
        return (row_and_owner >> self._owner_bits) * self.width + column, length[covered], owner


class FilledCells:
    """Cells in front of others that cover the picture: pixels under none of the front's belong to the back's cell of
    the same number. Implements cells.Cells, with the outlines of the front."""

    def __init__(self, front: PolygonCells, back: PolygonCells) -> None:
        self.width, self.height, self.pitch, self.count = front.width, front.height, front.pitch, front.count
        self._front, self._back = front, back

    def scaled(self, width: int, height: int) -> FilledCells:
        """The same cells on a picture of another size."""
        return FilledCells(self._front.scaled(width, height), self._back.scaled(width, height))

    def runs(self, top: int, bottom: int) -> Runs:
        front, back = self._front.runs(top, bottom), self._back.runs(top, bottom)
        starts = np.sort(np.concatenate([front.starts, back.starts]), kind="stable")  # merges two sorted parts
        starts = starts[np.diff(starts, prepend=-1) > 0]
        cells = front.cells[np.searchsorted(front.starts, starts, side="right") - 1]
        behind = back.cells[np.searchsorted(back.starts, starts, side="right") - 1]
        cells = np.where(cells == BACKGROUND, behind, cells)
        keep = np.diff(cells, prepend=BACKGROUND) != 0
        keep |= starts % self.width == 0
        return Runs(starts[keep], cells[keep], front.size)

    def lowest_index(self, row: int) -> int:
        return 0

    def centres(self, start: int, stop: int) -> Floats:
        return self._front.centres(start, stop)

    def sides(self, start: int, stop: int) -> Floats:
        return self._front.sides(start, stop)

    def enlarged(self, factor: int) -> FilledCells | None:
        front = self._front.enlarged(factor)
        return (
            None if front is None else FilledCells(front, self._back.scaled(self.width * factor, self.height * factor))
        )

    def outlines(self) -> Iterator[Polygon]:
        return self._front.outlines()

    def underlay(self) -> Iterator[Polygon]:
        """The outlines of the back, to be drawn before the others in an SVG."""
        return self._back.outlines()


def _edges(points: Floats, corners: Counts) -> tuple[Floats, Counts]:
    """x0, y0, x1, y1 of every edge that is not horizontal, and its polygon.

    The upper end comes first, whatever the orientation of the polygon, so that neighbours compute equal crossings.
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
    """Runs from sorted stretches, with BACKGROUND in the gaps between them.

    Where stretches overlap, the one that begins later wins as long as it lasts. After it, the earlier stretch that
    reaches farthest continues.
    """
    limits = np.append(firsts[1:], size)
    reach = np.maximum.accumulate(ends)
    farthest = np.maximum.accumulate(np.where(ends == reach, np.arange(len(ends)), 0))
    starts = np.zeros((len(firsts) + 1, 3), np.int64)  # of what goes on before each stretch, of the gap, of the stretch
    starts[:-1, 2], starts[-1, 2] = firsts, size
    starts[1:, 0] = np.minimum(ends, limits)
    starts[1:, 1] = np.minimum(reach, limits)
    owners = np.full(starts.shape, BACKGROUND, np.int32)
    owners[:-1, 2] = cells
    owners[1:, 0] = cells[farthest]
    keep = np.empty(starts.shape, bool)
    keep[:, :2] = starts[:, :2] < starts[:, 1:]
    keep[:-1, 2] = firsts < starts[1:, 0]
    keep[-1, 2] = False
    return Runs(starts[keep], owners[keep], size)
