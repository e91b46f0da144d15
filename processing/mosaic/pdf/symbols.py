"""Symbols of colours in a plan: words are text, geometric characters are shapes, which need no font."""

from __future__ import annotations

import math
from types import MappingProxyType

from ..units import MM_PER_INCH
from .document import PdfPage
from .fonts import text_width

Points = list[tuple[float, float]]


def _ring(count: int, radii: tuple[float, ...], start: float) -> Points:
    """Points around the middle, their distances in turn, from an angle in degrees on."""
    angles = [math.radians(start + 360 * index / count) for index in range(count)]
    return [
        (radii[index % len(radii)] * math.cos(angle), radii[index % len(radii)] * math.sin(angle))
        for index, angle in enumerate(angles)
    ]


def _turned(points: Points, degrees: float) -> Points:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [(x * cosine - y * sine, x * sine + y * cosine) for x, y in points]


_PLUS: Points = [
    (-0.15, -0.45), (0.15, -0.45), (0.15, -0.15), (0.45, -0.15), (0.45, 0.15), (0.15, 0.15), (0.15, 0.45),
    (-0.15, 0.45), (-0.15, 0.15), (-0.45, 0.15), (-0.45, -0.15), (-0.15, -0.15),
]  # fmt: skip
_SQUARE = _ring(4, (0.58,), 45)
_CIRCLE = _ring(24, (0.45,), 0)
_DIAMOND = _ring(4, (0.52,), 0)
_STAR = _ring(10, (0.52, 0.21), -90)
_UP, _RIGHT, _DOWN, _LEFT = (_ring(3, (0.52,), start) for start in (-90, 0, 90, 180))
FILLED = MappingProxyType(
    {"●": _CIRCLE, "■": _SQUARE, "◆": _DIAMOND, "★": _STAR, "✚": _PLUS, "✖": _turned(_PLUS, 45)}
    | {"▲": _UP, "▶": _RIGHT, "▼": _DOWN, "◀": _LEFT}
)
OUTLINED = MappingProxyType(
    {"○": _CIRCLE, "□": _SQUARE, "◇": _DIAMOND, "☆": _STAR, "△": _UP, "▷": _RIGHT, "▽": _DOWN, "◁": _LEFT}
)
_LINE = 0.11  # of the size
_TAKEN = 0.86  # of the width of a cell
_NARROWEST = 0.85  # of the width of letters


SMALLEST_SYMBOL = 5.05 * MM_PER_INCH / 72
"""5 points in millimetres: smaller ones are hard to read."""


def symbol_size(symbol: str, pitch: float, largest: float) -> float:
    """The size with which a symbol fits into a cell, narrowed by draw_symbol if need be. largest: of one character, in
    cells."""
    across = _TAKEN * pitch / max(0.1, text_width(symbol))
    return max(min(largest * pitch, across), min(SMALLEST_SYMBOL, across / _NARROWEST))


def smallest_pitch(symbol: str) -> float:
    """Of cells in which the symbol is not smaller than SMALLEST_SYMBOL."""
    return SMALLEST_SYMBOL * text_width(symbol) * _NARROWEST / _TAKEN


def draw_symbol(
    page: PdfPage, symbol: str, middle: tuple[float, float], size: float, colour: str, width: float
) -> None:
    """Draw a symbol centred on `middle`, in a cell of that width."""
    points = FILLED.get(symbol) or OUTLINED.get(symbol)
    if points is None:
        narrowed = min(1.0, _TAKEN * width / max(1e-6, size * text_width(symbol)))
        page.text(symbol, *middle, size, align="centre", colour=colour, narrowed=narrowed)
        return
    place = [(middle[0] + x * size, middle[1] + y * size) for x, y in points]
    page.polygon(place, colour, line=None if symbol in FILLED else _LINE * size)
