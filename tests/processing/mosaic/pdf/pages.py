"""What a PDF of ours shows, read by pdfium."""

from __future__ import annotations

import re
from ctypes import byref
from dataclasses import dataclass

import numpy as np
import pypdfium2

POINTS_PER_MM = 72 / 25.4


def page_texts(data: bytes) -> list[str]:
    """The text of each page."""
    with pypdfium2.PdfDocument(data) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def page_sizes_mm(data: bytes) -> list[tuple[float, float]]:
    """Width and height of each page in millimetres."""
    with pypdfium2.PdfDocument(data) as document:
        return [
            (width / POINTS_PER_MM, height / POINTS_PER_MM)
            for width, height in map(document.get_page_size, range(len(document)))
        ]


def page_pixels(data: bytes, page: int = 0, *, scale: float = 1.0, paper: int = 255) -> np.ndarray:
    """(height, width, 3) uint8. scale: pixels of a point. paper: its grey."""
    with pypdfium2.PdfDocument(data) as document:
        bitmap = document[page].render(scale=scale, fill_color=(paper, paper, paper, 255))
        return np.array(bitmap.to_pil().convert("RGB"))


@dataclass(frozen=True, slots=True)
class Word:
    """left, top: of the ink of its first letter, in millimetres from the upper left corner of the page. size: of its
    font in points."""

    text: str
    left: float
    top: float
    size: float


def page_words(data: bytes, page: int) -> list[Word]:
    """The words of a page, with what is written at once."""
    with pypdfium2.PdfDocument(data) as document:
        height, text = document.get_page_size(page)[1], document[page].get_textpage()
        words = []
        for match in re.finditer(r"\S+", text.get_text_range()):
            left, _, _, top = text.get_charbox(match.start())
            matrix = pypdfium2.raw.FS_MATRIX()
            pypdfium2.raw.FPDFText_GetMatrix(text.raw, match.start(), byref(matrix))
            size = pypdfium2.raw.FPDFText_GetFontSize(text.raw, match.start()) * abs(matrix.d)
            words.append(Word(match[0], left / POINTS_PER_MM, (height - top) / POINTS_PER_MM, size))
        return words
