"""A picture that is larger than the printer's paper, on several pages to be cut and glued together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import BadParameter, Message
from .document import PdfDocument, PdfImage, PdfPage
from .paper import Paper

MAX_POSTER_PAGES = 400
MARGIN = 12.0
"""Where printers do not print, and where the marks are; in millimetres."""

_MARK, _DISTANCE, _WIDTH = 6.0, 1.0, 0.2  # of cut marks: their length, how far they are from the picture, their width
_GLUE = "#909090"
_LABEL = 3.2  # the size of letters


@dataclass(frozen=True, slots=True)
class PosterGrid:
    """paper: turned as it is used. columns, rows: of pages. step: from one page's part of the picture to the next
    one's, across and down, in millimetres."""

    paper: Paper
    columns: int
    rows: int
    step: tuple[float, float]

    @property
    def pages(self) -> int:
        return self.columns * self.rows


def add_poster_pages(
    document: PdfDocument, image: PdfImage, size: tuple[float, float], paper: Paper, overlap: float
) -> None:
    """Pages row by row. size: of the whole picture in millimetres. Raises BadParameter for more than 400 pages."""
    grid = poster_grid(size, paper, overlap)
    for row in range(grid.rows):
        for column in range(grid.columns):
            with document.page(grid.paper.width, grid.paper.height) as page:
                _draw_part(page, image, size, grid, (column, row))


def poster_grid(size: tuple[float, float], paper: Paper, overlap: float) -> PosterGrid:
    """With the paper upright or across, whichever takes fewer pages."""
    grids = [_grid(size, turned, overlap) for turned in (paper, Paper(paper.height, paper.width))]
    grid = min(grids, key=lambda grid: grid.pages)
    if grid.pages > MAX_POSTER_PAGES:
        pages = Message(
            "{pages} pages for {width:.0f} x {height:.0f} cm", pages=grid.pages, width=size[0] / 10, height=size[1] / 10
        )
        allowed = Message("up to {most} pages; a higher dpi takes fewer", most=MAX_POSTER_PAGES)
        raise BadParameter(field="poster", value=pages, allowed=allowed)
    return grid


def _grid(size: tuple[float, float], paper: Paper, overlap: float) -> PosterGrid:
    step = (paper.width - 2 * MARGIN - overlap, paper.height - 2 * MARGIN - overlap)
    columns, rows = (
        max(1, math.ceil((length - overlap) / each - 1e-6)) for length, each in zip(size, step, strict=True)
    )
    return PosterGrid(paper, columns, rows, step)


def _draw_part(
    page: PdfPage, image: PdfImage, size: tuple[float, float], grid: PosterGrid, place: tuple[int, int]
) -> None:
    """place: column and row of the page."""
    left, top = (index * step for index, step in zip(place, grid.step, strict=True))
    part = (min(page.width - 2 * MARGIN, size[0] - left), min(page.height - 2 * MARGIN, size[1] - top))
    with page.clipped(MARGIN, MARGIN, *part):
        page.image(image, MARGIN - left, MARGIN - top, *size)
    _draw_marks(page, part, "#000000", (0.0, part[0]), (0.0, part[1]))
    glue_x, glue_y = (
        (step,) if index < count - 1 else ()
        for index, count, step in zip(place, (grid.columns, grid.rows), grid.step, strict=True)
    )
    _draw_marks(page, part, _GLUE, glue_x, glue_y)
    row, column = place[1] + 1, place[0] + 1
    label = f"{row}-{column}   row {row} of {grid.rows}, column {column} of {grid.columns}"
    page.text(label, page.width / 2, page.height - 4, _LABEL, align="centre")


def _draw_marks(
    page: PdfPage, part: tuple[float, float], colour: str, across: tuple[float, ...], down: tuple[float, ...]
) -> None:
    """Short lines outside of the part of the picture, where to cut it. across, down: positions from its corner."""
    ends = []
    for x in across:
        for start, end in ((-_DISTANCE - _MARK, -_DISTANCE), (part[1] + _DISTANCE, part[1] + _DISTANCE + _MARK)):
            ends.append((MARGIN + x, MARGIN + start, MARGIN + x, MARGIN + end))
    for y in down:
        for start, end in ((-_DISTANCE - _MARK, -_DISTANCE), (part[0] + _DISTANCE, part[0] + _DISTANCE + _MARK)):
            ends.append((MARGIN + start, MARGIN + y, MARGIN + end, MARGIN + y))
    if ends:
        page.lines(ends, _WIDTH, colour)
