"""Digits drawn as single lines, so that raster and SVG show the same."""

from __future__ import annotations

import numpy as np

from ...colour.srgb import Floats
from ...segments.strokes import Stroke

_WIDTH, _ADVANCE = 0.6, 0.86  # of a digit and to the next, in heights
_PEN = 0.1  # heights
# By digit: corners on a grid of 6 x 10, from the top left
_LINES: tuple[tuple[tuple[float, float], ...], ...] = (
    ((3, 0), (1, 1), (0, 3.5), (0, 6.5), (1, 9), (3, 10), (5, 9), (6, 6.5), (6, 3.5), (5, 1), (3, 0)),
    ((1.2, 2.4), (3.6, 0), (3.6, 10)),
    ((0.2, 2.6), (1, 0.8), (3, 0), (5, 0.8), (5.8, 2.6), (5.2, 4.4), (0, 10), (6, 10)),
    (
        (0.3, 1.6), (1.4, 0.4), (3, 0), (4.8, 0.6), (5.5, 2.4), (4.8, 4.1), (2.6, 4.7), (4.9, 5.3), (6, 7.3), (5, 9.3),
        (3, 10), (1.2, 9.5), (0.1, 8.2),
    ),
    ((4.4, 10), (4.4, 0), (0, 7), (6, 7)),
    (
        (5.4, 0), (1, 0), (0.5, 4.6), (1.8, 3.7), (3.3, 3.5), (5.2, 4.5), (6, 6.7), (5.2, 9), (3.2, 10), (1.3, 9.6),
        (0.1, 8.4),
    ),
    (
        (5.2, 0.9), (3.6, 0), (1.8, 0.6), (0.5, 2.8), (0, 6), (0.4, 8.3), (1.7, 9.8), (3.2, 10), (5, 9.2), (6, 7),
        (5.2, 4.8), (3.2, 4), (1.3, 4.7), (0.1, 6.4),
    ),
    ((0, 0), (6, 0), (2.2, 10)),
    (
        (3, 4.7), (1.1, 4), (0.5, 2.3), (1.2, 0.6), (3, 0), (4.8, 0.6), (5.5, 2.3), (4.9, 4), (3, 4.7), (0.9, 5.5),
        (0, 7.4), (0.9, 9.4), (3, 10), (5.1, 9.4), (6, 7.4), (5.1, 5.5), (3, 4.7),
    ),
    (
        (0.8, 9.1), (2.4, 10), (4.2, 9.4), (5.5, 7.2), (6, 4), (5.6, 1.7), (4.3, 0.2), (2.8, 0), (1, 0.8), (0, 3),
        (0.8, 5.2), (2.8, 6), (4.7, 5.3), (5.9, 3.6),
    ),
)  # fmt: skip


def half_diagonal(digits: int) -> float:
    """From the middle of a number with this many digits to its corners, in heights."""
    return float(np.hypot(_number_width(digits), 1.0) / 2)


def number_strokes(number: int, middle: tuple[float, float], height: float) -> list[Stroke]:
    """The lines of a number. middle: x, y in pixels. height: in pixels."""
    text = str(number)
    left, top = middle[0] - _number_width(len(text)) * height / 2, middle[1] - height / 2
    strokes = []
    for place, digit in enumerate(text):
        points: Floats = np.array(_LINES[int(digit)]) / 10 * height
        strokes.append(Stroke(points + np.array((left + place * _ADVANCE * height, top)), _PEN * height))
    return strokes


def _number_width(digits: int) -> float:
    return (digits - 1) * _ADVANCE + _WIDTH
