"""The photos of a photomosaic are requested a few at a time, and only as long as they are on the screen."""

from __future__ import annotations

import re

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


def number_of(route: Route) -> int:
    return int(route.request.url.rsplit("/", 2)[1])
