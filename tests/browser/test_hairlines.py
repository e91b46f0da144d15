"""An SVG in a browser, or printed by it, shows no seams between cells that touch."""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
from PIL import Image
from playwright.sync_api import Browser

from processing.mosaic import parse, render
from tests.processing.mosaic.hairlines import SEAMLESS, hairline_share
from tests.processing.mosaic.pdf.pages import page_pixels
from tests.processing.mosaic.pictures import encoded, scene

PHOTO = encoded(scene(240, 180))
WIDTH, HEIGHT = 197, 148  # not a multiple of anything


def test_no_ground_shows_between_cells_of_an_svg(browser: Browser) -> None:
    pages = []
    with browser.new_page(viewport={"width": WIDTH, "height": HEIGHT * len(SEAMLESS)}) as page:
        for ground in ("white", "black"):
            page.set_content(f'<body style="margin:0;background:{ground}">{_images()}')
            page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
            pages.append(np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")))

    _check(pages)


def test_no_ground_shows_between_cells_of_an_svg_that_is_printed(browser: Browser) -> None:
    pages = []
    with browser.new_page() as page:
        for ground in ("white", "black"):
            page.set_content(f'<body style="margin:0;background:{ground}">{_images()}')
            page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
            printed = page.pdf(width=f"{WIDTH}px", height=f"{HEIGHT * len(SEAMLESS)}px", print_background=True)
            pages.append(page_pixels(printed, scale=96 / 72)[: HEIGHT * len(SEAMLESS)])

    _check(pages)


@cache
def _images() -> str:
    files = [render(PHOTO, parse({"style": style, **more, "format": "svg"})).data for style, more in SEAMLESS.items()]
    hrefs = [f"data:image/svg+xml;base64,{base64.b64encode(data).decode()}" for data in files]
    return "".join(f'<img width="{WIDTH}" height="{HEIGHT}" style="display:block" src="{href}">' for href in hrefs)


def _check(pages: list[np.ndarray]) -> None:
    for index, style in enumerate(SEAMLESS):
        rows = slice(index * HEIGHT, (index + 1) * HEIGHT)
        share = hairline_share(pages[0][rows], pages[1][rows])
        assert share < 0.001, f"{style}: {share:.1%}"
