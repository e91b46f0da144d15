"""Iso lines of a scalar field, all levels at once, as ordered points (marching squares, vectorised)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...colour.srgb import Floats

Indices = NDArray[np.signedinteger]


@dataclass(frozen=True, slots=True)
class Polylines:
    """points: (n, 2) x, y, polyline by polyline. along: (n,) the distance from the polyline's first point.
    polyline: (n,) which one, ascending. level: (n,)."""

    points: Floats
    along: Floats
    polyline: Indices
    level: Indices


def iso_lines(field: Floats) -> Polylines:
    """The lines on which the field has the values 0, 1, 2, … field: (rows, columns), at x, y = 0, 1, 2, …

    Neighbouring values must differ by less than one. Closed lines are cut open.
    """
    floor = np.maximum(np.floor(field), -1).astype(np.int32)
    points, level, across, down = _crossings(field, floor)
    following = _following(floor, across, down, len(points))
    return _sort_along_lines(points, level, following)


def _crossings(field: Floats, floor: Indices) -> tuple[Floats, Indices, Indices, Indices]:
    """A point and its level for each grid edge that an iso line crosses, and the index of that point for each
    horizontal and each vertical grid edge (-1 for none)."""
    indices, points, levels, total = [], [], [], 0
    for axis in (1, 0):
        first = (slice(None), slice(None, -1)) if axis == 1 else (slice(None, -1), slice(None))
        second = (slice(None), slice(1, None)) if axis == 1 else (slice(1, None), slice(None))
        crossed = floor[first] != floor[second]
        row, column = np.nonzero(crossed)
        level = np.maximum(floor[first][crossed], floor[second][crossed])
        start, end = field[first][crossed], field[second][crossed]
        fraction = np.clip((level - start) / (end - start), 0.0, 1.0)
        place = [column + fraction, row] if axis == 1 else [column, row + fraction]
        points.append(np.stack(place, 1).astype(np.float64))
        levels.append(level)
        index = np.full(crossed.shape, -1, np.int32)
        index[crossed] = np.arange(total, total + len(level))
        total += len(level)
        indices.append(index)
    return np.concatenate(points), np.concatenate(levels), indices[0], indices[1]


def _following(floor: Indices, across: Indices, down: Indices, count: int) -> Indices:
    """For each point the next one of its line; the last point of a line follows itself.

    Going clockwise around a grid square, a line enters at a side where the field rises and leaves at the next side
    where it falls. The neighbouring square sees that side in the opposite direction and continues the line.
    """
    corners = [floor[:-1, :-1], floor[:-1, 1:], floor[1:, 1:], floor[1:, :-1]]
    sides = [across[:-1], down[:, 1:], across[1:], down[:, :-1]]
    crossed = np.nonzero((sides[0] >= 0) | (sides[1] >= 0) | (sides[2] >= 0) | (sides[3] >= 0))
    heights = np.stack([corner[crossed] for corner in corners])
    indices = np.stack([side[crossed] for side in sides])
    step = np.sign(np.roll(heights, -1, axis=0) - heights)
    following = np.arange(count)
    for side in range(4):
        enters = step[side] > 0
        for ahead in (3, 2, 1):  # the nearest side is written last and prevails
            leaves = enters & (step[(side + ahead) % 4] < 0)
            following[indices[side][leaves]] = indices[(side + ahead) % 4][leaves]
    return following


def _sort_along_lines(points: Floats, level: Indices, following: Indices) -> Polylines:
    """Sort the points by line and by position on it, by pointer jumping (Wyllie, 1979)."""
    count = len(points)
    rounds = max(1, count).bit_length()
    lowest, jump = np.arange(count), following.copy()
    for _ in range(rounds):
        lowest, jump = np.minimum(lowest, lowest[jump]), jump[jump]
    closed = following[jump] != jump  # never reaches an end
    following = following.copy()
    ends = closed & (following == lowest)  # cut before the point with the lowest index
    following[ends] = np.flatnonzero(ends)
    remaining = np.linalg.norm(points[following] - points, axis=1)  # length to the end of the line
    jump = following.copy()
    for _ in range(rounds):
        remaining, jump = remaining + remaining[jump], jump[jump]
    order = np.lexsort((-remaining, jump))
    polyline = np.cumsum(np.diff(jump[order], prepend=-1) != 0) - 1
    lengths = remaining[order][np.searchsorted(polyline, np.arange(polyline[-1] + 1 if count else 0))]
    return Polylines(points[order], lengths[polyline] - remaining[order], polyline, level[order])
