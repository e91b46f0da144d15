"""Lines of many points, evened out and with fewer points; many lines at once, as most are short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats

_SMOOTHING_ROUNDS = 8
_LEAST_SMOOTHED = 4  # points of a line
_SHORT, _MOST_SCALED = 40, 2.0  # points of a closed line, which smoothing would shrink; how much it is enlarged


@dataclass(frozen=True, slots=True)
class _Stretches:
    """low, high: (k,) the first and the last point of each. tolerance: (k,)."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    tolerance: Floats


def smoothed(lines: Sequence[Floats]) -> list[Floats]:
    """The staircases of pixels evened out; the ends stay. A closed line has none; a short one encloses the same area as
    before.

    lines: (n, 2) each.
    """
    if not lines:
        return []
    points, starts, ends = _joined(lines)
    even = np.repeat(ends - starts >= _LEAST_SMOOTHED, ends - starts)
    before, after = np.arange(len(points)) - 1, np.arange(len(points)) + 1
    closed = (points[starts] == points[ends - 1]).all(axis=1) & (ends - starts > _LEAST_SMOOTHED)
    before[starts[closed]], after[ends[closed] - 1] = ends[closed] - 2, starts[closed] + 1
    even[starts[~closed]] = even[ends[~closed] - 1] = False
    middle = np.flatnonzero(even)
    before, after = before[middle], after[middle]
    for _ in range(_SMOOTHING_ROUNDS):
        points[middle] = (points[before] + 2 * points[middle] + points[after]) / 4
    parts = [points[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    for number in np.flatnonzero(closed & (ends - starts <= _SHORT)).tolist():
        parts[number] = _with_area(parts[number], _area(lines[number]))
    return parts


def _with_area(closed: Floats, area: float) -> Floats:
    """A closed line scaled around its middle."""
    middle = closed[1:].mean(axis=0)
    factor = np.sqrt(area / max(_area(closed), 1e-9))
    scaled: Floats = middle + (closed - middle) * min(factor, _MOST_SCALED)
    return scaled


def _area(closed: Floats) -> float:
    x, y = closed.T
    return float(abs((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) / 2)


def simplified(lines: Sequence[Floats], tolerances: Sequence[float] | Floats) -> list[Floats]:
    """Fewer points; the others were at most the line's tolerance away from it (Ramer, 1972; Douglas and Peucker, 1973).

    A closed line is first split at the point that is farthest from its start.
    """
    if not lines:
        return []
    points, starts, ends = _joined(lines)
    keep = np.zeros(len(points), bool)
    keep[starts] = keep[ends - 1] = True
    low, high, tolerance = [starts], [ends - 1], [np.array(tolerances, np.float64)]
    for number in np.flatnonzero((points[starts] == points[ends - 1]).all(axis=1) & (ends - starts > 3)).tolist():
        line = points[starts[number] : ends[number]]
        middle = starts[number] + int(np.argmax(((line - line[0]) ** 2).sum(axis=1)))
        keep[middle] = True
        high[0][number] = middle
        low.append(np.array([middle]))
        high.append(ends[number : number + 1] - 1)
        tolerance.append(tolerance[0][number : number + 1])
    stretches = _Stretches(np.concatenate(low), np.concatenate(high), np.concatenate(tolerance))
    while len(stretches.low):
        stretches = _split_where_far(points, keep, stretches)
    remaining, lasts = points[keep], np.cumsum(np.add.reduceat(keep, starts, dtype=np.int64)).tolist()
    return [remaining[start:end] for start, end in zip([0, *lasts[:-1]], lasts, strict=True)]


def rounded(lines: Sequence[Floats]) -> list[Floats]:
    """The corners cut off (Chaikin, 1974); the ends stay."""
    if not lines:
        return []
    points, starts, ends = _joined(lines)
    start, end = points[:-1], points[1:]
    cut = np.stack([start * 0.75 + end * 0.25, start * 0.25 + end * 0.75], 1).reshape(-1, 2)
    # between two points of a line there are two; its own ends take the place of the first and of the last
    cut[2 * starts], cut[2 * ends - 3] = points[starts], points[ends - 1]
    return [
        cut[2 * start : 2 * end - 2] if end - start > 2 else points[start:end]
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def _joined(lines: Sequence[Floats]) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    ends = np.cumsum([len(line) for line in lines])
    return np.concatenate(lines), ends - [len(line) for line in lines], ends


def _split_where_far(points: Floats, keep: NDArray[np.bool_], stretches: _Stretches) -> _Stretches:
    """Keep the farthest point of each stretch from its chord, if that is too far, and return both of its parts."""
    longer = stretches.high - stretches.low > 1
    if not longer.any():
        return _Stretches(stretches.low[:0], stretches.high[:0], stretches.tolerance[:0])
    low, high, tolerance = stretches.low[longer], stretches.high[longer], stretches.tolerance[longer]
    inside = high - low - 1
    firsts = np.cumsum(inside) - inside
    stretch = np.repeat(np.arange(len(low)), inside)
    index = np.arange(len(stretch)) + (low + 1 - firsts)[stretch]
    chord, offset = points[high] - points[low], points[index] - points[low][stretch]
    length = np.maximum(np.hypot(*chord.T), 1e-9)
    distance = np.abs(offset[:, 0] * chord[stretch, 1] - offset[:, 1] * chord[stretch, 0]) / length[stretch]
    farthest = np.maximum.reduceat(distance, firsts)
    at_farthest = np.flatnonzero(distance == farthest[stretch])[::-1]
    middle = np.empty(len(low), np.int64)
    middle[stretch[at_farthest]] = index[at_farthest]  # of several the first, which is assigned last
    split = farthest > tolerance
    keep[middle[split]] = True
    return _Stretches(
        np.concatenate([low[split], middle[split]]),
        np.concatenate([middle[split], high[split]]),
        np.tile(tolerance[split], 2),
    )
