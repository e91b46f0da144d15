"""Borders between regions, along the edges of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..colour.srgb import Floats
from ..progress import Progress
from .superpixels import Labels

OUTSIDE = -1


@dataclass(frozen=True, slots=True)
class Border:
    """A line between two regions, or a region and OUTSIDE. points: (n, 2) x, y."""

    points: Floats
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class _Sides:
    """The sides of pixels between regions, each in both directions: side i + n / 2 (modulo n) is i reversed.

    tails, heads: (n,) corners of pixels, numbered row by row. left: (n,) the region on the left of each.
    """

    tails: Labels
    heads: Labels
    left: Labels
    corner_count: int

    def reversed(self, sides: Labels) -> Labels:
        return (sides + len(self.tails) // 2) % len(self.tails)


def trace_borders(labels: Labels, progress: Progress) -> list[Border]:
    """The borders of regions: points from a junction to the next.

    labels: (rows, columns), numbered from 0. A closed border without a junction begins and ends at one of its points.
    """
    sides, width = _sides_between(labels), labels.shape[1] + 1
    following, leaving, others = _following(sides)
    progress(0.3)
    lines, lengths = _between_junctions(sides, following, leaving)
    progress(0.6)
    closed = _closed(sides, following, others, lines)
    lines = np.concatenate([lines, *closed])
    lengths = np.concatenate([lengths, np.array([len(line) for line in closed], np.int64)])
    starts = np.cumsum(lengths) - lengths
    first = lines[starts]
    y, x = np.divmod(np.insert(sides.heads[lines], starts, sides.tails[first]), width)
    points = np.stack([x, y], 1).astype(np.float64)
    starts += np.arange(len(starts))  # a line has one point more than sides
    ends = starts + lengths + 1
    progress(1.0)
    regions = zip(sides.left[first].tolist(), sides.left[sides.reversed(first)].tolist(), strict=True)
    return [
        Border(points[start:end], left, right)
        for start, end, (left, right) in zip(starts.tolist(), ends.tolist(), regions, strict=True)
    ]


def _between_junctions(sides: _Sides, following: Labels, leaving: Labels) -> tuple[Labels, Labels]:
    """The sides of all borders between junctions, one border after the other, and the length of each.

    leaving: sides that leave a junction; of the two directions of a border, the one whose first side comes earlier
    there. All borders are followed at once: each round doubles how far a side knows what lies before it.
    """
    count = len(following)
    before, distance = np.arange(count), np.zeros(count, np.int64)  # a side before each, and how far
    inner = np.flatnonzero(following >= 0)
    before[following[inner]], distance[following[inner]] = inner, 1
    for _ in range(count.bit_length()):
        distance += distance[before]
        before = before[before]
    order = np.full(count, -1)
    order[leaving] = np.arange(len(leaving))
    last = np.flatnonzero((following < 0) & (order[before] >= 0))
    earlier = last[order[before[last]] < order[sides.reversed(last)]]
    earlier = earlier[np.argsort(order[before[earlier]])]
    lengths = distance[earlier] + 1
    offsets = np.full(count, -1)
    offsets[before[earlier]] = np.cumsum(lengths) - lengths
    along = np.flatnonzero(offsets[before] >= 0)
    lines = np.empty(len(along), np.int64)
    lines[offsets[before[along]] + distance[along]] = along
    return lines, lengths


def _closed(sides: _Sides, following: Labels, candidates: Labels, lines: Labels) -> list[Labels]:
    """The sides of each border without a junction. lines: those of all other borders."""
    used = np.zeros(len(following), bool)
    used[lines] = used[sides.reversed(lines)] = True
    closed = []
    for start in candidates[~used[candidates]].tolist():
        if used[start]:
            continue
        line, side = [start], int(following[start])
        while side != start:
            line.append(side)
            side = int(following[side])
        closed.append(np.array(line))
        used[closed[-1]] = used[sides.reversed(closed[-1])] = True
    return closed


def _sides_between(labels: Labels) -> _Sides:
    padded, width = np.pad(labels, 1, constant_values=OUTSIDE), labels.shape[1] + 1
    rows, columns = np.nonzero(padded[:-1] != padded[1:])
    across, upper, lower = rows * width + columns - 1, padded[rows, columns], padded[rows + 1, columns]
    rows, columns = np.nonzero(padded[:, :-1] != padded[:, 1:])
    down, west, east = (rows - 1) * width + columns, padded[rows, columns], padded[rows, columns + 1]
    tails, heads = np.concatenate([across, down]), np.concatenate([across + 1, down + width])
    # going right, the upper region is on the left; going down, the right region is on the left
    left, right = np.concatenate([upper, east]), np.concatenate([lower, west])
    return _Sides(
        np.concatenate([tails, heads]),
        np.concatenate([heads, tails]),
        np.concatenate([left, right]),
        (labels.shape[0] + 1) * width,
    )


def _following(sides: _Sides) -> tuple[Labels, Labels, Labels]:
    """(n,) the side that goes on from each, -1 at a junction; the sides that leave a junction; all others."""
    degrees = np.bincount(sides.tails, minlength=sides.corner_count)
    by_tail = np.argsort(sides.tails, kind="stable")
    first = (np.cumsum(degrees) - degrees)[sides.heads]
    one, other = by_tail[first], by_tail[np.minimum(first + 1, len(by_tail) - 1)]
    back = sides.reversed(np.arange(len(sides.tails)))
    following = np.where(degrees[sides.heads] == 2, np.where(one == back, other, one), -1)
    leaves_junction = degrees[sides.tails[by_tail]] != 2
    return following, by_tail[leaves_junction], by_tail[~leaves_junction]
