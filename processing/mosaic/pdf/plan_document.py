"""A plan as a PDF: a cover with the picture and the pieces, an overview of the sections, and one page for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..colour.palette import hex_to_rgb
from ..colour.srgb import Colours
from ..errors import BadParameter, Message
from ..plan import EMPTY, Plan, PlanColour
from ..progress import Progress
from .document import PdfDocument, PdfImage, PdfPage
from .paper import PAPERS, Paper
from .plan_section import draw_section, draw_swatch, largest_section
from .plan_words import WORDS

MIN_SECTION, MAX_SECTION = 4, 64
MAX_PLAN_CELLS = 250_000
"""Of a plan as a PDF: a wall of 4 x 4 metres in studs."""

_MARGIN = 12.0
_TITLE, _TEXT, _SMALL = 8.0, 3.6, 2.4  # sizes of letters
_PICTURE_HEIGHT, _LARGE_PICTURE_HEIGHT, _SMALLEST_PICTURE_HEIGHT = 125.0, 200.0, 90.0
_LIST_HEAD = 13.0  # between the picture and the list
_ROW, _COLUMNS, _GAP = 6.6, 2, 6.0  # of the list
_GROUND = "#d9d9d9"  # where no piece is


@dataclass(frozen=True, slots=True)
class CoverPicture:
    """A JPEG in RGB for the cover, with its width and height in pixels."""

    jpeg: bytes
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the cells. number: from 1."""

    number: int
    top: int
    left: int
    rows: int
    columns: int


def sections_of(plan: Plan) -> list[Section]:
    """From left to right, then downwards."""
    rows, columns = plan.cells.shape
    corners = [(top, left) for top in range(0, rows, plan.section) for left in range(0, columns, plan.section)]
    return [
        Section(number, top, left, min(plan.section, rows - top), min(plan.section, columns - left))
        for number, (top, left) in enumerate(corners, 1)
    ]


def write_plan(
    plan: Plan,
    *,
    title: str,
    picture: CoverPicture | None = None,
    language: str = "en",
    paper: str = "a4",
    progress: Progress | None = None,
) -> bytes:
    """language: en or zh. paper: a key of PAPERS. Sections are smaller than asked for where codes could not be read.

    Raises BadParameter for a plan of more than MAX_PLAN_CELLS cells, or sections out of range, and whatever the
    progress callback raises.
    """
    if plan.cells.size > MAX_PLAN_CELLS:
        pieces = Message("{width} x {height} pieces", width=plan.cells.shape[1], height=plan.cells.shape[0])
        allowed = Message("up to {most:,} pieces", most=MAX_PLAN_CELLS)
        raise BadParameter(field="plan", value=pieces, allowed=allowed)
    if not MIN_SECTION <= plan.section <= MAX_SECTION:
        allowed = Message("{low} to {high}", low=MIN_SECTION, high=MAX_SECTION)
        raise BadParameter(field="section", value=plan.section, allowed=allowed)
    return _PlanWriter(plan, title, language, PAPERS[paper]).write(picture, progress or Progress())


class _PlanWriter:
    def __init__(self, plan: Plan, title: str, language: str, paper: Paper) -> None:
        self._title, self._words, self._paper = title, WORDS[language], paper
        self._language = language
        self._inner = paper.width - 2 * _MARGIN
        self._plan = plan = replace(plan, section=min(plan.section, largest_section(plan, self._inner)))
        self._document = PdfDocument(title=title)
        self._sections = sections_of(plan)
        self._map = self._document.add_pixels(_pixels(plan)) if plan.cells.size else None

    def write(self, picture: CoverPicture | None, progress: Progress) -> bytes:
        image = None if picture is None else self._document.add_jpeg(picture.jpeg, picture.size)
        remaining = self._write_cover(image or self._map)
        while remaining:
            with self._document.page(self._paper.width, self._paper.height) as page:
                remaining = self._draw_list(page, remaining, _MARGIN)
        if self._sections:
            with self._document.page(self._paper.width, self._paper.height) as page:
                self._draw_overview(page)
        for section in self._sections:
            with self._document.page(self._paper.width, self._paper.height) as page:
                self._draw_section(page, section)
            progress(section.number / len(self._sections))
        return self._document.save()

    def _write_cover(self, image: PdfImage | None) -> list[PlanColour]:
        """Returns the colours of the list that did not fit."""
        with self._document.page(self._paper.width, self._paper.height) as page:
            page.text(self._title, _MARGIN, _MARGIN + _TITLE / 2, _TITLE, bold=True, fit=self._inner)
            top = _MARGIN + _TITLE + 4
            for line in self._facts():
                page.text(line, _MARGIN, top, _TEXT, colour="#444444", fit=self._inner)
                top += 1.5 * _TEXT
            if image is not None:
                scale = min(self._inner / image.width, self._picture_height(top + 1) / image.height)
                page.image(image, _MARGIN, top + 1, image.width * scale, image.height * scale)
                top += image.height * scale + 8
            page.text(self._words["list"], _MARGIN, top, _TEXT * 1.3, bold=True)
            return self._draw_list(page, list(self._plan.colours), top + 5)

    def _picture_height(self, top: float) -> float:
        """At most. A picture is as large as its list on the same page leaves it, unless that takes further pages."""
        lines = -(-len(self._plan.colours) // _COLUMNS)
        available = self._paper.height - _MARGIN - lines * _ROW - _LIST_HEAD - top
        if self._sections:
            return min(_PICTURE_HEIGHT, available) if available >= _SMALLEST_PICTURE_HEIGHT else _PICTURE_HEIGHT
        return min(_LARGE_PICTURE_HEIGHT, max(available, _SMALLEST_PICTURE_HEIGHT))

    def _facts(self) -> Iterator[str]:
        plan, (width, height), (rows, columns) = self._plan, self._plan.size_cm, self._plan.cells.shape
        colours = self._counted("colour", len(plan.colours))
        if not plan.cells.size:
            yield self._words["cover"].format(regions=self._counted("region", plan.pieces), colours=colours)
            return
        size = self._words["size"].format(width=width, height=height)
        pieces = self._counted("piece", plan.pieces)
        cells = self._words["cells"].format(rows=rows, columns=columns, pieces=pieces, colours=colours)
        yield f"{size} - {cells}"
        yield self._words["sheets"].format(sections=self._counted("part", len(self._sections)), side=plan.section)
        if plan.mirrored:
            yield self._words["mirrored"]
        yield from plan.notes

    def _counted(self, word: str, n: int) -> str:
        """A number of something, with its word in the singular or plural."""
        return self._words[word if n == 1 else f"{word}s"].format(n=n)

    def _draw_list(self, page: PdfPage, colours: list[PlanColour], top: float) -> list[PlanColour]:
        """Draw as many rows as fit, column by column; returns the others."""
        lines = max(1, int((self._paper.height - _MARGIN - top) // _ROW))
        lines = min(lines, -(-len(colours) // _COLUMNS))
        width = (self._inner - _GAP * (_COLUMNS - 1)) / _COLUMNS
        for index, colour in enumerate(colours[: lines * _COLUMNS]):
            column, line = divmod(index, lines)
            left = _MARGIN + column * (width + _GAP)
            _draw_colour(page, colour, colour.named(self._language), (left, top + line * _ROW), width)
        return colours[lines * _COLUMNS :]

    def _draw_overview(self, page: PdfPage) -> None:
        page.text(self._words["overview"], _MARGIN, _MARGIN + 3, _TITLE * 0.75, bold=True)
        top = _MARGIN + 12
        rows, columns = self._plan.cells.shape
        pitch = min(self._inner / columns, (self._paper.height - _MARGIN - top) / rows)
        self._draw_map(page, _MARGIN, top, pitch)
        side = self._plan.section * pitch
        for section in self._sections:
            x, y = _MARGIN + section.left * pitch, top + section.top * pitch
            number, size = str(section.number), min(7.0, 0.4 * side)
            width = min(section.columns * pitch, size * (0.6 * len(number) + 0.6))
            centre = (x + section.columns * pitch / 2, y + section.rows * pitch / 2)
            page.fill([(centre[0] - width / 2, centre[1] - 0.65 * size, width, 1.3 * size)], "#ffffff")
            page.text(number, *centre, size, align="centre", bold=True, fit=width * 0.9)

    def _draw_map(self, page: PdfPage, left: float, top: float, pitch: float) -> None:
        """The whole picture small, with the edges of the sections."""
        rows, columns = self._plan.cells.shape
        assert self._map is not None
        page.image(self._map, left, top, columns * pitch, rows * pitch)
        boxes = [
            (left + part.left * pitch, top + part.top * pitch, part.columns * pitch, part.rows * pitch)
            for part in self._sections
        ]
        page.outline(boxes, 0.5, "#ffffff")
        page.outline(boxes, 0.2, "#000000")

    def _draw_section(self, page: PdfPage, section: Section) -> None:
        plan, words = self._plan, self._words
        heading = words["section"].format(number=section.number, sections=len(self._sections))
        page.text(heading, _MARGIN, _MARGIN + 3, _TITLE * 0.75, bold=True)
        bounds = {"top": section.top + 1, "bottom": section.top + section.rows}
        bounds |= {"left": section.left + 1, "right": section.left + section.columns}
        page.text(words["rows"].format(**bounds), _MARGIN, _MARGIN + 11, _TEXT, colour="#444444")
        if plan.mirrored:
            page.text(words["mirrored"], _MARGIN, _MARGIN + 17, _SMALL, colour="#444444")
        rows, columns = plan.cells.shape
        pitch = min(26.0 / rows, 50.0 / columns)
        left, top = self._paper.width - _MARGIN - columns * pitch, _MARGIN
        self._draw_map(page, left, top, pitch)
        here = (left + section.left * pitch, top + section.top * pitch, section.columns * pitch, section.rows * pitch)
        page.outline([here], 1.4, "#ffffff")
        page.outline([here], 0.9, "#d00000")
        box = (section.top, section.left, section.rows, section.columns)
        bottom = draw_section(page, plan, box, (_MARGIN, _MARGIN + 32), self._inner)
        self._draw_section_list(page, section, bottom + 6)

    def _draw_section_list(self, page: PdfPage, section: Section, top: float) -> None:
        """How many cells of each colour the section has, as far as the page has available."""
        part = self._plan.cells[section.top :, section.left :][: section.rows, : section.columns]
        used, counts = np.unique(part[part != EMPTY], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        width, row = 31.0, 5.2
        across = int(self._inner // width)
        lines = int((self._paper.height - _MARGIN - top) // row)
        for index, place in enumerate(order[: max(0, lines) * across].tolist()):
            line, column = divmod(index, across)
            colour = self._plan.colours[used[place]]
            x, y = _MARGIN + column * width, top + line * row
            draw_swatch(page, colour, x, y, 8.0, 4.4)
            page.text(f"x {counts[place]}", x + 9.5, y + 2.2, _TEXT * 0.85)


def _draw_colour(page: PdfPage, colour: PlanColour, name: str, corner: tuple[float, float], width: float) -> None:
    """One row of the list. corner: left and top."""
    left, top = corner
    draw_swatch(page, colour, left, top, 11.0, 5.2)
    label = f"{colour.number}  {name}" if colour.number else name
    middle = top + (1.6 if colour.details else 2.6)
    page.text(label, left + 13, middle, _TEXT * 0.9, fit=width - 28)
    page.text(f"{colour.count:,}", left + width, middle, _TEXT * 0.9, align="right", bold=True)
    if colour.details:
        page.text(colour.details, left + 13, top + 4.4, _SMALL * 0.9, colour="#555555", fit=width - 13)


def _pixels(plan: Plan) -> Colours:
    """(rows, columns, 3): one pixel for each cell."""
    palette = np.array([*(hex_to_rgb(colour.rgb) for colour in plan.colours), hex_to_rgb(_GROUND)], np.uint8)
    return palette[plan.cells]
