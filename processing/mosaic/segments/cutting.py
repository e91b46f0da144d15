"""Regions with many corners are cut along a straight line between two of them, as a glazier does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from ..progress import Progress
from .borders import OUTSIDE, Border
from .region_shape import Corner, Loop, Point, RegionShape, are_wider, is_in_triangle

_MEASURED = 12  # cuts of a region of which the parts are measured, those first that look best


class _Line:
    """A border whose regions and points change. Most are never cut: their array is kept as it is."""

    __slots__ = ("_array", "_points", "left", "right")

    def __init__(self, points: Floats | list[Point], left: int, right: int) -> None:
        self._array: Floats | None = None if isinstance(points, list) else points
        self._points: list[Point] = points if isinstance(points, list) else []
        self.left, self.right = left, right

    @property
    def points(self) -> list[Point]:
        """They may be changed."""
        if self._array is not None:
            self._points, self._array = [(x, y) for x, y in self._array.tolist()], None
        return self._points

    @property
    def sides(self) -> int:
        return len(self._points if self._array is None else self._array) - 1

    def border(self) -> Border:
        return Border(np.array(self._points) if self._array is None else self._array, self.left, self.right)


def corner_counts(borders: Iterable[Border], count: int) -> NDArray[np.int64]:
    """(count,): how many corners each region has."""
    corners = np.zeros(count, np.int64)
    for border in borders:
        for region in (border.left, border.right):
            if region != OUTSIDE:
                corners[region] += len(border.points) - 1
    return corners


def cut_angular(
    borders: list[Border], count: int, most: int, thinnest: float, progress: Progress
) -> tuple[list[Border], list[int]]:
    """Borders of regions with at most `most` corners, and the region that each of these is a part of.

    Where a part of every cut would be thinner than `thinnest`, or none is possible, corners are left out.
    """
    cutter = _Cutter(borders, count)
    waiting = np.flatnonzero(corner_counts(borders, count) > most)[::-1].tolist()
    angular = len(waiting)
    while waiting:
        progress(1 - len(waiting) / (angular + 1))
        waiting += [part for part in cutter.divide(waiting.pop(), most, thinnest) if cutter.corners(part) > most]
    return [line.border() for line in cutter.lines], cutter.origins


class _Cutter:
    """Regions and their borders while they are cut. origins: what each is a part of."""

    def __init__(self, borders: list[Border], count: int) -> None:
        self.origins = list(range(count))
        self.lines: list[_Line] = []
        self._around: list[set[int]] = [set() for _ in range(count)]
        for border in borders:
            self._add(border.points, border.left, border.right)

    def corners(self, region: int) -> int:
        lines = (self.lines[number] for number in self._around[region])
        return sum(line.sides * ((line.left == region) + (line.right == region)) for line in lines)

    def divide(self, region: int, most: int, thinnest: float) -> list[int]:
        """Cut a region in two, or leave out one of its corners. Returns the regions to be looked at again."""
        loops = self._loops(region)
        shape = RegionShape(loops)
        if len(loops) > 1:
            return self._join(region, shape) or self._drop_corner(region, shape, 0.0)
        for cut in _cuts(shape, most):
            if are_wider([RegionShape([part]) for part in _parts(loops[0], *cut)], thinnest):
                return self._cut(region, shape, *cut)
        return self._drop_corner(region, shape, thinnest) or self._drop_corner(region, shape, 0.0)

    def _add(self, points: Floats | list[Point], left: int, right: int) -> int:
        self.lines.append(_Line(points, left, right))
        for region in (left, right):
            if region != OUTSIDE:
                self._around[region].add(len(self.lines) - 1)
        return len(self.lines) - 1

    def _loops(self, region: int) -> list[Loop]:
        """The outlines of a region. Where it touches itself in a point, its parts stay apart."""
        ways: list[Loop] = []
        for number in sorted(self._around[region]):
            line = self.lines[number]
            last = len(line.points) - 1
            if line.left == region:
                ways.append([Corner(line.points[k], number, k, True) for k in range(last)])
            if line.right == region:
                ways.append([Corner(line.points[k], number, k - 1, False) for k in range(last, 0, -1)])
        starts: dict[Point, list[int]] = defaultdict(list)
        for index, way in enumerate(ways):
            starts[way[0].place].append(index)
        loops, used = [], set[int]()
        for index in range(len(ways)):
            loop: Loop = []
            while index not in used:
                used.add(index)
                loop += ways[index]
                index = self._way_after(ways, ways[index], starts)
            if loop:
                loops.append(loop)
        return loops

    def _way_after(self, ways: list[Loop], way: Loop, starts: dict[Point, list[int]]) -> int:
        corner = way[-1]
        points = self.lines[corner.line].points
        place = points[corner.number + 1 if corner.forward else corner.number]

        def clockwise(index: int) -> float:
            following = ways[index][1].place if len(ways[index]) > 1 else self._end(ways[index][0])
            turned = _angle(place, corner.place) - _angle(place, following)
            return turned % (2 * np.pi) or 2 * np.pi

        return min(starts[place], key=clockwise)

    def _end(self, corner: Corner) -> Point:
        """Of the side that begins at a corner."""
        return self.lines[corner.line].points[corner.number + 1 if corner.forward else corner.number]

    def _join(self, region: int, shape: RegionShape) -> list[int]:
        """A hole is joined to the outline around it by the shortest line inside."""
        one, other = np.nonzero(shape.loop[:, None] < shape.loop)
        seen = shape.visible(one, other)
        if not seen.any():
            return []
        shortest = np.flatnonzero(seen)[np.argmin(shape.lengths(one[seen], other[seen]))]
        first, second = shape.corners[one[shortest]], shape.corners[other[shortest]]
        self._split_at(first, second)
        self._add([first.place, second.place], region, region)
        return [region]

    def _cut(self, region: int, shape: RegionShape, first: int, last: int) -> list[int]:
        ends = [(shape.corners[index], shape.corners[shape.following[index]].place) for index in (first, last)]
        self._split_at(ends[0][0], ends[1][0])
        loop = self._loops(region)[0]
        sides = [(corner.place, self._end(corner)) for corner in loop]
        start, stop = (sides.index((corner.place, following)) for corner, following in ends)
        part = len(self.origins)
        self.origins.append(self.origins[region])
        self._around.append(set())
        for corner in (loop[start:] + loop[:stop]) if stop < start else loop[start:stop]:
            line = self.lines[corner.line]
            if corner.forward:
                line.left = part
            else:
                line.right = part
            self._around[part].add(corner.line)
            if region not in (line.left, line.right):
                self._around[region].discard(corner.line)
        self._add([ends[1][0].place, ends[0][0].place], part, region)
        return [region, part]

    def _split_at(self, *corners: Corner) -> None:
        """Lines that have one of the corners inside become two; the second one goes on behind all others."""
        for corner in sorted(corners, key=lambda corner: corner.index, reverse=True):
            line = self.lines[corner.line]
            if 0 < corner.index < len(line.points) - 1:
                self._add(line.points[corner.index :], line.left, line.right)
                del line.points[corner.index + 1 :]

    def _drop_corner(self, region: int, shape: RegionShape, thinnest: float) -> list[int]:
        """Leave out the corner that matters least, unless a region would become thinner than `thinnest` by it."""
        options = []
        for corner in shape.corners:
            line = self.lines[corner.line]
            closed, last = line.points[0] == line.points[-1], len(line.points) - 1
            if 0 < corner.index < last and OUTSIDE not in (line.left, line.right) and last > 3 * closed:
                triangle = np.array(line.points[corner.index - 1 : corner.index + 2])
                (x0, y0), (x1, y1) = triangle[1:] - triangle[:-1]
                options.append((abs(x0 * y1 - y0 * x1), corner, triangle))
        for _, corner, triangle in sorted(options, key=lambda option: option[0]):
            line = self.lines[corner.line]
            sides = {line.left, line.right}
            if not self._is_clear(sides, triangle):
                continue
            wide = [side for side in sides if self._is_wider(side, thinnest)]
            place = line.points.pop(corner.index)
            if not all(self._is_wider(side, thinnest) for side in wide):
                line.points.insert(corner.index, place)
                continue
            return [region]
        return []

    def _is_clear(self, regions: set[int], triangle: np.ndarray) -> bool:
        numbers = set[int]().union(*(self._around[region] for region in regions))
        points = np.array([place for number in numbers for place in self.lines[number].points])
        return not is_in_triangle(triangle, points).any()

    def _is_wider(self, region: int, width: float) -> bool:
        return RegionShape(self._loops(region)).is_wider(width)


def _cuts(shape: RegionShape, most: int) -> list[tuple[int, int]]:
    """Pairs of corners between which the only loop of a region may be cut: those first that leave no part with more
    than `most` corners, and of these the short ones with large parts."""
    count = len(shape.corners)
    first, last = np.triu_indices(count, 2)
    possible = shape.visible(first, last) & (last - first < count - 1)
    first, last = first[possible], last[possible]
    area = shape.areas_between(first, last)
    smaller = np.minimum(area, shape.area() - area)
    angular = np.maximum(last - first + 1, count - (last - first) + 1) > most
    order = np.lexsort((-smaller / np.maximum(shape.lengths(first, last), 1e-9), angular))[:_MEASURED]
    return [(int(first[index]), int(last[index])) for index in order]


def _parts(loop: Loop, first: int, last: int) -> tuple[Loop, Loop]:
    return loop[first : last + 1], loop[last:] + loop[: first + 1]


def _angle(start: Point, end: Point) -> float:
    """On the screen, counterclockwise."""
    return float(np.arctan2(start[1] - end[1], end[0] - start[0]))
