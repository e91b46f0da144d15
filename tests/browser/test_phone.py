"""The studio on a phone: one screen, the image visible and uncovered, every action within reach of a thumb."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, box_of, fingers, image_file, until
from tests.support.pictures import png

WIDTH, HEIGHT = 390, 844
REACH_PX = 0.42 * HEIGHT
"""Below this line a thumb reaches everything; the image and the navigation are above it."""

UNCOVERED = """() => {
    const frame = document.querySelector('[data-part="compare"]').getBoundingClientRect();
    const points = [0.04, 0.3, 0.7, 0.96].flatMap(x => [0.04, 0.5, 0.96].map(y => [x, y]));
    return points.every(([x, y]) => document
        .elementFromPoint(frame.x + x * frame.width, frame.y + y * frame.height)?.closest(".compare--stage"));
}"""
ACTIONS = """() => [...document.querySelectorAll(".workspace button, .workspace [role=tab]")]
    .filter(one => one.checkVisibility())
    .map(one => [one.getAttribute("aria-label") ?? one.textContent, one.getBoundingClientRect().y])"""
REACHABLE = """button => {
    const box = button.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return top?.closest("button") === button && box.bottom <= innerHeight;
}"""
IS_WHOLE = "({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth"
FITS = "() => document.documentElement.scrollHeight <= innerHeight"


def check_downloads(phone: BrowserUser) -> None:
    """The menu of the picture's page lies inside the window, whichever side its button is at; then back."""
    phone.part("job-card").get_by_role("link", name="Open").tap()
    menu = phone.part("download-menu")
    menu.locator("summary").tap()
    items = menu.locator(".menu__list > *")
    expect(items).not_to_have_count(0)
    for item in items.all():
        expect(item).to_be_in_viewport(ratio=0.99)  # of fractions of a pixel
    phone.page.go_back()
    phone.wait_for_job("done")


def test_a_tap_after_a_drag_is_not_lost(new_user: Callable[..., BrowserUser]) -> None:
    """Chromium may see a fling in a drag, and then the next tap only stops it, wherever it is."""
    phone = new_user(viewport={"width": WIDTH, "height": HEIGHT}, has_touch=True, is_mobile=True)
    phone.go("/")
    phone.open_files(image_file(png(64, 48)))
    phone.wait_for_preview()
    frame = box_of(phone.part("compare"))
    grip = box_of(phone.part("workspace").get_by_role("slider", name="Before and after:"))
    drag_and_tap(phone, grip["x"] + grip["width"] / 2, frame["y"] + 50, follows=True)

    phone.page.keyboard.press("+")
    drag_and_tap(phone, frame["x"] + 200, frame["y"] + 50, follows=False)


def drag_and_tap(phone: BrowserUser, x: float, y: float, *, follows: bool) -> None:
    """Drags right and left from a point, then taps on a tab. follows: what is dragged comes along."""
    touch = fingers(phone)
    for name in ("Settings", "Style") * 6:
        by = 60 if name == "Settings" else -60
        touch("touchStart", (x, y))
        touch("touchMove", (x + by / 2, y))
        touch("touchMove", (x + by, y))
        touch("touchEnd")
        x += by if follows else 0
        tab = phone.page.get_by_role("tab", name=name)
        tab.tap()
        expect(tab).to_have_attribute("aria-selected", "true")


def test_no_look_covers_the_styles_on_a_phone_that_lies_on_its_side(new_user: Callable[..., BrowserUser]) -> None:
    phone = new_user(viewport={"width": HEIGHT, "height": WIDTH}, has_touch=True, is_mobile=True)
    phone.go("/")
    phone.open_files(image_file(png(64, 48)))
    style = phone.page.locator(".styles .style__face").first
    looks = phone.page.get_by_role("group", name="Looks")
    expect(looks.get_by_role("radio")).not_to_have_count(0)

    style.scroll_into_view_if_needed()

    until(phone.page, lambda: box_of(style)["y"] + box_of(style)["height"] <= box_of(looks)["y"])


def test_fingers_look_into_a_picture_on_its_page(new_user: Callable[..., BrowserUser]) -> None:
    phone = new_user(viewport={"width": WIDTH, "height": HEIGHT}, has_touch=True, is_mobile=True)
    phone.go("/")
    phone.open_files(image_file(png(64, 48)))
    phone.make()
    phone.wait_for_job("done")
    phone.part("job-card").get_by_role("link", name="Open").tap()
    frame, touch = box_of(phone.part("compare")), fingers(phone)
    x, y = frame["x"] + frame["width"] * 0.7, frame["y"] + frame["height"] / 2

    def transform(element: str) -> float:
        return float(
            phone.part("after").evaluate(f"image => new DOMMatrix(getComputedStyle(image).transform).{element}")
        )

    touch("touchStart", (x - 40, y), (x + 40, y))
    for spread in (60, 80, 100):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    until(phone.page, lambda: transform("a"), pytest.approx(2.5))
    before = transform("f")
    touch("touchStart", (x, y))
    touch("touchMove", (x, y - 25))
    touch("touchMove", (x, y - 50))
    touch("touchEnd")

    until(phone.page, lambda: transform("f"), pytest.approx(before - 50, abs=1))
    assert phone.page.evaluate("scrollY") == 0


def test_the_image_stays_visible_from_the_first_slider_to_the_download(
    new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    phone = new_user(viewport={"width": WIDTH, "height": HEIGHT}, has_touch=True, is_mobile=True)
    phone.go("/")
    phone.page.get_by_role("button", name="Koi pond").tap()
    expect(phone.page.locator(".workspace h1")).to_be_focused()
    expect(phone.page.locator(".workspace h1")).to_have_text("Studio")
    phone.wait_for_preview()
    phone.page.wait_for_function(FITS)
    assert phone.part("stage-name").evaluate(IS_WHOLE)
    until(phone.page, lambda: [name for name, y in phone.page.evaluate(ACTIONS) if y < REACH_PX], [])

    phone.page.get_by_role("tab", name="Settings").tap()
    frame = box_of(phone.part("compare"))
    slider = phone.page.locator('[data-parameter="cell"] input[type="range"]')
    track = box_of(slider)
    before = slider.input_value()
    touch, y = fingers(phone), track["y"] + track["height"] / 2
    touch("touchStart", (track["x"] + 60, y))
    for x in range(80, 240, 20):
        touch("touchMove", (track["x"] + x, y))
    assert box_of(phone.part("compare")) == frame
    phone.page.wait_for_function(UNCOVERED)
    touch("touchEnd")
    expect(slider).not_to_have_value(before)
    expect(phone.part("undo")).to_be_enabled()

    check_folded(phone, frame["height"])
    phone.expect_console("status of 401.*/api/tasks/add/")  # of the guest; the page adds the task again for the user
    phone.part("make").tap()
    phone.sign_up(unique_name("pia"))
    phone.wait_for_job("done")
    phone.page.wait_for_function(UNCOVERED)
    until(phone.page, lambda: phone.part("make").evaluate(REACHABLE))
    phone.page.wait_for_function(FITS)
    check_downloads(phone)
    check_offline(phone)


def check_folded(phone: BrowserUser, height: float) -> None:
    """The picture is higher than this while the panel is folded, which a tab unfolds."""
    fold = phone.part("panel-fold")
    fold.tap()
    expect(fold).to_have_attribute("aria-expanded", "false")
    until(phone.page, lambda: box_of(phone.part("compare"))["height"] > height + 100)
    phone.page.get_by_role("tab", name="Style").tap()
    expect(phone.page.locator(".style").first).to_be_in_viewport()


def check_offline(phone: BrowserUser) -> None:
    """Without a connection the picture is uncovered, and the button is within reach."""
    make = phone.part("make")
    phone.expect_console("ERR_FAILED|Failed to load|ERR_CONNECTION")
    phone.page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    phone.page.evaluate("dispatchEvent(new Event('offline'))")
    expect(phone.part("offline")).to_be_visible()
    phone.page.wait_for_function(UNCOVERED)
    until(phone.page, lambda: make.evaluate(REACHABLE))
    phone.page.set_viewport_size({"width": 375, "height": 600})
    expect(make).to_be_in_viewport(ratio=0.99)
