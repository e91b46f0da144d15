"""The photos of a photomosaic are requested a few at a time, and only as long as they are on the screen."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Route

from tests.browser.user import BrowserUser, until
from tests.support.pictures import encoded, photo

PARALLEL = 6
THUMBNAIL = re.compile(r"/thumbnail/\d{1,2}/")
"""Of the tiles of this test; other images have long ids."""
START = """async () => {
    const { TilePictures } = await import("/static/walk-in/tile-pictures.js");
    const tiles = Array.from({ length: 40 }, (_, index) => ({ id: index + 1, width: 1200, height: 900 }));
    window.pictures = new TilePictures(tiles, { aspect: 1 }, () => {});
    const whole = { key: "whole", left: 0.5, top: 0.5, size: 1 };
    window.ask = (first, last, px) => {
        window.pictures.begin();
        const widths = Array.from({ length: last - first }, (_, index) => {
            const tile = first + index;
            return window.pictures.get(tile, whole, px, tile)?.bitmap.width ?? 0;
        });
        window.pictures.end();
        return widths;
    };
}"""


def test_few_photos_are_requested_at_a_time_and_none_that_has_left_the_screen(user: BrowserUser) -> None:
    image, routes = encoded(photo(320, 240), "WEBP"), list[Route]()
    user.go("/gallery")
    over: list[bool] = []
    user.page.route(THUMBNAIL, lambda route: route.abort() if over else routes.append(route))
    user.expect_console("ERR_|status of 404")
    user.page.evaluate(START)

    user.page.evaluate("ask(0, 40, 90)")
    user.page.evaluate("ask(0, 40, 90)")
    until(user.page, lambda: len(routes) >= PARALLEL)
    asked_for = [number_of(route) for route in routes]
    assert asked_for == list(range(1, PARALLEL + 1)), "the nearest first"

    user.page.evaluate("ask(20, 40, 90)")
    until(user.page, lambda: len(routes) >= 2 * PARALLEL)
    assert [number_of(route) for route in routes[PARALLEL:]] == list(range(21, 21 + PARALLEL))
    for route in routes[PARALLEL : 2 * PARALLEL]:
        route.fulfill(body=image, content_type="image/webp")
    user.page.wait_for_function("() => ask(20, 40, 90).filter((width) => width === 96).length === 6")
    over.append(True)  # what is unanswered, and what is asked for from now on, is aborted
    for route in [*routes[:PARALLEL], *routes[2 * PARALLEL :]]:
        route.abort()
    user.page.goto("about:blank")


CROPS = """async () => {
    const { TilePictures } = await import("/static/walk-in/tile-pictures.js");
    const pictures = new TilePictures([{ id: 1, width: 320, height: 240 }], { aspect: 1 }, () => {});
    window.colours = () => {
        pictures.begin();
        const shown = [0, 1].map((left) => pictures.get(0, { key: `${left}`, left, top: 1, size: 0.5 }, 90, 0));
        pictures.end();
        return shown.map((picture) => {
            if (!picture) return null;
            const context = new OffscreenCanvas(1, 1).getContext("2d");
            context.drawImage(picture.bitmap, 0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
        });
    };
}"""


def test_each_crop_of_a_photo_is_drawn_as_itself(user: BrowserUser) -> None:
    photo_pixels = np.zeros((240, 320, 3), np.uint8)
    photo_pixels[:, :160, 0], photo_pixels[:, 160:, 2] = 255, 255
    image = encoded(Image.fromarray(photo_pixels), "PNG")
    user.go("/gallery")
    user.page.route(THUMBNAIL, lambda route: route.fulfill(body=image, content_type="image/png"))
    user.page.evaluate(CROPS)

    user.page.wait_for_function("() => colours().every(Boolean)")

    red, blue = user.page.evaluate("colours()")
    assert red[0] > 240 > 15 > red[2]
    assert blue[2] > 240 > 15 > blue[0]


DRAWN = """async (map) => {
    const [{ Painter }, { cellsOf }] = await Promise.all(
        ["painter", "cells"].map((name) => import(`/static/walk-in/${name}.js`)));
    const drawn = [];
    const get = (tile, { left, top, size }) => { drawn.push([tile, left, top, size]); return null; };
    const pictures = { begin() {}, end() {}, get };
    const camera = { x: 0, y: 0, scale: 1, toPicture: (x, y) => [x, y], toFrame: (x, y) => [x, y] };
    const size = { width: 600, height: 200 };
    const cells = cellsOf({ cell: 200, rows: 1, columns: 3, tiles: [0, 1, 0], ...map }, size);
    const base = { pick: () => null };
    const painter = new Painter(document.createElement("canvas"), { base, pictures, cells, size, hidden: () => false });
    painter.draw(camera, { frame: { width: 600, height: 200 }, ratio: 1, covered: true }, null, 0);
    return drawn;
}"""


@pytest.mark.parametrize(
    ("cell_map", "drawn"),
    [
        (
            {"crops": [[0.5, 0, 1], [1, 0.25, 0.75]], "cell_crops": [0, 1, 1]},
            [[0.5, 0, 1], [1, 0.25, 0.75], [1, 0.25, 0.75]],
        ),
        ({"crops": None, "cell_crops": None}, [[0.5, 0.5, 1]] * 3),
        ({"centerings": [[0, 0.5], None]}, [[0, 0.5, 1], [0.5, 0.5, 1], [0, 0.5, 1]]),
    ],
    ids=["crops", "unknown crops", "older map"],
)
def test_cells_show_the_crops_that_their_map_states(
    user: BrowserUser, cell_map: dict[str, Any], drawn: list[list[float]]
) -> None:
    user.go("/gallery")

    assert user.page.evaluate(DRAWN, cell_map) == [[tile, *crop] for tile, crop in zip([0, 1, 0], drawn, strict=True)]


def number_of(route: Route) -> int:
    return int(route.request.url.rsplit("/", 2)[1])
