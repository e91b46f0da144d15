"""What a PDF of ours shows, read by pdfium."""

from __future__ import annotations

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
