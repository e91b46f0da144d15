"""A mosaic as a PDF: on one page of its true size, or cut over the pages of a small printer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import BadParameter, Message
from ..units import MM_PER_INCH
from .document import PdfDocument, PdfImage
from .paper import PAPERS
from .poster import add_poster_pages

DEFAULT_DPI = 300
_MAX_INCHES = 200  # of a page (ISO 32000-1, annex C.2)


@dataclass(frozen=True, slots=True)
class PageOptions:
    """dpi: None is 300. poster: the paper to cut the picture over, a key of PAPERS; None: one page. overlap_mm: how
    much two sheets have in common."""

    dpi: int | None = None
    poster: str | None = None
    overlap_mm: float = 10.0


def write_picture(size: tuple[int, int], draw: Callable[[PdfDocument], PdfImage], options: PageOptions) -> bytes:
    """size: of the picture in pixels. draw: adds it to the document.

    Raises BadParameter for a page or a poster that is too large, and what `draw` raises.
    """
    resolution = options.dpi or DEFAULT_DPI
    width, height = (side / resolution * MM_PER_INCH for side in size)
    document = PdfDocument()
    if options.poster is not None:
        paper = PAPERS[options.poster]
        add_poster_pages(document, draw(document), (width, height), paper, options.overlap_mm)
        return document.save()
    if max(size) > _MAX_INCHES * resolution:
        least = math.ceil(max(size) / _MAX_INCHES)
        allowed = Message(
            "at least {least} for a page of {width} x {height} pixels", least=least, width=size[0], height=size[1]
        )
        raise BadParameter(field="dpi", value=resolution, allowed=allowed)
    image = draw(document)
    with document.page(width, height) as page:
        page.image(image, 0, 0, width, height)
    return document.save()
