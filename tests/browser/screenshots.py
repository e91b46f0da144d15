"""`make screenshots`: every page at three widths, in two themes and two languages, as PNG files in a folder."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import DEVELOPER, FLAGS, find_chromium
from tests.browser.modules import STATIC
from tests.browser.visitor import Visitor
from tests.process import ServerProcess

WIDTHS = {1440: 900, 820: 1180, 390: 844}
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh")
SAMPLES = ("balloons", "koi", "ridges")
TITLES = {"balloons": "Morning over the hills", "koi": "Four in the pond", "ridges": "Seven ridges"}
SEEN = "A mosaic drawn from one of the sample pictures"


def fill_gallery(visitor: Visitor, styles: int) -> None:
    """One mosaic of each style, by one person, from the project's own pictures."""
    visitor.go("/")
    visitor.sign_up(DEVELOPER)
    for number in range(styles):
        sample = SAMPLES[number % len(SAMPLES)]
        visitor.choose(STATIC / "samples" / f"{sample}.jpg")
        visitor.page.locator(".style input").nth(number).check(force=True)
        if visitor.part("make").is_disabled():
            visitor.page.get_by_role("button", name="Cover a part").click()
        visitor.make()
        visitor.wait_for_work("done")
        visitor.part("work").get_by_role("link", name="See it").click()
        describe(visitor, sample)
        visitor.page.get_by_role("link", name="Studio", exact=True).click()


def describe(visitor: Visitor, sample: str) -> None:
    owner = visitor.part("owner")
    owner.get_by_label("Title").fill(TITLES[sample])
    owner.get_by_label("What can be seen?").fill(SEEN)
    owner.get_by_label("Show the original").check()
    owner.get_by_role("button", name="Save").click()
    visitor.toast("Saved.").wait_for()


def open_bench(page: Page) -> None:
    page.locator("[data-sample=balloons]").click()
    page.wait_for_selector('[data-part="bench"]:not([hidden])')
    page.wait_for_selector(".style__image:not(.style__image--waiting)")
    page.wait_for_load_state("networkidle")


def open_keys(page: Page) -> None:
    page.keyboard.press("?")


def open_sign(page: Page) -> None:
    page.locator('[data-part="sign-open"]').click()


def stay(_: Page) -> None:
    """The page as it opens."""


def pages(picture: str) -> dict[str, tuple[str, Callable[[Page], None], bool]]:
    """Name -> (address, what to do there, whether to be signed in)."""
    return {
        "studio": ("/", stay, False),
        "bench": ("/", open_bench, False),
        "sign": ("/", open_sign, False),
        "keys": ("/", open_keys, False),
        "gallery": ("/gallery", stay, False),
        "picture": (picture, stay, True),
        "profile": (f"/u/{DEVELOPER}", stay, False),
        "account": ("/account", stay, True),
        "tasks": ("/tasks/", stay, True),
        "lost": ("/i/1", stay, False),
    }


def variants() -> Iterator[tuple[int, str, str]]:
    yield from product(WIDTHS, THEMES, LANGUAGES)


def take_all(browser: Browser, server: ServerProcess, folder: Path, wanted: set[str]) -> None:
    context = browser.new_context(base_url=server.base_url, locale="en-GB")
    first = Visitor(context.new_page())
    first.go("/")
    fill_gallery(first, len(first.page.evaluate("fetch('/api/styles/').then(answer => answer.json())")["styles"]))
    first.go("/gallery")
    picture = first.page.locator(".tile").first.get_attribute("href") or "/"
    session = context.storage_state()
    for (width, theme, language), (name, (path, act, signed)) in product(variants(), pages(picture).items()):
        if wanted and name not in wanted:
            continue
        one = browser.new_context(
            base_url=server.base_url,
            viewport={"width": width, "height": WIDTHS[width]},
            color_scheme="dark" if theme == "dark" else "light",
            locale="zh-CN" if language == "zh" else "en-GB",
            reduced_motion="reduce",
            has_touch=width < 1000,
            storage_state=without_choices(session) if signed else None,
        )
        take(one.new_page(), path, act, folder / f"{name}-{width}-{theme}-{language}.png")
        one.close()
    context.close()


def without_choices(session: object) -> dict[str, object]:
    """The session's cookies alone."""
    assert isinstance(session, dict)
    return {"cookies": session["cookies"], "origins": []}


def take(page: Page, path: str, act: Callable[[Page], None], file: Path) -> None:
    page.goto(path)
    page.wait_for_selector("html.ready")
    act(page)
    page.wait_for_timeout(400)  # the animations of dialogs and the last pictures
    page.screenshot(path=file)


def main() -> None:
    """`python -m tests.browser.screenshots FOLDER [PAGE ...]`"""
    folder, wanted = Path(sys.argv[1]), set(sys.argv[2:])
    folder.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium on PATH; install Debian's `chromium` or name one in CHROMIUM")
    developers = f"--developers={DEVELOPER}"
    with (
        tempfile.TemporaryDirectory() as data,
        sync_playwright() as driver,
        ServerProcess(Path(data) / "data", developers) as server,
    ):
        browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        take_all(browser, server, folder, wanted)
        browser.close()


if __name__ == "__main__":
    main()
