"""Borders between regions, along the edges of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..colour.srgb import Floats
from ..progress import Progress
from .superpixels import Labels

OUTSIDE = -1

_REPORT_EVERY = 256  # borders


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
    following, starts = _following(sides)
    progress(0.3)
    following_list, borders = following.tolist(), []
    used = np.zeros(len(following), bool)
    for start in starts.tolist():
        if used[start]:
            continue
        line, side = [start], following_list[start]
        while side >= 0 and side != start:
            line.append(side)
            side = following_list[side]
        along = np.array(line)
        used[along] = used[sides.reversed(along)] = True
        y, x = np.divmod(np.append(sides.tails[start], sides.heads[along]), width)
        right = int(sides.left[sides.reversed(along[:1])[0]])
        borders.append(Border(np.stack([x, y], 1).astype(np.float64), int(sides.left[start]), right))
        if len(borders) % _REPORT_EVERY == 0:
            progress(0.3 + 0.7 * np.count_nonzero(used) / len(used))
    return borders


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


def _following(sides: _Sides) -> tuple[Labels, Labels]:
    """(n,) the side that goes on from each, -1 at a junction; (n,) sides, those first that leave a junction."""
    degrees = np.bincount(sides.tails, minlength=sides.corner_count)
    by_tail = np.argsort(sides.tails, kind="stable")
    first = (np.cumsum(degrees) - degrees)[sides.heads]
    one, other = by_tail[first], by_tail[np.minimum(first + 1, len(by_tail) - 1)]
    back = sides.reversed(np.arange(len(sides.tails)))
    following = np.where(degrees[sides.heads] == 2, np.where(one == back, other, one), -1)
    leaves_junction = degrees[sides.tails[by_tail]] != 2
    return following, np.concatenate([by_tail[leaves_junction], by_tail[~leaves_junction]])
