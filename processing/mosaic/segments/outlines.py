"""Outlines of regions as polygons that meet without gaps: borders of two regions are simplified once for both."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..cells.convex import Counts
from ..colour.srgb import Floats
from ..progress import Progress
from .borders import OUTSIDE, Border, trace_borders
from .cutting import corner_counts, cut_angular
from .polylines import rounded, simplified, smoothed
from .superpixels import Labels, region_widths

_TOLERANCE_PX = 0.9  # of the reduced picture: how far a simplified border may be from the true one
_STRAIGHTER, _CONTOUR = 3.0, 8.0  # times the tolerance more for equal colours; a difference that makes a contour
_MOST_SHIFT = 0.15  # of the width of the thinner region: how far a straighter border may be from the true one
_LIMITS = ((1.6, 0.2), (2.4, 0.2), (4.0, 0.2))  # times the tolerance, and shift
MAX_CORNERS = 12


@dataclass(frozen=True, slots=True)
class Outlines:
    """points, corners: polygons of the regions, one for each. borders: the lines that they share. turns: the corners of
    each region before these are rounded. origins: (count,) the region that each was before some were cut. exact_points,
    exact_corners: the polygons along the edges of pixels of all regions before, which cover everything."""

    points: Floats
    corners: Counts
    borders: list[Border]
    turns: Counts
    origins: Labels
    exact_points: Floats
    exact_corners: Counts


def trace_outlines(
    labels: Labels,
    progress: Progress,
    *,
    max_corners: int | None = MAX_CORNERS,
    thinnest: float | None = 0.0,
    colours: Floats | None = None,
) -> Outlines:
    """labels: (rows, columns), connected regions numbered from 0. Coordinates are in its pixels.

    max_corners: regions with more are simplified further, and then cut; None: none is. thinnest: how wide the parts are
    at least; None: none is cut. colours: (count, 3) of the regions in OKLab x 100; borders of similar ones, which no
    contour prescribes, are then straighter.
    """
    count = int(labels.max()) + 1
    traced = trace_borders(labels, progress.sub(0.0, 0.6))
    widths = region_widths(labels)
    lines = _simplified(traced, widths, colours)
    progress(0.8)
    if max_corners is not None:
        _limit_corners(lines, traced, widths, max_corners)
    straight = _with_points(traced, lines)
    origins = list(range(count))
    if max_corners is not None and thinnest is not None:
        straight, origins = cut_angular(straight, count, max_corners, thinnest)
    progress(0.9)
    borders = [
        replace(border, points=border.points if _is_edge(border) else rounded(border.points)) for border in straight
    ]
    turns = corner_counts(straight, len(origins))
    exact_points, exact_corners = _polygons(traced, count)
    return Outlines(*_polygons(borders, len(origins)), borders, turns, np.array(origins), exact_points, exact_corners)


def _with_points(borders: list[Border], lines: list[Floats]) -> list[Border]:
    return [replace(border, points=line) for border, line in zip(borders, lines, strict=True)]


def _is_edge(border: Border) -> bool:
    """Whether it is the edge of the picture, whose corners stay."""
    return OUTSIDE in (border.left, border.right)


def _simplified(traced: list[Border], widths: Floats, colours: Floats | None) -> list[Floats]:
    tolerances = []
    for border in traced:
        tolerance = 0.0
        if not _is_edge(border):
            most_shift = _MOST_SHIFT * min(widths[border.left], widths[border.right])
            tolerance = min(_TOLERANCE_PX, most_shift)
            if colours is not None:
                similar = max(0.0, 1 - float(np.linalg.norm(colours[border.left] - colours[border.right])) / _CONTOUR)
                tolerance = max(tolerance, min(_TOLERANCE_PX * (1 + _STRAIGHTER * similar), most_shift))
        tolerances.append(tolerance)
    smooth = iter(smoothed([border.points for border in traced if not _is_edge(border)]))
    return simplified([border.points if _is_edge(border) else next(smooth) for border in traced], tolerances)


def _polygons(borders: list[Border], count: int) -> tuple[Floats, Counts]:
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

    for loops in _loops(borders, count):
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


def _limit_corners(lines: list[Floats], traced: list[Border], widths: Floats, max_corners: int) -> None:
    """Simplify the borders of regions with too many corners further, until nothing but junctions is left."""
    for tolerance, shift in _LIMITS:
        corners = corner_counts(_with_points(traced, lines), len(widths))
        angular = [
            number
            for number, border in enumerate(traced)
            if not _is_edge(border) and max(corners[border.left], corners[border.right]) > max_corners
        ]
        most = [shift * min(widths[traced[number].left], widths[traced[number].right]) for number in angular]
        limits = [min(_TOLERANCE_PX * tolerance, limit) for limit in most]
        for number, line in zip(angular, simplified([lines[number] for number in angular], limits), strict=True):
            lines[number] = line


_Place = tuple[float, float]
_Loop = list[tuple[int, bool]]
"""Borders of a closed outline, one after the other: the number of each, and whether it is passed backwards."""


def _loops(borders: list[Border], count: int) -> list[list[_Loop]]:
    """For each region its closed outlines, the outer one and those of holes."""
    ends = np.stack([border.points[[0, -1]] for border in borders]).tolist()
    leaving: list[dict[_Place, list[tuple[int, bool, _Place]]]] = [{} for _ in range(count)]  # by the place they leave
    for number, (border, ((x, y), (end_x, end_y))) in enumerate(zip(borders, ends, strict=True)):
        if border.left != OUTSIDE:
            leaving[border.left].setdefault((x, y), []).append((number, False, (end_x, end_y)))
        if border.right != OUTSIDE:
            leaving[border.right].setdefault((end_x, end_y), []).append((number, True, (x, y)))
    return [_chain(places) for places in leaving]


def _chain(leaving: dict[_Place, list[tuple[int, bool, _Place]]]) -> list[_Loop]:
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
