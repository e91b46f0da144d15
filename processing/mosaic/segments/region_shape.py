"""The corners of one region, and which of them see each other inside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from .inscribed import widths_within

Point = tuple[float, float]

_CLEARANCE_PX = 0.3  # between a line of sight and the corners beside it


@dataclass(frozen=True, slots=True)
class Corner:
    """place: x, y. The side to the next corner has the `number` in its line, and is passed forward or backward."""

    place: Point
    line: int
    number: int
    forward: bool

    @property
    def index(self) -> int:
        """Of the corner among the points of its line."""
        return self.number if self.forward else self.number + 1


Loop = list[Corner]


class RegionShape:
    """The outlines of a region, which is on their left as seen on the screen."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self.corners = [corner for loop in loops for corner in loop]
        self.loop = np.repeat(np.arange(len(loops)), [len(loop) for loop in loops])
        self._here: Floats = np.array([corner.place for corner in self.corners]) * (1, -1)
        index = np.arange(len(self.corners))
        firsts = np.cumsum([0, *(len(loop) for loop in loops)])
        self.following, self.preceding = index + 1, index - 1
        self.following[firsts[1:] - 1], self.preceding[firsts[:-1]] = firsts[:-1], firsts[1:] - 1
        self._next, self._previous = self._here[self.following], self._here[self.preceding]

    def is_wider(self, width: float) -> bool:
        """At its widest place."""
        return are_wider([self], width)

    def lengths(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> Floats:
        """(n,): the distances of pairs of corners."""
        return np.asarray(np.hypot(*(self._here[one] - self._here[other]).T))

    def areas_between(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> Floats:
        """(n,): the areas of the polygons from a corner to a later one of the first loop, closed by a straight side."""
        cross = np.concatenate([[0.0], np.cumsum(_cross(self._here, self._next))])
        return np.asarray(np.abs(cross[last] - cross[first] + _cross(self._here[last], self._here[first])) / 2)

    def area(self) -> float:
        return float(abs(_cross(self._here, self._next).sum()) / 2)

    def visible(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(n,): whether the straight line between two corners lies inside, away from all other corners."""
        a, b = self._here[one], self._here[other]
        apart = np.abs(a - b).max(axis=1) > 1e-9
        return np.asarray(apart & self._opens_to(one, b) & self._opens_to(other, a) & self._is_free(a, b))

    def _opens_to(self, corner: NDArray[np.intp], target: Floats) -> NDArray[np.bool_]:
        """Whether a line that leaves the corner for the target begins inside (O'Rourke, 1998: in cone)."""
        here, after, before = self._here[corner], self._next[corner], self._previous[corner]
        convex = _turn(here, after, before) >= 0
        inside = (_turn(here, target, before) > 0) & (_turn(target, here, after) > 0)
        outside = (_turn(here, target, after) >= 0) & (_turn(target, here, before) >= 0)
        return np.where(convex, inside, ~outside)

    def _is_free(self, a: Floats, b: Floats) -> NDArray[np.bool_]:
        start, end = a[:, None], b[:, None]
        tails, heads = self._here[None], self._next[None]
        crosses = (_turn(start, end, tails) * _turn(start, end, heads) < 0) & (
            _turn(tails, heads, start) * _turn(tails, heads, end) < 0
        )
        chord, offset = end - start, tails - start
        share = np.clip((offset * chord).sum(axis=-1) / np.maximum((chord**2).sum(axis=-1), 1e-12), 0, 1)
        distance = np.hypot(*np.moveaxis(offset - share[..., None] * chord, -1, 0))
        ends = (np.abs(offset).max(axis=-1) < 1e-9) | (np.abs(tails - end).max(axis=-1) < 1e-9)
        return np.asarray(~(crosses | ((distance < _CLEARANCE_PX) & ~ends)).any(axis=1))


def are_wider(shapes: Sequence[RegionShape], width: float) -> bool:
    """Whether each is so wide at its widest place."""
    most = max(len(shape.corners) for shape in shapes)
    sides = np.stack([np.arange(most).clip(max=len(shape.corners) - 1) for shape in shapes])  # the last one again
    tails = np.stack([shape._here[side] for shape, side in zip(shapes, sides, strict=True)])
    heads = np.stack([shape._next[side] for shape, side in zip(shapes, sides, strict=True)])
    counted = np.arange(most) < np.array([[len(shape.corners)] for shape in shapes])
    return bool((widths_within(tails, heads, counted, width) >= width).all())


def is_in_triangle(triangle: Floats, points: Floats) -> NDArray[np.bool_]:
    """(n,): which of the points (n, 2), other than its corners (3, 2), are in a triangle or on its sides."""
    a, b, c = triangle
    turns = np.stack([_turn(a, b, points), _turn(b, c, points), _turn(c, a, points)])
    corner = (np.abs(points[:, None] - triangle).max(axis=-1) < 1e-9).any(axis=1)
    return np.asarray(((turns >= 0).all(axis=0) | (turns <= 0).all(axis=0)) & ~corner)


def _cross(first: Floats, second: Floats) -> Floats:
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]


def _turn(a: Floats, b: Floats, c: Floats) -> Floats:
    """Above 0 where c is on the left of the way from a to b."""
    return _cross(b - a, c - a)
