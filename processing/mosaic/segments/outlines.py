"""Outlines of regions as polygons that meet without gaps: borders of two regions are simplified once for both."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from ..cells.convex import Counts
from ..colour.srgb import Floats
from ..progress import Progress
from .superpixels import Labels, region_widths

OUTSIDE = -1

_TOLERANCE_PX = 0.9  # of the reduced picture: how far a simplified border may be from the true one
_STRAIGHTER, _CONTOUR = 3.0, 8.0  # times the tolerance more for equal colours; a difference that makes a contour
_MOST_SHIFT = 0.15  # of the width of the thinner region: how far a straighter border may be from the true one
_LIMITS = ((1.6, 0.2), (2.4, 0.2), (4.0, 0.2))  # times the tolerance, and shift
MAX_CORNERS = 12
_SMOOTHING_ROUNDS = 8
_REPORT_EVERY = 256  # borders


@dataclass(frozen=True, slots=True)
class Border:
    """A line between two regions, or a region and OUTSIDE. points: (n, 2) x, y."""

    points: Floats
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Outlines:
    """points, corners: polygons of the regions, one for each. borders: the lines that they share. turns: the corners of
    each region before these are rounded. exact_points,
    exact_corners: the polygons along the edges of pixels, which cover everything."""

    points: Floats
    corners: Counts
    borders: list[Border]
    turns: Counts
    exact_points: Floats
    exact_corners: Counts


def trace_outlines(
    labels: Labels, progress: Progress, *, max_corners: int | None = MAX_CORNERS, colours: Floats | None = None
) -> Outlines:
    """labels: (rows, columns), connected regions numbered from 0. Coordinates are in its pixels.

    max_corners: regions with more are simplified further before their corners are cut off; None: none is.
    colours: (count, 3) of the regions in OKLab x 100; borders of similar ones, which no contour prescribes, are then
    straighter.
    """
    count = int(labels.max()) + 1
    traced = _trace_borders(labels, progress.sub(0.0, 0.5))
    widths = region_widths(labels)
    simplified = []
    for points, left, right in traced:
        is_edge = OUTSIDE in (left, right)  # of the picture, whose corners stay
        tolerance = _TOLERANCE_PX
        if colours is not None and not is_edge:
            similar = max(0.0, 1 - float(np.linalg.norm(colours[left] - colours[right])) / _CONTOUR)
            tolerance *= 1 + max(
                0.0, min(_STRAIGHTER * similar, _MOST_SHIFT * min(widths[left], widths[right]) / _TOLERANCE_PX - 1)
            )
        simplified.append(_simplify(points, 0.0) if is_edge else _simplify(_smooth(points), tolerance))
        if len(simplified) % _REPORT_EVERY == 0:
            progress(0.5 + 0.3 * len(simplified) / len(traced))
    if max_corners is not None:
        _limit_corners(simplified, traced, widths, max_corners)
    borders = [
        Border(points if OUTSIDE in (left, right) else _rounded(points), left, right)
        for points, (_, left, right) in zip(simplified, traced, strict=True)
    ]
    points, corners = _polygons(borders, count)
    exact_points, exact_corners = _polygons([Border(*border) for border in traced], count)
    turns = _corners(simplified, traced, count)
    return Outlines(points, corners, borders, turns, exact_points, exact_corners)


def _polygons(borders: list[Border], count: int) -> tuple[Floats, Counts]:
    """Points and numbers of corners of one polygon for each region."""
    polygons = [_join(loops) for loops in _loops(borders, count)]
    return np.concatenate(polygons), np.array([len(polygon) for polygon in polygons])


def _trace_borders(labels: Labels, progress: Progress) -> list[tuple[Floats, int, int]]:
    """The borders along the edges of pixels: points from a junction to the next, the region on the left, on the right.

    A closed border without a junction begins and ends at one of its points.
    """
    padded = np.pad(labels, 1, constant_values=OUTSIDE)
    edges: dict[tuple[int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
    for first, second, dx, dy in ((padded[:-1], padded[1:], 1, 0), (padded[:, :-1], padded[:, 1:], 0, 1)):
        rows, columns = np.nonzero(first != second)
        low, high = first[rows, columns].tolist(), second[rows, columns].tolist()
        x, y = (columns - 1, rows) if dx else (columns, rows - 1)
        # going right, the upper region is on the left; going down, the right region is on the left
        for px, py, a, b in zip(x.tolist(), y.tolist(), low, high, strict=True):
            left, right = (a, b) if dx else (b, a)
            edges[px, py].append((px + dx, py + dy, left, right))
            edges[px + dx, py + dy].append((px, py, right, left))
        progress(0.2)
    return _follow(edges, progress)


def _follow(
    edges: dict[tuple[int, int], list[tuple[int, int, int, int]]], progress: Progress
) -> list[tuple[Floats, int, int]]:
    traced: list[tuple[Floats, int, int]] = []
    used: set[tuple[int, int, int, int]] = set()
    junctions = [point for point, around in edges.items() if len(around) != 2]
    for start in [*junctions, *edges]:  # then the closed borders that no junction interrupts
        for step in edges[start]:
            if (*start, *step[:2]) in used:
                continue
            points, point, following = [start], start, step
            while True:
                target = following[:2]
                used.add((*point, *target))
                used.add((*target, *point))
                points.append(target)
                around = edges[target]
                if len(around) != 2 or target == start:
                    break
                point, following = target, around[0] if around[0][:2] != point else around[1]
            traced.append((np.array(points, np.float64), step[2], step[3]))
            if len(traced) % _REPORT_EVERY == 0:
                progress(min(1.0, 0.2 + len(used) / (2 * len(edges) + 1)))
    return traced


def _smooth(points: Floats) -> Floats:
    """The staircase of pixels evened out; the ends stay."""
    if len(points) < 4:
        return points
    smooth = points.copy()
    for _ in range(_SMOOTHING_ROUNDS):
        smooth[1:-1] = (smooth[:-2] + 2 * smooth[1:-1] + smooth[2:]) / 4
    return smooth


def _rounded(points: Floats) -> Floats:
    """The corners cut off (Chaikin, 1974); the ends stay."""
    if len(points) < 3:
        return points
    start, end = points[:-1], points[1:]
    cut = np.stack([start * 0.75 + end * 0.25, start * 0.25 + end * 0.75], 1).reshape(-1, 2)
    return np.concatenate([points[:1], cut[1:-1], points[-1:]])


def _simplify(points: Floats, tolerance: float) -> Floats:
    """Fewer points; the others were at most `tolerance` away from the line (Ramer, 1972; Douglas and Peucker, 1973)."""
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    closed = bool((points[0] == points[-1]).all())
    stack = [(0, len(points) - 1)]
    if closed and len(points) > 3:
        middle = int(np.argmax(((points - points[0]) ** 2).sum(axis=1)))
        keep[middle] = True
        stack = [(0, middle), (middle, len(points) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        along = points[last] - points[first]
        offset = points[first + 1 : last] - points[first]
        length = float(np.hypot(*along))
        distance = np.abs(offset[:, 0] * along[1] - offset[:, 1] * along[0]) / max(length, 1e-9)
        farthest = int(np.argmax(distance))
        if distance[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            stack += [(first, middle), (middle, last)]
    return points[keep]


def _corners(simplified: list[Floats], traced: list[tuple[Floats, int, int]], count: int) -> Counts:
    """(count,): of each region, before they are rounded."""
    corners = np.zeros(count, np.int64)
    for points, (_, left, right) in zip(simplified, traced, strict=True):
        for region in (left, right):
            if region != OUTSIDE:
                corners[region] += len(points) - 1
    return corners


def _limit_corners(
    simplified: list[Floats], traced: list[tuple[Floats, int, int]], widths: Floats, max_corners: int
) -> None:
    """Simplify the borders of regions with too many corners further, until nothing but junctions is left."""
    for tolerance, shift in _LIMITS:
        corners = _corners(simplified, traced, len(widths))
        for number, (_, left, right) in enumerate(traced):
            if OUTSIDE in (left, right):
                continue
            if max(corners[left] if left >= 0 else 0, corners[right] if right >= 0 else 0) > max_corners:
                most = shift * min(widths[left], widths[right])
                simplified[number] = _simplify(simplified[number], min(_TOLERANCE_PX * tolerance, most))


def _loops(borders: list[Border], count: int) -> list[list[list[tuple[float, float]]]]:
    """For each region its closed outlines, the outer one and those of holes."""
    widths: list[dict[tuple[float, float], list[list[tuple[float, float]]]]] = [defaultdict(list) for _ in range(count)]
    for border in borders:
        line = [(x, y) for x, y in border.points.tolist()]
        if border.left != OUTSIDE:
            widths[border.left][line[0]].append(line)
        if border.right != OUTSIDE:
            widths[border.right][line[-1]].append(line[::-1])
    return [_chain(starts) for starts in widths]


def _chain(starts: dict[tuple[float, float], list[list[tuple[float, float]]]]) -> list[list[tuple[float, float]]]:
    loops = []
    while starts:
        first = next(iter(starts))
        loop, place = [], first
        while place in starts:
            line = starts[place].pop()
            if not starts[place]:
                del starts[place]
            loop += line[:-1]
            place = line[-1]
        loops.append(loop)
    return loops


def _join(loops: list[list[tuple[float, float]]]) -> Floats:
    """One polygon (even-odd) of all loops of a region: holes are connected by a line that is passed twice."""
    outer = max(loops, key=len)
    points = list(outer)
    for loop in loops:
        if loop is not outer:
            points += [outer[0], *loop, loop[0]]
    if len(loops) > 1:
        points.append(outer[0])
    return np.array(points, np.float64)
