"""What holds on every page: language, keyboard, narrow windows, large text, weight, speed, no other host."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Response, expect

from tests.browser.user import BrowserUser, image_file, until
from tests.support.pictures import png

PAGES = ("/", "/gallery", "/account", "/tasks/")
MISSING_IMAGE = "/i/1"
VISIBILITY = "body => getComputedStyle(body).visibility"
OUR_WORDS = """() => {
    for (const theirs of document.querySelectorAll(".image-card, .task")) theirs.style.display = "none";
    return document.body.innerText;
}"""
TIMES = """async () => {
    await (await import("/static/i18n/i18n.js")).ready;
    const { duration, when } = await import("/static/format.js");
    return [duration(2), when(new Date(Date.now() - 180_000).toISOString())];
}"""
CUT = """() => [...document.querySelectorAll(".button, .chip, .param__name, .style__name")]
    .filter(one => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1)
    .map(one => one.textContent)"""
FIRST_VIEW_LIMIT_BYTES = 110_000
READY_LIMIT_S = 0.3


def expect_to_fit(user: BrowserUser) -> None:
    """Nothing is wider than the window, once all is drawn."""
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    until(user.page, lambda: user.page.evaluate(wide), False)


def test_the_first_language_is_the_browsers(new_user: Callable[..., BrowserUser]) -> None:
    chinese = new_user(locale="zh-CN")

    chinese.go("/")

    expect(chinese.page.get_by_role("button", name="选择图片")).to_be_visible()
    expect(chinese.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    assert chinese.page.evaluate(TIMES) == ["2 秒", "3 分钟前"]


def test_the_language_switches_without_a_reload_and_is_remembered(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48)))
    user.page.evaluate("window.same = true")

    user.part("language").click()

    expect(user.page.get_by_role("button", name="生成原尺寸大图")).to_be_visible()
    expect(user.page.locator(".style__name").first).to_have_text(re.compile(r"[一-鿿]"))
    assert user.page.evaluate("window.same")
    user.go("/gallery")
    expect(user.page.get_by_role("heading", level=1)).to_have_text("画廊")


def test_no_word_is_left_untranslated(new_user: Callable[..., BrowserUser]) -> None:
    chinese = new_user(locale="zh-CN")

    chinese.go(PAGES[0])
    for path in PAGES:
        chinese.follow(path)
        until(chinese.page, lambda: english_words(chinese), set())


def english_words(user: BrowserUser) -> set[str]:
    """Those in the texts of the page, whatever people have written."""
    return set(re.findall(r"[A-Za-z]{3,}", user.page.evaluate(OUR_WORDS))) - {"Tessera"}


def test_the_keyboard_panel_opens_and_gives_the_focus_back(user: BrowserUser) -> None:
    user.go("/")
    choose = user.page.get_by_role("button", name="Choose a picture")
    choose.focus()

    user.page.keyboard.press("?")
    expect(user.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    user.page.keyboard.press("Escape")

    expect(choose).to_be_focused()


def test_single_keys_work_and_can_be_switched_off(user: BrowserUser) -> None:
    user.go("/")
    user.page.keyboard.press("g")
    expect(user.page.get_by_role("heading", level=1)).to_have_text("Gallery")

    user.page.keyboard.press("?")
    user.page.get_by_label("Use single-key shortcuts").uncheck()
    user.page.keyboard.press("Escape")
    user.page.keyboard.press("s")

    assert user.page.url.endswith("/gallery")


def test_the_whole_way_goes_by_keyboard_alone(user: BrowserUser) -> None:
    user.go("/")
    user.page.keyboard.press("Tab")
    expect(user.page.get_by_role("link", name="Skip to content")).to_be_focused()

    user.page.get_by_role("button", name="Ridges").focus()
    user.page.keyboard.press("Enter")
    expect(user.part("workspace")).to_be_visible()
    user.part("visibility").focus()
    user.part("visibility").press("i")  # of "In the gallery", which needs an account
    user.part("workspace").locator("h1").focus()
    user.page.keyboard.press("m")

    expect(user.page.get_by_role("dialog").get_by_label("E-mail")).to_be_focused()


def test_a_narrow_window_needs_no_sideways_scrolling(new_user: Callable[..., BrowserUser]) -> None:
    narrow = new_user(viewport={"width": 320, "height": 640})

    narrow.go(PAGES[0])
    for path in PAGES:
        narrow.follow(path)
        expect_to_fit(narrow)


def test_the_workspace_fits_a_narrow_window(new_user: Callable[..., BrowserUser]) -> None:
    narrow = new_user(viewport={"width": 320, "height": 640}, has_touch=True)
    narrow.go("/")

    narrow.open_files(image_file(png(64, 48)))

    expect_to_fit(narrow)
    expect(narrow.part("make")).to_be_in_viewport()


def test_text_of_twice_the_size_fits(new_user: Callable[..., BrowserUser]) -> None:
    large = new_user(viewport={"width": 820, "height": 1000})
    large.go(PAGES[0])

    large.page.evaluate("document.documentElement.style.fontSize = '200%'")

    for path in PAGES:
        large.follow(path)
        expect_to_fit(large)


def test_the_workspace_and_its_controls_fit_with_text_of_twice_the_size(new_user: Callable[..., BrowserUser]) -> None:
    large = new_user(viewport={"width": 640, "height": 900})
    large.go("/")
    large.open_files(image_file(png(64, 48)))
    expect(large.part("stage-note")).to_contain_text("Preview, drawn in")

    large.page.evaluate("document.documentElement.style.fontSize = '200%'")

    expect_to_fit(large)
    until(large.page, lambda: large.page.evaluate(CUT), [])
    large.part("make").scroll_into_view_if_needed()
    expect(large.part("make")).to_be_in_viewport()


def test_the_first_view_is_light_and_asks_no_other_host(user: BrowserUser) -> None:
    answers: list[Response] = []
    user.page.on("response", lambda response: answers.append(response))

    user.go("/")

    sizes = [answer.request.sizes() for answer in answers if answer.request.resource_type != "image"]
    weight = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    hosts = {urlsplit(answer.url).netloc for answer in answers if answer.url.startswith("http")}
    assert hosts == {urlsplit(user.page.url).netloc}
    assert weight < FIRST_VIEW_LIMIT_BYTES, f"{weight} bytes"


def test_the_first_view_needs_little_processor_time(user: BrowserUser) -> None:
    """Of the main thread, which other programs do not add to; tests/bench/first_view.py measures until it is seen."""
    session = user.page.context.new_cdp_session(user.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    user.go("/")

    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    assert 0 < metrics["TaskDuration"] < READY_LIMIT_S


MOVES = "() => document.getAnimations().some(one => one.playState === 'running')"
RESTS = "() => document.getAnimations().every(one => one.playState !== 'running')"
# What moves for more than a millisecond, whatever its selector; the delay of a line is no motion.
LASTING = """() => {
    document.querySelector(".compare").classList.add("compare--busy");
    const longest = (durations) => Math.max(...durations.split(", ").map(parseFloat));
    return [...document.querySelectorAll("*")].flatMap((element) => ["", "::before", "::after"].flatMap((pseudo) => {
        const style = getComputedStyle(element, pseudo);
        const isMoving = style.animationName !== "late" && longest(style.animationDuration) > 0.001;
        return isMoving || longest(style.transitionDuration) > 0.001 ? [element.className + pseudo] : [];
    }));
}"""


def test_motion_stops_where_it_is_not_wanted(user: BrowserUser) -> None:
    user.page.emulate_media(reduced_motion="no-preference")
    user.go("/")
    user.page.wait_for_function(MOVES)

    user.page.emulate_media(reduced_motion="reduce")

    user.page.wait_for_function(RESTS)
    user.page.keyboard.press("?")
    expect(user.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert user.page.evaluate(LASTING) == []


def test_without_scripts_the_page_says_what_it_needs(new_user: Callable[..., BrowserUser]) -> None:
    plain = new_user(java_script_enabled=False)

    plain.page.goto("/")

    message = plain.page.locator("noscript p")
    expect(message).to_be_visible()
    expect(message).to_have_text("Tessera needs JavaScript. / Tessera 需要启用 JavaScript。")
    expect(plain.page.locator("button:visible, nav:visible, h1:visible")).to_have_count(0)


def test_what_fails_unforeseen_is_told_too(user: BrowserUser) -> None:
    user.expect_console("uncaught: ")
    user.go("/")

    user.page.evaluate("() => { setTimeout(() => Promise.reject(new Error('a bug'))); }")

    expect(user.toast("Something went wrong. Try again")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "pattern"),
    [("/", "**/api/styles/"), ("/gallery", "**/api/feed/*"), ("/u/nobody", "**/api/user/query/*")],
    ids=["styles", "gallery", "person"],
)
def test_what_the_server_cannot_do_is_told(path: str, pattern: str, user: BrowserUser) -> None:
    user.expect_console("status of (500|404)")
    body = '{"code": -1, "error": "internal", "message": "Our fault: please try again."}'
    user.page.route(pattern, lambda route: route.fulfill(status=500, content_type="application/json", body=body))

    user.go(path)

    expect(user.toast("Our fault: please try again.")).to_be_visible()


def test_an_unknown_address_says_so(user: BrowserUser) -> None:
    user.expect_console(r"status of 404 .*/i/1$")

    user.go(MISSING_IMAGE)

    expect(user.page.get_by_role("heading", level=1)).to_have_text("Page not found")
