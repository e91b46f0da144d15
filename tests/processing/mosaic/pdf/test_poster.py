"""A poster: a picture cut over pages that overlap, with marks to cut along."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic import BadParameter, parse, render
from processing.mosaic.pdf.paper import PAPERS
from processing.mosaic.pdf.poster import MARGIN, poster_grid
from tests.processing.mosaic.pdf.pages import page_pixels, page_sizes_mm, page_texts
from tests.processing.mosaic.pictures import encoded, opened, scene

PHOTO = encoded(scene(300, 200))
RECIPE = {"size": 600, "cell": 24, "dpi": 36, "format": "pdf", "quality": 95}  # 423 x 282 mm
MM = 36 / 25.4  # pixels of the result


@pytest.mark.parametrize(("style", "overlap"), [("mosaic", 10), ("photomosaic", 0)])
def test_pages_glued_together_show_the_whole_picture_in_its_true_size(style: str, overlap: int) -> None:
    recipe = {**RECIPE, "style": style, "poster": "a4", "overlap": overlap}
    data = render(PHOTO, parse(recipe)).data
    grid = poster_grid((600 / MM, 400 / MM), PAPERS["a4"], overlap)
    expected = opened(render(PHOTO, parse({**recipe, "format": "png", "poster": "none"})).data).astype(int)

    sizes = page_sizes_mm(data)
    assert len(sizes) == grid.pages == 4
    glued = np.zeros_like(expected)
    for page in range(grid.pages):
        row, column = divmod(page, grid.columns)
        left, top = round(column * grid.step[0] * MM), round(row * grid.step[1] * MM)
        pixels, margin = page_pixels(data, page, scale=0.5), round(MARGIN * MM)
        width = min(600 - left, round((sizes[page][0] - 2 * MARGIN) * MM))
        height = min(400 - top, round((sizes[page][1] - 2 * MARGIN) * MM))
        glued[top : top + height, left : left + width] = pixels[margin : margin + height, margin : margin + width]
    assert np.abs(glued - expected).mean() < 8  # of 255: parts begin between two pixels


def test_each_page_says_where_it_belongs_and_has_marks_outside_of_the_picture() -> None:
    data = render(PHOTO, parse({**RECIPE, "poster": "letter"})).data

    texts, sizes = page_texts(data), page_sizes_mm(data)
    labels = [text.strip() for text in texts]
    assert labels[0].startswith("1-1")
    assert labels[-1].endswith("row 2 of 2, column 2 of 2")
    assert {round(side, 1) for side in sizes[0]} == {215.9, 279.4}
    scale = 144 / 72
    margin = page_pixels(data, 0, scale=scale)[: round((MARGIN - 1.5) * scale * 72 / 25.4)]
    columns = np.flatnonzero((margin < 128).all(axis=-1).any(axis=0)) / scale / 72 * 25.4
    assert columns.min() == pytest.approx(MARGIN, abs=0.5)
    assert columns.max() == pytest.approx(sizes[0][0] - MARGIN, abs=0.5)


def test_paper_is_turned_so_that_fewer_pages_are_needed() -> None:
    assert poster_grid((270, 180), PAPERS["a4"], 10).pages == 1
    assert poster_grid((180, 270), PAPERS["a4"], 10).pages == 1
    assert poster_grid((270, 180), PAPERS["a4"], 10).paper.width == 297


def test_a_poster_of_too_many_pages_is_refused() -> None:
    with pytest.raises(BadParameter, match="poster") as refused:
        render(PHOTO, parse({"size": 4000, "dpi": 10, "format": "pdf", "poster": "a4"}))

    assert "up to 400 pages" in refused.value.details["allowed"]
