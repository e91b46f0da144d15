"""Discs of any coverage inside cells of a lattice, cut at the edges of their cells."""

from __future__ import annotations

import math

import numpy as np

from ..colour.srgb import Floats
from .cells import Circle, Outline, Polygon

_LEVELS = 1024  # radii to choose from
_DIRECTIONS = 48  # corners of a disc that is cut, in an SVG; a multiple of 8 and 12, so that those of the cell belong


def cell_distances(
    side: int,
    above: float,
    shift: float,
    margin: int,
    *,
    below: float | None = None,
    offset: tuple[float, float] = (0.0, 0.0),
    is_first: bool = False,
    is_last: bool = False,
) -> Floats:
    """(side + 2 margin, side) from the middle of a cell to its pixels' centres; infinite outside the cell.

    side: the distance of two cells of a row, and the width of the window. above, below: the distances of the rows;
    None: the same. shift: from a cell to one of the rows above and below, in pixels. margin: rows of the window above
    and below a square. offset: of the middle of the cell from that of the window, right and down: more than minus half
    a pixel, at most half a pixel. is_first, is_last: there is no row above or below, and the cell extends there. Cells
    do not overlap and leave no gap.
    """
    x = np.arange(side) + 0.5 - side / 2 - offset[0]
    y = np.arange(-margin, side + margin)[:, None] + 0.5 - side / 2 - offset[1]
    own = x**2 + y**2
    nearest = np.abs((x - shift + side / 2) % side - side / 2)  # horizontally, to a cell of another row
    below = above if below is None else below
    inside = (is_first | (own <= nearest**2 + (y + above) ** 2)) & (is_last | (own < nearest**2 + (y - below) ** 2))
    distances: Floats = np.where(inside, np.sqrt(own), np.inf).astype(np.float32)
    return distances


def window_margin(side: int, row_height: float, shift: float) -> int:
    """The margin of `cell_distances` that the corners of a cell need, with any offset."""
    to_corner = (row_height**2 + max(shift, side - shift) ** 2) / (2 * row_height) + 0.5
    return max(0, math.ceil(to_corner - side / 2)) if shift else 0


class DiscCoverage:
    """The share of a cell that a disc covers, measured on the pixels, as a function of its radius.

    distances: as of `cell_distances`. smooth: the edge of a disc fades over one pixel.
    """

    def __init__(self, distances: Floats, *, smooth: bool) -> None:
        inside = np.sort(distances[np.isfinite(distances)]).astype(np.float64)
        self.radii = np.linspace(0.0, inside[-1] + 0.51, _LEVELS)
        half = 0.5 if smooth else 0.0
        full = np.searchsorted(inside, self.radii - half)
        covered = full.astype(np.float64)
        if smooth:
            sums = np.concatenate([[0.0], np.cumsum(inside)])
            partly = np.searchsorted(inside, self.radii + half)
            covered += (partly - full) * (self.radii + half) - (sums[partly] - sums[full])
        self.coverage = covered / len(inside)
        self.radii[-1] *= 2

    def levels(self, coverage: Floats) -> np.ndarray:
        """For each coverage the smallest disc that covers at least as much: its index in `radii` and `coverage`.

        1 gives the largest disc, which also covers cells that extend to the picture's edge.
        """
        return np.where(coverage < 1, np.searchsorted(self.coverage, coverage - 1e-9), _LEVELS - 1)


class CutDisc:
    """The outlines of discs that are cut by the cells of a lattice, whose rows are `row_height` apart. Other arguments
    as of `cell_distances`."""

    def __init__(self, side: int, row_height: float, shift: float) -> None:
        angles = np.arange(_DIRECTIONS) * 2 * math.pi / _DIRECTIONS
        self._directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        rows = [(shift + step * side, sign * row_height) for step in (-1, 0, 1) for sign in (-1, 1)]
        neighbours = np.array([(side, 0), (-side, 0), *rows], np.float64)
        along = self._directions @ neighbours.T
        halves = (neighbours**2).sum(axis=1) / 2
        self._reach = np.where(along > 1e-9, halves / np.maximum(along, 1e-9), np.inf).min(axis=1)

    def outline(self, x: float, y: float, radius: float, *, beyond: float = 0.0) -> Outline:
        """The disc around a cell's middle, in pixels. beyond: pixels that one which is cut reaches over the edges."""
        if radius <= self._reach.min():
            return Circle(x, y, radius)
        points = self._directions * np.minimum(self._reach + beyond, radius)[:, None] + (x, y)
        return Polygon(points.tolist())
