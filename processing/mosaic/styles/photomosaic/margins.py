"""Margins: lines between the tiles of a photomosaic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .arrangement import Arrangement, Course
from .hexagons import left_over, slanted_lines


@dataclass(frozen=True, slots=True)
class Margins:
    """Lines of `width` pixels over the borders between cells, in `colour`, #rrggbb; size: of the picture.

    A line over a border at x covers the columns x - width // 2 to x + width - width // 2 - 1.
    """

    width: int
    colour: str
    size: tuple[int, int]

    def draw(self, strip: Image.Image, course: Course, lefts: list[int], widths: list[int]) -> None:
        """The parts of the lines that lie in cells.

        strip: those at `lefts` of the course, with these `widths`, in boxes side by side.
        """
        (wide, high), after = course.size, self.width // 2
        before = self.width - after
        if any(course.tips):
            mask = np.tile(slanted_lines(course.size, self.width, course.tips, course.reach), len(lefts))
            strip.paste(self.colour, (0, 0), Image.fromarray(mask))
        if course.top > 0 and not course.tips[0]:
            strip.paste(self.colour, (0, 0, strip.width, before))
        if course.top + course.reach < self.size[1] and not course.tips[1]:
            strip.paste(self.colour, (0, course.reach - after, strip.width, course.reach))
        for number, (left, seen) in enumerate(zip(lefts, widths, strict=True)):
            start, end = number * wide, number * wide + seen
            if left > 0:
                strip.paste(self.colour, (start, 0, start + before, high))
            if left + seen < self.size[0]:
                strip.paste(self.colour, (end - after, 0, end, high))

    def left_over(self, arrangement: Arrangement) -> float:
        """The share of the picture that the lines leave: of rectangles exactly, of hexagons as in the middle of it."""
        courses = [course for row in range(arrangement.rows) for course in arrangement.courses(row)]
        if any(any(course.tips) for course in courses):
            return left_over(arrangement.cell, self.width)
        area = sum(
            self._inner(each.lefts, each.widths, 0).sum() * self._inner(each.top, each.reach, 1) for each in courses
        )
        return float(area) / (self.size[0] * self.size[1])

    def _inner(self, starts: NDArray[np.int64] | int, lengths: NDArray[np.int64] | int, axis: int) -> NDArray[np.int64]:
        """The lengths of cells that the lines leave. starts, lengths: of the cells."""
        length, ends, after = self.size[axis], starts + lengths, self.width // 2
        first = starts + np.where(np.greater(starts, 0), self.width - after, 0)
        last = np.where(ends < length, ends - after, length)
        inner: NDArray[np.int64] = np.maximum(last - first, 0)
        return inner
