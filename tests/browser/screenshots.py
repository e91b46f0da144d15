"""`make screenshots`: every page and state at four widths, in two themes and two languages, as PNG
files in a folder.

`make pictures` takes those of the README again.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from settings import Settings
from tests.browser.conftest import DEVELOPER, FLAGS, WAIT_LIMIT_MS, find_chromium
from tests.browser.modules import STATIC
from tests.browser.page_states import MAKER, SAMPLES, STYLES_WITH_STATES, VISITOR, State, open_workspace, states
from tests.browser.user import BrowserUser, until
from tests.support.accounts import add_account_to
from tests.support.process import ServerProcess

WIDTHS = {2560: 1440, 1440: 900, 768: 1024, 390: 844}
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh")
TITLES = {"balloons": "Morning over the hills", "koi": "Four in the pond", "ridges": "Seven ridges"}
IMAGES_ARE_DRAWN = """async () => {
    const grids = [...document.querySelectorAll(".image-grid")].filter((grid) => grid.checkVisibility());
    if (!grids.every((grid) => grid.querySelector(".image-card, .empty"))) return false; // not fetched yet
    const visible = [...document.images].filter((image) => {
        const { top, bottom } = image.getBoundingClientRect();
        return image.src && image.checkVisibility() && bottom > 0 && top < innerHeight;
    });
    if (!visible.every((image) => image.complete && image.naturalWidth > 0)) return false;
    return Promise.all(visible.map((image) => image.decode())).then(() => true, () => false); // shows another meanwhile
}"""
README_PICTURES = {"studio": ("workspace", 1440, "light", "en"), "gallery": ("gallery", 1440, "dark", "zh")}
"""File name -> page, width, theme and language."""
README_WIDTH, README_QUALITY = 1200, 88
DESCRIPTION = "A mosaic drawn from one of the sample pictures"


def fill_gallery(user: BrowserUser, wanted: Collection[str] | None) -> dict[str, str]:
    """One mosaic of each wanted style or of all, by one person, from the project's own pictures.

    The photomosaic comes late, when there are pictures to build it from. Style -> address of its page.
    """
    user.go("/")
    user.sign_in(DEVELOPER)
    open_workspace(user.page)
    user.visibility.select_option("In the gallery")
    listed = user.page.evaluate("fetch('/api/styles/').then(answer => answer.json())")["styles"]
    late = ("photomosaic", "voronoi", "tesserae")
    names = [style["name"] for style in listed if wanted is None or style["name"] in wanted]
    styles = sorted(names, key=lambda name: late.index(name) if name in late else -1)
    paths = {}
    for number, style in enumerate(styles):
        sample = SAMPLES[number % len(SAMPLES)]
        user.open_files(STATIC / "samples" / f"{sample}.jpg")
        user.select_style(style)
        if user.part("make").is_disabled():
            user.page.get_by_role("button", name="Add an area").click()
        if style == "photomosaic":
            user.page.locator(".tile-picker__item").first.wait_for()
            if (everything := user.part("tiles-all")).is_enabled():
                everything.click()
        user.make()
        user.wait_for_job("done")
        user.part("job-card").get_by_role("link", name="Open").click()
        describe(user, sample)
        paths[style] = user.page.evaluate("location.pathname")
        user.page.get_by_role("link", name="Studio", exact=True).click()
    return paths


def describe(user: BrowserUser, sample: str) -> None:
    user.page.locator(".toast__close").evaluate_all("buttons => buttons.forEach((button) => button.click())")
    owner = user.part("image-editor")
    owner.get_by_label("Title").fill(TITLES[sample])
    owner.get_by_label("Description").fill(DESCRIPTION)
    original = owner.get_by_label("Show the original")
    if original.is_visible():  # not of a redacted image
        original.check()
    owner.get_by_role("button", name="Save").click()
    user.toast("Saved.").wait_for()


def variants() -> Iterator[tuple[int, str, str]]:
    yield from product(WIDTHS, THEMES, LANGUAGES)


Variant = tuple[str, int, str, str]
"""Page, width, theme and language."""


def take_all(
    browser: Browser, server: ServerProcess, wanted: Callable[[Variant], Path | None], styles: Collection[str] | None
) -> None:
    """wanted: gives the file for a variant, or None. styles: of the gallery's pictures; None: all."""
    context = browser.new_context(base_url=server.base_url, locale="en-GB")
    paths = fill_gallery(BrowserUser(context.new_page()), styles)
    cookies: dict[str | None, list[Any]] = {None: []}
    cookies |= {name: cookies_of(browser, server, name) for name in (DEVELOPER, VISITOR, MAKER)}
    for (width, theme, language), (name, state) in product(variants(), states(paths).items()):
        file = wanted((name, width, theme, language))
        if file is None:
            continue
        one = browser.new_context(
            base_url=server.base_url,
            viewport={"width": width, "height": WIDTHS[width]},
            color_scheme="dark" if theme == "dark" else "light",
            locale="zh-CN" if language == "zh" else "en-GB",
            reduced_motion="reduce",
            has_touch=width < 1000,
            is_mobile=width < 500,
        )
        one.add_cookies(cookies[state.name])
        try:
            take(one.new_page(), state, file)
        except (AssertionError, Error) as error:
            print(file.name, (str(error) or "is never drawn").splitlines()[0], file=sys.stderr)
        one.close()
    context.close()


def cookies_of(browser: Browser, server: ServerProcess, name: str) -> list[Any]:
    """Of the session of a user."""
    context = browser.new_context(base_url=server.base_url, locale="en-GB")
    user = BrowserUser(context.new_page())
    user.go("/")
    user.sign_in(name)
    cookies = list(context.cookies())
    context.close()
    return cookies


def take(page: Page, state: State, file: Path) -> None:
    page.goto(state.path)
    page.wait_for_selector("html.ready")
    try:
        state.act(page)
        until(page, lambda: page.evaluate(IMAGES_ARE_DRAWN))  # `wait_for_function` does not wait for a promise
        page.wait_for_timeout(400)  # the animations of dialogs
        picture = page.screenshot()
    finally:
        page.unroute_all(behavior="ignoreErrors")
        state.undo(page)
    if file.suffix == ".jpg":
        image = Image.open(io.BytesIO(picture)).convert("RGB")
        image = image.resize((README_WIDTH, round(image.height * README_WIDTH / image.width)), Image.Resampling.LANCZOS)
        image.save(file, quality=README_QUALITY, optimize=True)
    else:
        file.write_bytes(picture)


def chosen(variant: Variant, words: set[str]) -> bool:
    """Whether words choose a variant: of pages, widths, themes and languages, those that are named, or all."""
    name, width, theme, language = variant
    others = ((str(width), {*map(str, WIDTHS)}), (theme, {*THEMES}), (language, {*LANGUAGES}))
    names = words.difference(*(domain for _, domain in others))
    return all(not words & domain or value in words for value, domain in ((name, names), *others))


def main() -> None:
    """`python -m tests.browser.screenshots FOLDER [WORD ...]`, or with `--readme` after the folder its two pictures."""
    folder, words = Path(sys.argv[1]), set(sys.argv[2:])

    def wanted(variant: Variant) -> Path | None:
        name, width, theme, language = variant
        if "--readme" in words:
            return next((folder / f"{name}.jpg" for name, one in README_PICTURES.items() if one == variant), None)
        return folder / f"{name}-{width}-{theme}-{language}.png" if chosen(variant, words) else None

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
        add_account_to(Settings(data_dir=server.data_dir), DEVELOPER, VISITOR, MAKER)
        expect.set_options(timeout=WAIT_LIMIT_MS)
        browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        take_all(browser, server, wanted, STYLES_WITH_STATES if words - {"--readme"} else None)
        browser.close()


if __name__ == "__main__":
    main()
