"""The pictures of docs/printing.md: what comes out of a printer, drawn page by page by pdfium.

python -m tests.support.printed_pictures FOLDER
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

from processing.mosaic import parse, plan_pdf, render
from tests.processing.mosaic.pdf.pages import page_pixels, page_sizes_mm

SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
TABLE, SHADOW = (186, 181, 170), (150, 145, 134)
DPI = 300
PAGE_WIDTH_PX, GAP_PX, SHADOW_PX = 420, 22, 3
PLAN_PAGE_WIDTH_PX, PLAN_SECTION = 620, 7
"""The section is that with the head of a carp; pages 0 and 1 are the cover and the overview."""
DETAIL_PX, DETAIL_SHEET, DETAIL_LEFT, DETAIL_TOP = 640, 0, 60, 60
"""A square of a sheet at its upper left corner, with its marks, as many pixels as the printer has dots."""
QUALITY = 82


def sheet(data: bytes, page: int, width: int) -> Image.Image:
    """A page of a PDF, `width` pixels wide, with the shadow that it throws on a table."""
    scale = 4 * width / (page_sizes_mm(data)[page][0] * 72 / 25.4)
    large = Image.fromarray(page_pixels(data, page, scale=scale))
    small = large.resize((width, round(large.height * width / large.width)), Image.Resampling.BOX)
    lying = Image.new("RGB", (small.width + SHADOW_PX, small.height + SHADOW_PX), TABLE)
    lying.paste(SHADOW, (SHADOW_PX, SHADOW_PX, lying.width, lying.height))
    lying.paste(small)
    return lying


def on_a_table(rows: list[list[Image.Image]]) -> Image.Image:
    """Pictures of one size in rows, with gaps."""
    width, height = rows[0][0].size
    table = Image.new("RGB", (len(rows[0]) * (width + GAP_PX) + GAP_PX, len(rows) * (height + GAP_PX) + GAP_PX), TABLE)
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            table.paste(picture, (GAP_PX + column * (width + GAP_PX), GAP_PX + row * (height + GAP_PX)))
    return table


def poster() -> Image.Image:
    """A Roman mosaic of 47 x 36 cm, cut over four sheets of A4, and a corner of one dot by dot."""
    recipe = parse({"style": "tesserae", "size": 5600, "dpi": DPI, "format": "pdf", "poster": "a4"})
    printed = render((SAMPLES / "balloons.jpg").read_bytes(), recipe).data
    sizes = page_sizes_mm(printed)
    columns = 2
    pages = [sheet(printed, page, PAGE_WIDTH_PX) for page in range(len(sizes))]
    sheets = on_a_table([pages[first : first + columns] for first in range(0, len(pages), columns)])
    dots = Image.fromarray(page_pixels(printed, DETAIL_SHEET, scale=DPI / 72))
    side = min(DETAIL_PX, sheets.height - 2 * GAP_PX)
    detail = dots.crop((DETAIL_LEFT, DETAIL_TOP, DETAIL_LEFT + side, DETAIL_TOP + side))
    table = Image.new("RGB", (sheets.width + side + GAP_PX, sheets.height), TABLE)
    table.paste(sheets)
    table.paste(detail, (sheets.width, (sheets.height - side) // 2))
    return table


def plan() -> Image.Image:
    """The cover, the overview and a section of a picture in bricks."""
    source = (SAMPLES / "koi.jpg").read_bytes()
    result = render(source, parse({"style": "brick", "columns": 64, "size": 1600, "dither": False, "format": "png"}))
    with Image.open(io.BytesIO(result.data)) as picture:
        printed = plan_pdf("brick", result.cell_map, title="Koi", picture=picture.convert("RGB"))
    return on_a_table([[sheet(printed, page, PLAN_PAGE_WIDTH_PX) for page in (0, 1, 1 + PLAN_SECTION)]])


def main() -> None:
    folder = Path(sys.argv[1])
    for name, picture in (("poster", poster()), ("plan", plan())):
        picture.save(folder / f"{name}.webp", quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
