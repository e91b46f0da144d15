"""What `make screenshots` takes: each page, and what to do there until it is in the state to take."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import DEVELOPER
from tests.browser.modules import STATIC
from tests.browser.user import BrowserUser, image_file
from tests.support.pictures import encoded

SAMPLES = ("balloons", "koi", "ridges")
VISITOR, MAKER = "mira", "nora"
"""Accounts: one without pictures, and one that makes some."""
MANY = 30
STYLES_WITH_STATES = ("tesserae", "photomosaic", "redact", "brick")
"""The styles whose pictures have states of their own."""
MARKED = re.compile("Add an area|添加区域")


def open_workspace(page: Page) -> None:
    page.locator("[data-sample=balloons]").click()
    page.wait_for_selector('[data-part="workspace"]:not([hidden])')
    page.wait_for_selector(".style__image:not(.style__image--waiting)")
    expect(page.locator(".style__image--waiting")).to_have_count(0)
    wait_for_preview(page)


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
    page.wait_for_selector(".tile-picker__item")
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
    page.get_by_role("button", name=MARKED).click()
    wait_for_preview(page)


def wait_for_preview(page: Page) -> None:
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


def opened(crop: tuple[int, int], *, transparent: bool = False) -> Callable[[Page], None]:
    """Opens a part of a sample of this size, transparent outside of an ellipse if asked."""

    def act(page: Page) -> None:
        with Image.open(STATIC / "samples" / "koi.jpg") as sample:
            image = sample.convert("RGB").resize((max(crop[0], 900), max(crop[1], 900))).crop((0, 0, *crop))
        if transparent:
            hole = Image.radial_gradient("L").resize(crop).point(lambda value: 255 if value < 150 else 0)
            image.putalpha(hole)
        BrowserUser(page).open_files(image_file(encoded(image, "PNG"), "pond.png"))
        expect(page.locator(".style__image--waiting")).to_have_count(0)
        wait_for_preview(page)

    return act


def make_many(page: Page) -> None:
    """Half of thirty uploads are held back, so that the batch stays as it is."""
    sent: list[Route] = []

    def hold_the_second_half(route: Route) -> None:
        sent.append(route)
        if len(sent) <= MANY // 2:
            route.continue_()

    page.route(re.compile("/up/?$"), hold_the_second_half)
    with Image.open(STATIC / "samples" / "koi-small.jpg") as sample:
        files = [image_file(encoded(sample.rotate(12 * turn), "PNG"), f"pond-{turn}.png") for turn in range(MANY)]
    BrowserUser(page).select_files(*files)
    page.locator(".filmstrip__frame").nth(MANY - 1).wait_for()
    page.locator('[data-part="make-all"]').click()
    page.locator('[data-part="activity"]').click()
    expect(page.locator('.batch li[data-phase="done"]')).to_have_count(MANY // 2)
    page.wait_for_load_state("networkidle")


def lose_connection(page: Page) -> None:
    open_workspace(page)
    page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    BrowserUser(page).make()
    page.evaluate("dispatchEvent(new Event('offline'))")
    page.locator('[data-part="offline"]').wait_for()
    page.locator('[data-part="job-card"]').wait_for()


def fail(page: Page) -> None:
    open_workspace(page)
    page.route(re.compile("/up/?$"), lambda route: route.fulfill(status=400, json={"error": "bad request"}))
    BrowserUser(page).make()
    BrowserUser(page).wait_for_job("failed")


def open_unreadable(page: Page) -> None:
    BrowserUser(page).select_files(image_file(b"text", "letter.png"))
    page.locator(".toast").wait_for()


def pause(page: Page) -> None:
    page.locator('[data-part="pause"]').click()
    page.locator(".paused").wait_for()


def make_while_paused(page: Page) -> None:
    page.evaluate("fetch('/api/tasks/pause/', { method: 'POST' }).then((answer) => answer.text())")
    open_workspace(page)
    BrowserUser(page).select_style("hexagon")
    BrowserUser(page).make()
    BrowserUser(page).wait_for_job("queued")


def resume(page: Page) -> None:
    page.evaluate("fetch('/api/tasks/resume/', { method: 'POST' }).then((answer) => answer.text())")


def open_story(page: Page) -> None:
    page.locator(".task__id").first.click()
    page.locator('[data-part="detail"] h2').first.wait_for()
    page.wait_for_load_state("networkidle")


def open_downloads(page: Page) -> None:
    page.locator('[data-part="download-menu"] summary').click()


def ask_to_delete(page: Page) -> None:
    page.locator('[data-part="image-editor"] [data-action="delete"]').click()


def open_drawer(page: Page) -> None:
    page.locator('[data-part="activity"]').click()


def open_menu(page: Page) -> None:
    page.locator('[data-part="user-menu"] summary').click()


def select_pictures(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Select pictures|选择图片")).click()
    for card in page.locator(".image-card").all()[:2]:
        card.click()


def fold_panel(page: Page) -> None:
    open_workspace(page)
    fold = page.locator('[data-part="panel-fold"]')
    if fold.is_visible():
        fold.click()


def read_reference(page: Page) -> None:
    page.locator(".operation").first.wait_for()


def stay(_: Page) -> None:
    """The page as it opens."""


class State(NamedTuple):
    """A page in one state."""

    path: str
    act: Callable[[Page], None] = stay
    name: str | None = None
    """Of the user who is signed in."""
    undo: Callable[[Page], None] = stay


def states(paths: dict[str, str]) -> dict[str, State]:
    """By name. paths: of the pages of pictures, by style."""
    return {
        "studio": State("/"),
        "examples": State("/", scroll_to_examples),
        "unreadable": State("/", open_unreadable),
        "workspace": State("/", open_workspace),
        "settings": State("/", open_settings),
        "folded": State("/", fold_panel),
        "upright": State("/", opened((900, 1600))),
        "wide": State("/", opened((2000, 100))),
        "tall": State("/", opened((100, 2000))),
        "transparent": State("/", opened((900, 900), transparent=True)),
        "tiles": State("/", open_tiles, DEVELOPER),
        "region": State("/", mark_region),
        "finished": State("/", make_one),
        "failed": State("/", fail),
        "outage": State("/", lose_connection, MAKER),
        "batch": State("/", make_batch, DEVELOPER),
        "many": State("/", make_many, MAKER),
        "drawer": State("/", open_drawer),
        "sign": State("/", open_sign),
        "keys": State("/", open_keys),
        "menu": State("/", open_menu, DEVELOPER),
        "gallery": State("/gallery"),
        "mine": State("/gallery?view=mine", select_pictures, DEVELOPER),
        "empty-mine": State("/gallery?view=mine", stay, VISITOR),
        "empty-following": State("/gallery?view=following", stay, VISITOR),
        "image": State(paths["tesserae"], stay, DEVELOPER),
        "downloads": State(paths["tesserae"], open_downloads, DEVELOPER),
        "delete": State(paths["tesserae"], ask_to_delete, DEVELOPER),
        "photomosaic": State(paths["photomosaic"], walk_in, DEVELOPER),
        "covered": State(paths["redact"], stay, DEVELOPER),
        "bricks": State(paths["brick"], scroll_to_parts),
        "profile": State(f"/u/{DEVELOPER}"),
        "empty-profile": State(f"/u/{VISITOR}", stay, VISITOR),
        "account": State("/account", stay, DEVELOPER),
        "account-signed-out": State("/account"),
        "queue": State("/tasks/"),
        "tasks": State("/tasks/", stay, DEVELOPER),
        "story": State("/tasks/", open_story, DEVELOPER),
        "reference": State("/tasks/api", read_reference, DEVELOPER),
        "paused": State("/tasks/", pause, DEVELOPER, undo=resume),
        "waiting": State("/", make_while_paused, DEVELOPER, undo=resume),
        "not-found": State("/i/1"),
    }
