"""What the user waits for is rendered before thumbnails, and parts of results are requested when a gesture ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import Error, Request, Route, expect

from tests.browser.user import BrowserUser, image_file, until
from tests.processing.mosaic.pictures import encoded, scene

PHOTO = encoded(scene(1800, 1350), "JPEG", quality=92)
ACTUAL = "document.querySelector('.workspace [data-zoom=actual]').click()"
DRAWN = "() => !document.querySelector('[data-part=\"region\"]').hidden"
LARGE, THUMBNAIL, PREPARATION, PART = "large", "thumbnail", "preparation", "part"


class Renders:
    """The renders that a page requests. kinds, styles: of all of them. waiting: those of kinds that `hold` names."""

    def __init__(self, user: BrowserUser) -> None:
        self.kinds: list[str] = []
        self.styles: list[str] = []
        self.aborted: list[str] = []
        self.waiting: list[Route] = []
        self._hold: set[str] = set()
        self._page = user.page
        user.page.route("**/api/preview/", self._on_route)
        user.page.on("requestfailed", self._on_failed)

    def hold(self, *kinds: str) -> None:
        """Hold those that follow."""
        self._hold = set(kinds)

    def release(self) -> None:
        """Send those that wait, but for those that the page has aborted, and hold no further ones."""
        self._hold = set()
        while self.waiting:
            route = self.waiting.pop()
            try:
                route.continue_()
            except Error:  # Playwright waits for a route until somebody handles it
                route.fallback()

    def _on_route(self, route: Route) -> None:
        kind = kind_of(route.request)
        self.kinds.append(kind)
        self.styles.append(json.loads(field(route.request, "param"))["style"])
        if kind in self._hold:
            self.waiting.append(route)
        else:
            route.continue_()

    def _on_failed(self, request: Request) -> None:
        if request.url.endswith("/api/preview/"):
            self.aborted.append(kind_of(request))


def field(request: Request, name: str) -> str:
    """A field of a multipart form; empty if there is none."""
    match = re.search(rf'name="{name}"\r\n\r\n(.*?)\r\n', (request.post_data_buffer or b"").decode("latin-1"))
    return match[1] if match else ""


def kind_of(request: Request) -> str:
    if field(request, "source"):
        return PREPARATION if field(request, "left") == field(request, "right") else PART
    return LARGE if float(field(request, "scale")) > 0.5 else THUMBNAIL


NewUser = Callable[..., BrowserUser]


def open_page(user: BrowserUser) -> Renders:
    """The renders that the page requests from now on."""
    renders = Renders(user)
    user.go()
    return renders


def open_photo(user: BrowserUser) -> None:
    user.open_files(image_file(PHOTO, "photo.jpg", "image/jpeg"))


def test_thumbnails_wait_for_the_preview(new_user: NewUser) -> None:
    user = new_user(thumbnails=True)
    renders = open_page(user)
    renders.hold(LARGE)

    open_photo(user)
    until(user.page, lambda: len(renders.waiting), 1)
    before = list(renders.kinds)
    renders.release()

    until(user.page, lambda: THUMBNAIL in renders.kinds)
    assert before == [LARGE]


def test_a_part_interrupts_thumbnails_which_are_drawn_later(new_user: NewUser) -> None:
    user = new_user(thumbnails=True)
    renders = open_page(user)
    renders.hold(THUMBNAIL)
    open_photo(user)
    user.wait_for_preview()
    until(user.page, lambda: len(renders.waiting) > 1)

    renders.hold(PART)
    user.page.evaluate(ACTUAL)
    until(user.page, lambda: PART in renders.kinds)
    until(user.page, lambda: THUMBNAIL in renders.aborted)
    after = renders.kinds[renders.kinds.index(PART) :]
    renders.release()

    assert after == [PART]
    expect(user.page.locator(".style__image--waiting")).to_have_count(0)


def test_a_new_setting_stops_the_preparation(new_user: NewUser) -> None:
    user = new_user()
    renders = open_page(user)
    open_photo(user)
    user.wait_for_preview()
    renders.hold(PREPARATION)
    user.page.get_by_label("Size", exact=True).select_option("A4-150")
    until(user.page, lambda: len(renders.waiting), 1)

    renders.hold(LARGE)
    user.select_style("hexagon")

    until(user.page, lambda: PREPARATION in renders.aborted)
    until(user.page, lambda: LARGE in [kind_of(route.request) for route in renders.waiting])
    renders.release()
    until(user.page, lambda: renders.kinds.count(PREPARATION), 2)
    assert renders.styles[-1] == "hexagon"


def open_paused(new_user: NewUser) -> tuple[BrowserUser, Renders]:
    """A preview on a page whose timers do not run out."""
    user = new_user(last=True)
    user.page.clock.install()  # before any timer of the page
    renders = open_page(user)
    open_photo(user)
    user.wait_for_preview()
    user.page.clock.pause_at(user.page.evaluate("Date.now()") + 60_000)
    return user, renders


def test_a_part_is_requested_when_a_click_or_a_drag_ends(new_user: NewUser) -> None:
    user, renders = open_paused(new_user)

    user.page.evaluate(ACTUAL)
    until(user.page, lambda: user.page.evaluate(DRAWN))
    box = user.page.locator('[data-part="workspace"] [data-part="compare"]').bounding_box()
    assert box is not None
    user.page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"])
    user.page.mouse.down()
    user.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    user.page.mouse.up()

    until(user.page, lambda: renders.kinds.count(PART), 2)


def test_clicks_that_follow_each_other_request_the_last_part(new_user: NewUser) -> None:
    user, renders = open_paused(new_user)
    renders.hold(PART)

    user.page.evaluate(ACTUAL)
    until(user.page, lambda: len(renders.waiting), 1)
    for _ in range(3):
        user.page.evaluate(ACTUAL.replace("actual", "in"))
    until(user.page, lambda: renders.aborted.count(PART), 1)
    before = renders.kinds.count(PART)
    user.page.clock.run_for(1000)
    until(user.page, lambda: renders.kinds.count(PART), 2)
    renders.release()

    assert before == 1
    until(user.page, lambda: user.page.evaluate(DRAWN))
