"""One section of a plan: cells in their colours with their symbols, pieces, and the numbers of rows and columns."""

from __future__ import annotations

import numpy as np

from ..colour.palette import hex_to_rgb
from ..plan import EMPTY, Plan, PlanColour
from .document import PdfPage
from .symbols import draw_symbol, smallest_pitch, symbol_size

_MAX_PITCH = 11.0
_GRID_HEIGHT = 190.0
_NUMBERS = 6.0  # beside the cells
_SYMBOL = 0.46  # of the pitch: the size of the largest symbols
_EVERY = 10  # cells between two heavy lines
_THIN, _HEAVY, _PIECE, _HALO = 0.1, 0.35, 0.45, 0.8  # widths of lines; a halo shows them on dark cells
_DARK = 140  # lightness, 0 to 255, up to which letters are white


def largest_section(plan: Plan, width: float) -> int:
    """How many cells along a side of a section fit into that width as large as they should be: codes can be read, and
    pieces that are laid on the paper lie on their cells."""
    pitch = max(plan.printed_mm or 0.0, *(smallest_pitch(colour.symbol) for colour in plan.colours), 0.1)
    return max(1, int(min(width - _NUMBERS, _GRID_HEIGHT) / pitch))


def draw_section(
    page: PdfPage, plan: Plan, box: tuple[int, int, int, int], corner: tuple[float, float], width: float
) -> float:
    """Draw a part of the cells; returns where it ends. box: top, left, rows, columns. corner: x, y."""
    top, left, rows, columns = box
    widest = (width - _NUMBERS) / plan.section
    pitch = min(plan.printed_mm or _MAX_PITCH, widest, _GRID_HEIGHT / plan.section)
    x0, y0 = corner[0] + _NUMBERS, corner[1] + _NUMBERS
    with page.clipped(x0, y0, columns * pitch, rows * pitch):
        _draw_cells(page, plan, box, (x0, y0), pitch)
        _draw_lines(page, plan, box, (x0, y0), pitch)
    page.outline([(x0, y0, columns * pitch, rows * pitch)], _PIECE, "#000000")
    size = min(2.4, 0.6 * pitch)
    across = plan.cells.shape[1]
    for x in range(columns):
        number = across - left - x if plan.mirrored else left + x + 1
        page.text(str(number), x0 + (x + 0.5) * pitch, y0 - 2, size, align="centre", fit=pitch * 0.9)
    for y in range(rows):
        page.text(str(top + y + 1), x0 - 1.2, y0 + (y + 0.5) * pitch, size, align="right")
    return y0 + rows * pitch


def draw_swatch(page: PdfPage, colour: PlanColour, left: float, top: float, width: float, height: float) -> None:
    """A field of the colour with its symbol."""
    page.fill([(left, top, width, height)], colour.rgb)
    page.outline([(left, top, width, height)], 0.1, "#777777")
    centre = (left + width / 2, top + height / 2)
    size = min(0.62 * height, symbol_size(colour.symbol, width, 1.0))
    draw_symbol(page, colour.symbol, centre, size, _letters(colour.rgb), width)


def _draw_cells(
    page: PdfPage, plan: Plan, box: tuple[int, int, int, int], corner: tuple[float, float], pitch: float
) -> None:
    top, left, rows, columns = box
    part = plan.cells[top : top + rows, left : left + columns]
    for index in np.unique(part[part != EMPTY]).tolist():
        colour = plan.colours[index]
        places = [(corner[0] + x * pitch, corner[1] + y * pitch) for y, x in np.argwhere(part == index).tolist()]
        page.fill([(x, y, pitch, pitch) for x, y in places], colour.rgb)
        size = symbol_size(colour.symbol, pitch, _SYMBOL)
        for x, y in places:
            draw_symbol(page, colour.symbol, (x + pitch / 2, y + pitch / 2), size, _letters(colour.rgb), pitch)


def _draw_lines(
    page: PdfPage, plan: Plan, box: tuple[int, int, int, int], corner: tuple[float, float], pitch: float
) -> None:
    """Thin lines between cells, and the outlines of pieces; without pieces, heavy lines to count by."""
    top, left, rows, columns = box
    right, bottom = corner[0] + columns * pitch, corner[1] + rows * pitch
    upright = [(corner[0] + x * pitch, corner[1], corner[0] + x * pitch, bottom) for x in range(columns + 1)]
    level = [(corner[0], corner[1] + y * pitch, right, corner[1] + y * pitch) for y in range(rows + 1)]
    page.lines([*upright, *level], _THIN, "#808080")
    if plan.boxes is None:
        heavy = [line for x, line in enumerate(upright) if (left + x) % _EVERY == 0]
        heavy += [line for y, line in enumerate(level) if (top + y) % _EVERY == 0]
        if heavy:
            page.lines(heavy, _HALO, "#ffffff")
            page.lines(heavy, _HEAVY, "#000000")
        return
    tops, lefts, highs, wides = plan.boxes.T
    near = (tops < top + rows) & (tops + highs > top) & (lefts < left + columns) & (lefts + wides > left)
    larger = plan.boxes[near & (highs * wides > 1)]
    if len(larger):
        outlines = [
            (corner[0] + (x - left) * pitch, corner[1] + (y - top) * pitch, wide * pitch, high * pitch)
            for y, x, high, wide in larger.tolist()
        ]
        page.outline(outlines, _HALO, "#ffffff")
        page.outline(outlines, _PIECE, "#000000")


def _letters(rgb: str) -> str:
    """The colour of letters on this one."""
    red, green, blue = hex_to_rgb(rgb)
    return "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < _DARK else "#000000"
