"""Outlines of regions as polygons that meet without gaps: borders of two regions are simplified once for both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cells.convex import Counts
from ..colour.srgb import Floats
from ..progress import Progress
from .borders import OUTSIDE, Border, trace_borders
from .cutting import corner_counts, cut_angular
from .polylines import rounded, simplified, smoothed
from .superpixels import Labels
from .widths import region_widths

_TOLERANCE_PX = 0.9  # of the reduced picture: how far a simplified border may be from the true one
_STRAIGHTER, _CONTOUR = 3.0, 8.0  # times the tolerance more for equal colours; a difference that makes a contour
_MOST_SHIFT = 0.15  # of the width of the thinner region: how far a straighter border may be from the true one
_LIMITS = ((1.6, 0.2), (2.4, 0.2), (4.0, 0.2))  # times the tolerance, and shift
MAX_CORNERS = 12


@dataclass(frozen=True, slots=True)
class Outlines:
    """points, corners: polygons of the regions, one for each. borders: the lines that they share. turns: the corners of
    each region before these are rounded. origins: (count,) the region that each was before some were cut. traced: the
    borders along the edges of pixels of all regions before. loops: the outlines of each region, of `borders`."""

    points: Floats
    corners: Counts
    borders: list[Border]
    turns: Counts
    origins: Labels
    traced: list[Border]
    loops: list[list[_Loop]]

    def exact(self) -> tuple[Floats, Counts]:
        """Points and numbers of corners of the polygons along the edges of pixels, which cover everything."""
        uncut = len(self.borders) == len(self.traced)  # simplified and round, the same borders meet at the same places
        loops = self.loops if uncut else _loops(self.traced, int(self.origins.max()) + 1)
        return _without_straight(*_polygons(self.traced, loops))


@dataclass(frozen=True, slots=True)
class _Regions:
    """The regions on both sides of each border. left, right: (n,). inner: (n,) False at the edge of the picture, whose
    corners stay. thinner: (n,) the width of the thinner of both regions, in pixels; 0 at the edge."""

    left: Labels
    right: Labels
    inner: NDArray[np.bool_]
    thinner: Floats

    @classmethod
    def of(cls, borders: list[Border], widths: Floats) -> _Regions:
        left, right = np.array([(border.left, border.right) for border in borders]).T
        inner = (left != OUTSIDE) & (right != OUTSIDE)
        return cls(left, right, inner, np.where(inner, np.minimum(widths[left], widths[right]), 0.0))

    def corner_counts(self, lines: list[Floats], count: int) -> Counts:
        """(count,): how many corners each region has."""
        sides = np.array([len(line) - 1 for line in lines])
        corners = np.zeros(count, np.int64)
        for regions in (self.left, self.right):
            np.add.at(corners, regions[regions != OUTSIDE], sides[regions != OUTSIDE])
        return corners


@dataclass(frozen=True, slots=True)
class StraightBorders:
    """traced: the borders of `count` regions along the edges of pixels. straight: the same with few corners."""

    traced: list[Border]
    straight: list[Border]
    count: int
    max_corners: int | None

    def outlines(self, progress: Progress, *, thinnest: float | None = 0.0) -> Outlines:
        """thinnest: how wide the parts of regions that are cut are at least; None: none is cut."""
        straight, origins = self.straight, list(range(self.count))
        if self.max_corners is not None and thinnest is not None:
            straight, origins = cut_angular(straight, self.count, self.max_corners, thinnest, progress)
        borders = _with_round_corners(straight)
        turns = corner_counts(straight, len(origins))
        loops = _loops(borders, len(origins))
        return Outlines(*_polygons(borders, loops), borders, turns, np.array(origins), self.traced, loops)


def trace_outlines(
    labels: Labels,
    progress: Progress,
    *,
    max_corners: int | None = MAX_CORNERS,
    thinnest: float | None = 0.0,
    colours: Floats | None = None,
) -> Outlines:
    """labels: (rows, columns), connected regions numbered from 0. Coordinates are in its pixels.

    max_corners: regions with more are simplified further, and then cut; None: none is. thinnest: see StraightBorders.
    colours: see `trace_straight`.
    """
    borders = trace_straight(labels, progress.sub(0.0, 0.9), max_corners=max_corners, colours=colours)
    return borders.outlines(progress.sub(0.9, 1.0), thinnest=thinnest)


def trace_straight(
    labels: Labels, progress: Progress, *, max_corners: int | None = MAX_CORNERS, colours: Floats | None = None
) -> StraightBorders:
    """labels: (rows, columns), connected regions numbered from 0. colours: (count, 3) of the regions in OKLab x 100;
    borders of similar ones, which no contour prescribes, are then straighter. max_corners: regions with more are
    simplified further."""
    traced = trace_borders(labels, progress.sub(0.0, 0.7))
    widths = region_widths(labels)
    count, regions = len(widths), _Regions.of(traced, widths)
    lines = _simplified([border.points for border in traced], regions, colours)
    progress(0.9)
    if max_corners is not None:
        _limit_corners(lines, regions, count, max_corners)
    straight = [Border(line, border.left, border.right) for border, line in zip(traced, lines, strict=True)]
    progress(1.0)
    return StraightBorders(traced, straight, count, max_corners)


def _simplified(lines: list[Floats], regions: _Regions, colours: Floats | None) -> list[Floats]:
    most_shift = _MOST_SHIFT * regions.thinner
    tolerances = np.minimum(_TOLERANCE_PX, most_shift)
    if colours is not None:
        contrast = np.linalg.norm(colours[regions.left] - colours[regions.right], axis=1)
        similar = np.maximum(0.0, 1 - contrast / _CONTOUR)
        tolerances = np.maximum(tolerances, np.minimum(_TOLERANCE_PX * (1 + _STRAIGHTER * similar), most_shift))
    inner = np.flatnonzero(regions.inner).tolist()
    smooth = list(lines)
    for number, line in zip(inner, smoothed([lines[number] for number in inner]), strict=True):
        smooth[number] = line
    return simplified(smooth, tolerances)


def _with_round_corners(borders: list[Border]) -> list[Border]:
    inner = [OUTSIDE not in (border.left, border.right) for border in borders]
    lines = iter(rounded([border.points for border, is_inner in zip(borders, inner, strict=True) if is_inner]))
    return [
        Border(next(lines), border.left, border.right) if is_inner else border
        for border, is_inner in zip(borders, inner, strict=True)
    ]


def _polygons(borders: list[Border], regions: list[list[_Loop]]) -> tuple[Floats, Counts]:
    """Points and numbers of corners of one polygon (even-odd) for each region: holes are connected by a line that is
    passed twice."""
    ends = np.cumsum([len(border.points) for border in borders]).tolist()
    starts = [end - len(border.points) for end, border in zip(ends, borders, strict=True)]
    parts = list[tuple[int, int, int]]()  # of all points: the first, how many, and the step from one to the next
    corners = []

    def add(loop: _Loop) -> None:
        for number, backwards in loop:
            length = ends[number] - starts[number] - 1
            parts.append((ends[number] - 1, length, -1) if backwards else (starts[number], length, 1))

    def add_first(loop: _Loop) -> None:
        number, backwards = loop[0]
        parts.append((ends[number] - 1 if backwards else starts[number], 1, 1))

    for loops in regions:
        before = len(parts)
        outer = max(loops, key=lambda loop: sum(ends[number] - starts[number] - 1 for number, _ in loop))
        add(outer)
        for loop in loops:
            if loop is not outer:
                add_first(outer)
                add(loop)
                add_first(loop)
        if len(loops) > 1:
            add_first(outer)
        corners.append(sum(length for _, length, _ in parts[before:]))
    first, lengths, steps = np.array(parts).T
    along = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    points = np.concatenate([border.points for border in borders])
    return points[np.repeat(first, lengths) + np.repeat(steps, lengths) * along], np.array(corners)


def _without_straight(points: Floats, corners: Counts) -> tuple[Floats, Counts]:
    """The polygons without points at which their outline goes straight on."""
    ends = np.cumsum(corners)
    before, after = np.arange(-1, len(points) - 1), np.arange(1, len(points) + 1)
    before[ends - corners], after[ends - 1] = ends - 1, ends - corners
    (x0, y0), (x1, y1) = (points - points[before]).T, (points[after] - points).T
    turns = (x0 * y1 != y0 * x1) | (x0 * x1 + y0 * y1 <= 0)
    return points[turns], np.add.reduceat(turns, ends - corners, dtype=np.int64)


def _limit_corners(lines: list[Floats], regions: _Regions, count: int, max_corners: int) -> None:
    """Simplify the borders of regions with too many corners further, until nothing but junctions is left."""
    for tolerance, shift in _LIMITS:
        too_many = regions.corner_counts(lines, count) > max_corners
        angular = np.flatnonzero(regions.inner & (too_many[regions.left] | too_many[regions.right]))
        limits = np.minimum(_TOLERANCE_PX * tolerance, shift * regions.thinner[angular])
        numbers = angular.tolist()
        for number, line in zip(numbers, simplified([lines[number] for number in numbers], limits), strict=True):
            lines[number] = line


_Point = tuple[float, float]
# Borders of a closed outline, one after the other: the number of each, and whether it is passed backwards
_Loop = list[tuple[int, bool]]


def _loops(borders: list[Border], count: int) -> list[list[_Loop]]:
    """For each region its closed outlines, the outer one and those of holes."""
    lasts = np.cumsum([len(border.points) for border in borders]) - 1
    firsts = np.insert(lasts[:-1] + 1, 0, 0)
    ends = np.concatenate([border.points for border in borders])[np.stack([firsts, lasts], 1)].tolist()
    leaving: list[dict[_Point, list[tuple[int, bool, _Point]]]] = [{} for _ in range(count)]  # by the place they leave
    for number, (border, ((x, y), (end_x, end_y))) in enumerate(zip(borders, ends, strict=True)):
        if border.left != OUTSIDE:
            leaving[border.left].setdefault((x, y), []).append((number, False, (end_x, end_y)))
        if border.right != OUTSIDE:
            leaving[border.right].setdefault((end_x, end_y), []).append((number, True, (x, y)))
    return [_chain(places) for places in leaving]


def _chain(leaving: dict[_Point, list[tuple[int, bool, _Point]]]) -> list[_Loop]:
    loops = []
    while leaving:
        place, loop = next(iter(leaving)), list[tuple[int, bool]]()
        while place in leaving:
            number, backwards, end = leaving[place].pop()
            if not leaving[place]:
                del leaving[place]
            loop.append((number, backwards))
            place = end
        loops.append(loop)
    return loops
