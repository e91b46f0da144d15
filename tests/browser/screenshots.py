"""`make screenshots`: every page at four widths, in two themes and two languages, as PNG files in a folder.

`make pictures` takes those of the README again.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from settings import Settings
from tests.browser.conftest import DEVELOPER, FLAGS, WAIT_LIMIT_MS, find_chromium
from tests.browser.modules import STATIC
from tests.browser.user import BrowserUser
from tests.support.accounts import add_account_to
from tests.support.process import ServerProcess

WIDTHS = {2560: 1440, 1440: 900, 768: 1024, 390: 844}
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh")
SAMPLES = ("balloons", "koi", "ridges")
TITLES = {"balloons": "Morning over the hills", "koi": "Four in the pond", "ridges": "Seven ridges"}
IMAGES_ARE_DRAWN = """() => [...document.images].every((image) => {
    const { top, bottom } = image.getBoundingClientRect();
    if (!image.src || !image.checkVisibility() || bottom < 0 || top > innerHeight) return true;
    return image.complete && image.naturalWidth > 0;
})"""
README_PICTURES = {"studio": ("workspace", 1440, "light", "en"), "gallery": ("gallery", 1440, "dark", "zh")}
"""File name -> page, width, theme and language."""
README_WIDTH, README_QUALITY = 1200, 88
DESCRIPTION = "A mosaic drawn from one of the sample pictures"


def fill_gallery(user: BrowserUser) -> dict[str, str]:
    """One mosaic of each style, by one person, from the project's own pictures. Style -> address of its page.

    The photomosaic comes late, when there are pictures to build it from.
    """
    user.go("/")
    user.sign_in(DEVELOPER)
    open_workspace(user.page)
    user.visibility.select_option("In the gallery")
    listed = user.page.evaluate("fetch('/api/styles/').then(answer => answer.json())")["styles"]
    late = ("photomosaic", "voronoi", "tesserae")
    styles = sorted((style["name"] for style in listed), key=lambda name: late.index(name) if name in late else -1)
    paths = {}
    for number, style in enumerate(styles):
        sample = SAMPLES[number % len(SAMPLES)]
        user.open_files(STATIC / "samples" / f"{sample}.jpg")
        user.select_style(style)
        if user.part("make").is_disabled():
            user.page.get_by_role("button", name="Add an area").click()
        if style == "photomosaic":
            user.page.locator(".tile-picker__item input:checked").first.wait_for(state="attached")
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


def open_workspace(page: Page) -> None:
    page.locator("[data-sample=balloons]").click()
    page.wait_for_selector('[data-part="workspace"]:not([hidden])')
    page.wait_for_selector(".style__image:not(.style__image--waiting)")
    page.wait_for_load_state("networkidle")


def open_settings(page: Page) -> None:
    open_workspace(page)
    BrowserUser(page).open_tab("settings")


def scroll_to_examples(page: Page) -> None:
    page.locator('[data-part="showcase"]').scroll_into_view_if_needed()
    page.locator(".example").first.wait_for()
    page.locator(".showcase h2").first.evaluate("title => title.scrollIntoView()")
    page.wait_for_load_state("networkidle")


def open_tiles(page: Page) -> None:
    open_workspace(page)
    BrowserUser(page).select_style("photomosaic")
    BrowserUser(page).open_tab("settings")
    page.wait_for_selector(".tile-picker__item input:checked", state="attached")
    page.locator('[data-parameter="tiles"]').scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")


def walk_in(page: Page) -> None:
    canvas = page.locator('[data-part="walk-in"]')
    canvas.wait_for()  # what is still hidden takes no focus
    canvas.focus()
    for key in ["ArrowRight"] * 20 + ["ArrowDown"] * 14 + ["+"] * 5:
        canvas.press(key)
    page.wait_for_load_state("networkidle")


def scroll_to_parts(page: Page) -> None:
    page.locator('[data-part="parts-list"]').scroll_into_view_if_needed()


def mark_region(page: Page) -> None:
    open_workspace(page)
    BrowserUser(page).select_style("redact")
    BrowserUser(page).open_tab("settings")
    page.get_by_role("button", name=re.compile("Add an area|添加区域")).click()
    page.locator('[data-part="stage-note"]', has_text=re.compile("Preview|预览")).wait_for(state="attached")


def make_one(page: Page) -> None:
    open_workspace(page)
    BrowserUser(page).make()
    BrowserUser(page).wait_for_job("done")
    page.wait_for_load_state("networkidle")


def make_batch(page: Page) -> None:
    BrowserUser(page).select_files(*[STATIC / "samples" / f"{sample}.jpg" for sample in SAMPLES])
    page.locator(".filmstrip__frame").nth(2).wait_for()
    page.locator('[data-part="make-all"]').click()
    page.locator('[data-part="activity"]').click()
    page.locator('.batch li[data-phase="done"]').nth(2).wait_for()
    page.wait_for_load_state("networkidle")


def open_keys(page: Page) -> None:
    page.keyboard.press("?")


def open_sign(page: Page) -> None:
    page.locator('[data-part="sign-in-open"]').click()


def stay(_: Page) -> None:
    """The page as it opens."""


def pages(paths: dict[str, str]) -> dict[str, tuple[str, Callable[[Page], None], bool]]:
    """Name -> (address, what to do there, whether to be signed in)."""
    return {
        "studio": ("/", stay, False),
        "examples": ("/", scroll_to_examples, False),
        "workspace": ("/", open_workspace, False),
        "settings": ("/", open_settings, False),
        "tiles": ("/", open_tiles, True),
        "region": ("/", mark_region, False),
        "finished": ("/", make_one, False),
        "batch": ("/", make_batch, True),
        "sign": ("/", open_sign, False),
        "keys": ("/", open_keys, False),
        "gallery": ("/gallery", stay, False),
        "image": (paths["tesserae"], stay, True),
        "photomosaic": (paths["photomosaic"], walk_in, True),
        "covered": (paths["redact"], stay, True),
        "bricks": (paths["brick"], scroll_to_parts, False),
        "profile": (f"/u/{DEVELOPER}", stay, False),
        "account": ("/account", stay, True),
        "tasks": ("/tasks/", stay, True),
        "not-found": ("/i/1", stay, False),
    }


def variants() -> Iterator[tuple[int, str, str]]:
    yield from product(WIDTHS, THEMES, LANGUAGES)


Variant = tuple[str, int, str, str]
"""Page, width, theme and language."""


def take_all(browser: Browser, server: ServerProcess, wanted: Callable[[Variant], Path | None]) -> None:
    """wanted: gives the file for a variant, or None."""
    context = browser.new_context(base_url=server.base_url, locale="en-GB")
    first = BrowserUser(context.new_page())
    paths = fill_gallery(first)
    session = context.storage_state()
    for (width, theme, language), (name, (path, act, signed)) in product(variants(), pages(paths).items()):
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
            storage_state=without_choices(session) if signed else None,
        )
        take(one.new_page(), path, act, file)
        one.close()
    context.close()


def without_choices(session: object) -> dict[str, object]:
    """The session's cookies alone."""
    assert isinstance(session, dict)
    return {"cookies": session["cookies"], "origins": []}


def take(page: Page, path: str, act: Callable[[Page], None], file: Path) -> None:
    page.goto(path)
    if not path.startswith("/api/"):
        page.wait_for_selector("html.ready")
    act(page)
    page.wait_for_function(IMAGES_ARE_DRAWN)
    page.wait_for_timeout(400)  # the animations of dialogs
    picture = page.screenshot()
    if file.suffix == ".jpg":
        image = Image.open(io.BytesIO(picture)).convert("RGB")
        image = image.resize((README_WIDTH, round(image.height * README_WIDTH / image.width)), Image.Resampling.LANCZOS)
        image.save(file, quality=README_QUALITY, optimize=True)
    else:
        file.write_bytes(picture)


def main() -> None:
    """`python -m tests.browser.screenshots FOLDER [PAGE ...]`, or with `--readme` after the folder its two pictures."""
    folder, names = Path(sys.argv[1]), set(sys.argv[2:])

    def wanted(variant: Variant) -> Path | None:
        name, width, theme, language = variant
        if "--readme" in names:
            return next((folder / f"{each}.jpg" for each, chosen in README_PICTURES.items() if chosen == variant), None)
        return folder / f"{name}-{width}-{theme}-{language}.png" if not names or name in names else None

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
        add_account_to(Settings(data_dir=server.data_dir), DEVELOPER)
        expect.set_options(timeout=WAIT_LIMIT_MS)
        browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        take_all(browser, server, wanted)
        browser.close()


if __name__ == "__main__":
    main()
