"""A mosaic as a PDF: of its true size, and with the same picture as its pixels."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import STYLES, BadParameter, parse, render
from processing.mosaic.cells.cells import Polygon
from processing.mosaic.codec.encoders.vector_image import VectorImage
from processing.mosaic.pdf.document import PdfDocument
from processing.mosaic.pdf.embedded import jpeg_in_pdf
from processing.mosaic.pdf.picture import PageOptions, write_picture
from processing.mosaic.pdf.printed import print_pdf
from processing.mosaic.pdf.shapes import add_shapes
from processing.mosaic.progress import Progress
from tests.processing.mosaic.hairlines import SEAMLESS, hairline_share
from tests.processing.mosaic.pdf.pages import page_pixels, page_sizes_mm
from tests.processing.mosaic.pictures import encoded, opened, saved, scene
from tests.processing.mosaic.samples import FLAT, sample, sample_flat

PHOTO = encoded(scene(240, 180))
SHAPES = {name for name, style in STYLES.items() if style.svg and name not in FLAT} | {"dots", "numbers"}
"""Styles whose SVG shows all that their default does."""
WHOLE_PIXELS = {"quadtree": {"cell": 15, "grout": 0}}
"""At 240 pixels, rectangles end at pixels of the page: pdfium fills no part of a pixel with one."""


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """The mean difference of pictures, of 255, seen at a third of their size."""
    small = [np.asarray(Image.fromarray(pixels).reduce(3)).astype(int) for pixels in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())


@pytest.mark.parametrize("style", list(STYLES))
def test_a_page_has_its_true_size_and_shows_the_mosaic(style: str) -> None:
    recipe = sample(style, **({} if style == "redact" else {"size": 240}), **WHOLE_PIXELS.get(style, {}), dpi=72)

    data, jpeg = (render(PHOTO, parse({**recipe, "format": format})).data for format in ("pdf", "jpeg"))

    assert data.startswith(b"%PDF-1.")
    assert page_sizes_mm(data) == [pytest.approx((240 / 72 * 25.4, 180 / 72 * 25.4), abs=0.01)]
    assert difference(page_pixels(data), opened(jpeg)) < (4 if style in SHAPES else 12)
    without_header = jpeg[20:]  # which has the resolution
    assert (without_header not in data) == (style in SHAPES), "shapes where they show all that the pixels show"


def test_gradients_and_leads_are_shapes_too() -> None:
    for recipe in ({"style": "lowpoly", "fill": "gradient"}, {"style": "voronoi", "light": False}):
        recipe |= {"size": 240, "cells": 60, "dpi": 72}
        data = render(PHOTO, parse({**recipe, "format": "pdf"})).data

        assert difference(page_pixels(data), opened(render(PHOTO, parse(recipe)).data)) < 4
        assert b"/DCTDecode" not in data


@pytest.mark.parametrize("style", list(SEAMLESS))
def test_no_paper_shows_between_cells_that_touch(style: str) -> None:
    recipe = parse({"style": style, **SEAMLESS[style], "size": 240, "dpi": 72, "format": "pdf"})
    data = render(PHOTO, recipe).data

    for scale in (0.77, 1.0, 1.93):
        share = hairline_share(page_pixels(data, scale=scale), page_pixels(data, scale=scale, paper=0))
        assert share < 0.001, f"{share:.1%} at {scale}"


@pytest.mark.parametrize("lattice", ["staggered", "square"])
@pytest.mark.parametrize("cell", [9, 10, 23])
def test_no_ground_shows_between_dots_that_fill_their_cells(cell: int, lattice: str) -> None:
    """Rows of staggered dots may lie a little farther apart than their cells are high, and tips of hexagons of a row
    above the picture reach into it."""
    dark = np.zeros((180, 240, 3), np.uint8)
    recipe = {"style": "dots", "lattice": lattice, "cell": cell, "size": 240, "dpi": 72, "format": "pdf"}
    data = render(encoded(dark), parse(recipe)).data

    for scale in (0.77, 1.0, 1.93):
        assert page_pixels(data, scale=scale)[4:-4, 4:-4].max() < 16, f"at {scale}"


def test_the_measure_finds_seams_of_cells_without_strokes() -> None:
    slanted = [Polygon(((x, 0), (x + 9, 0), (x + 49, 180), (x + 40, 180))) for x in range(-60, 240, 9)]
    colours = np.full((len(slanted), 3), 60, np.uint8)
    shapes = VectorImage((240, 180), lambda: slanted, colours, "#ffffff")  # over a ground, so that there are no strokes
    data = write_picture((240, 180), lambda document: add_shapes(document, shapes, Progress()), PageOptions(72))
    pixels = page_pixels(data, scale=0.77)

    assert hairline_share(pixels, np.zeros_like(pixels)) > 0.05


def test_without_a_resolution_a_page_has_300_dots_per_inch() -> None:
    assert page_sizes_mm(render(PHOTO, parse({"format": "pdf"})).data) == [pytest.approx((20.32, 15.24), abs=0.01)]


def test_a_large_page_is_made_in_strips() -> None:
    recipe = {"style": "dots", "screens": "cmyk", "size": 4200, "cell": 160}
    jpeg = render(PHOTO, parse({**recipe, "format": "jpeg"})).data

    assert jpeg in render(PHOTO, parse({**recipe, "format": "pdf"})).data


def test_a_page_larger_than_a_pdf_allows_is_refused_with_the_resolution_that_it_needs() -> None:
    with pytest.raises(BadParameter, match="at least 20 for a page of 4000 x 3000"):
        render(PHOTO, parse({"size": 4000, "dpi": 10, "format": "pdf"}))


def sticker() -> bytes:
    """A picture in a disc, half transparent in a ring around it, nothing outside."""
    y, x = np.mgrid[0:180, 0:240]
    distance = np.hypot(x - 120, y - 90)
    alpha = np.where(distance < 60, 255, np.where(distance < 75, 128, 0)).astype(np.uint8)
    return saved(Image.fromarray(np.dstack([scene(240, 180), alpha])))


@pytest.mark.parametrize("style", list(STYLES))
def test_a_page_keeps_transparency(style: str) -> None:
    size = {} if style == "redact" else {"size": 240}
    recipe = sample_flat(style, **size, **WHOLE_PIXELS.get(style, {}), dpi=72, background="none")

    data, png = (render(sticker(), parse({**recipe, "format": format})).data for format in ("pdf", "png"))

    expected = Image.open(io.BytesIO(png))
    for paper in (255, 0):
        ground = Image.new("RGB", expected.size, (paper,) * 3)
        ground.paste(expected, mask=expected.getchannel("A"))
        assert difference(page_pixels(data, paper=paper), np.asarray(ground)) < 4, f"on {paper}"
    assert (page_pixels(data, paper=77)[:12, :12] == 77).all(), "nothing in the corner"
    assert (b"/DCTDecode" not in data) == STYLES[style].svg


@pytest.mark.parametrize("style", ["mosaic", "hexagon", "triangle", "voronoi", "lowpoly"])
def test_no_paper_shows_between_opaque_cells_of_a_transparent_page(style: str) -> None:
    recipe = {"style": style, **SEAMLESS[style], "size": 240, "dpi": 72, "format": "pdf", "background": "none"}
    data = render(sticker(), parse(recipe)).data

    for scale in (0.77, 1.0, 1.93):
        pages = [page_pixels(data, scale=scale, paper=paper) for paper in (255, 0)]
        middle = tuple(slice(round(scale * (side // 2 - 30)), round(scale * (side // 2 + 30))) for side in (180, 240))
        share = hairline_share(*(page[middle] for page in pages))
        assert share < 0.001, f"{share:.1%} at {scale}"


def test_a_poster_keeps_transparency() -> None:
    recipe = {"style": "hexagon", "size": 240, "dpi": 20, "format": "pdf", "background": "none", "poster": "a4"}

    corner = page_pixels(render(sticker(), parse(recipe)).data, paper=77)[40:60, 40:60]

    assert (corner == 77).all()


def test_a_transparent_result_in_pixels_is_printed_so() -> None:
    png = render(sticker(), parse({"style": "photomosaic", "size": 240, "background": "none"})).data

    data = print_pdf(png, PageOptions(72), megapixels=1)

    expected = Image.open(io.BytesIO(png))
    ground = Image.new("RGB", expected.size, (77,) * 3)
    ground.paste(expected, mask=expected.getchannel("A"))
    assert difference(page_pixels(data, paper=77), np.asarray(ground)) < 4


def test_a_large_jpeg_is_copied_into_the_file_once() -> None:
    jpeg, document = bytes(32_000_000), PdfDocument()
    document.add_jpeg(jpeg, (9000, 6000))

    tracemalloc.start()
    data = document.save()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(data) > len(jpeg)
    assert peak < 1.3 * len(jpeg)


def test_the_same_recipe_gives_the_same_bytes() -> None:
    recipe = parse({"format": "pdf", "style": "lowpoly", "fill": "gradient", "cells": 30})

    assert render(PHOTO, recipe).data == render(PHOTO, recipe).data


def test_a_page_of_pixels_is_printed_again_with_the_same_jpeg_and_one_of_shapes_is_refused() -> None:
    pixels, shapes = (
        render(PHOTO, parse({"style": style, "size": 240, "dpi": 72, "format": "pdf"})).data
        for style in ("photomosaic", "hexagon")
    )

    poster = print_pdf(pixels, PageOptions(36), megapixels=1)

    assert jpeg_in_pdf(poster) == jpeg_in_pdf(pixels) is not None
    assert page_sizes_mm(poster) == [pytest.approx((240 / 36 * 25.4, 180 / 36 * 25.4), abs=0.01)]
    with pytest.raises(BadParameter, match=r"^id: shapes is not possible"):
        print_pdf(shapes, PageOptions(36), megapixels=1)
