"""Level lines of a field, all levels at once, as one list of points in order (marching squares, without a loop)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...colour.srgb import Floats

Ids = NDArray[np.signedinteger]


@dataclass(frozen=True, slots=True)
class Lines:
    """points: (n, 2) x, y. along: (n,) the distance from its line's first point. line: (n,) which line, rising.
    level: (n,)."""

    points: Floats
    along: Floats
    line: Ids
    level: Ids


def level_lines(field: Floats) -> Lines:
    """Where the field, (rows, columns) given at x, y = 0, 1, 2, …, passes through a whole number from 0 up.

    Between neighbouring places it must change by less than one. Lines are cut open where they close.
    """
    floor = np.maximum(np.floor(field), -1).astype(np.int32)
    points, level, across, down = _crossings(field, floor)
    following = _following(floor, across, down, len(points))
    return _in_order(points, level, following)


def _crossings(field: Floats, floor: Ids) -> tuple[Floats, Ids, Ids, Ids]:
    """A point for each grid line that a level crosses, and the number of that point for every grid line (or -1)."""
    across, points, levels, total = [], [], [], 0
    for axis in (1, 0):
        first = (slice(None), slice(None, -1)) if axis == 1 else (slice(None, -1), slice(None))
        second = (slice(None), slice(1, None)) if axis == 1 else (slice(1, None), slice(None))
        crossed = floor[first] != floor[second]
        row, column = np.nonzero(crossed)
        level = np.maximum(floor[first][crossed], floor[second][crossed])
        start, end = field[first][crossed], field[second][crossed]
        part = np.clip((level - start) / (end - start), 0.0, 1.0)
        points.append(np.stack([column + part, row] if axis == 1 else [column, row + part], 1).astype(np.float64))
        levels.append(level)
        ids = np.full(crossed.shape, -1, np.int32)
        ids[crossed] = np.arange(total, total + len(level))
        total += len(level)
        across.append(ids)
    return np.concatenate(points), np.concatenate(levels), across[0], across[1]


def _following(floor: Ids, across: Ids, down: Ids, count: int) -> Ids:
    """For each point the next one of its line; the last of a line is its own.

    Around a square, clockwise, a line comes in where the field rises and goes out at the next place where it falls;
    the neighbour, which sees that side the other way round, takes the line from there.
    """
    corners = [floor[:-1, :-1], floor[:-1, 1:], floor[1:, 1:], floor[1:, :-1]]
    sides = [across[:-1], down[:, 1:], across[1:], down[:, :-1]]
    busy = np.nonzero((sides[0] >= 0) | (sides[1] >= 0) | (sides[2] >= 0) | (sides[3] >= 0))
    heights = np.stack([corner[busy] for corner in corners])
    ids = np.stack([side[busy] for side in sides])
    step = np.sign(np.roll(heights, -1, axis=0) - heights)
    following = np.arange(count)
    for side in range(4):
        enters = step[side] > 0
        for ahead in (3, 2, 1):  # the nearest is written last and stays
            leaves = enters & (step[(side + ahead) % 4] < 0)
            following[ids[side][leaves]] = ids[(side + ahead) % 4][leaves]
    return following


def _in_order(points: Floats, level: Ids, following: Ids) -> Lines:
    """The points sorted by line and by their place on it, found by pointer jumping (Wyllie, 1979)."""
    count = len(points)
    rounds = max(1, count).bit_length()
    least, jump = np.arange(count), following.copy()
    for _ in range(rounds):
        least, jump = np.minimum(least, least[jump]), jump[jump]
    closed = following[jump] != jump  # never comes to an end
    following = following.copy()
    following[closed & (following == least)] = np.flatnonzero(closed & (following == least))
    rest = np.linalg.norm(points[following] - points, axis=1)
    jump = following.copy()
    for _ in range(rounds):
        rest, jump = rest + rest[jump], jump[jump]
    order = np.lexsort((-rest, jump))
    line = np.cumsum(np.diff(jump[order], prepend=-1) != 0) - 1
    starts = rest[order][np.searchsorted(line, np.arange(line[-1] + 1 if count else 0))]
    return Lines(points[order], starts[line] - rest[order], line, level[order])
