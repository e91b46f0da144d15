"""axe-core finds nothing serious on any page, in either theme. It comes from npm, for this test alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import expect

from tests.browser.account import Account
from tests.browser.user import BrowserUser, image_file
from tests.support.pictures import png

VERSION = "4.14.1"
FOLDER = Path(__file__).resolve().parents[2] / "build" / f"axe-{VERSION}"
SCRIPT = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
INSTALL_LIMIT_S = 60
AT_REST = "() => document.getAnimations().every(one => one.playState !== 'running')"
STATE = "() => ['axe' in window, matchMedia('(prefers-color-scheme: dark)').matches]"
RUN = "([part, options]) => axe.run(part, options)"
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def axe() -> str:
    """The script; fetched once into `build/`."""
    npm = shutil.which("npm")
    if not SCRIPT.exists() and npm is None:
        pytest.skip("axe-core is not here, and there is no npm to fetch it with")
    if not SCRIPT.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        fetch = [str(npm), "install", "--no-save", "--no-package-lock", "--prefix", str(FOLDER), f"axe-core@{VERSION}"]
        try:
            subprocess.run(fetch, check=True, capture_output=True, timeout=INSTALL_LIMIT_S)
        except (subprocess.SubprocessError, OSError):
            pytest.skip("axe-core is not here, and npm could not fetch it")
    return SCRIPT.read_text()


# Axe's options in each theme: the structure of a page is the same in both.
THEMES: dict[Literal["light", "dark"], dict[str, Any]] = {
    "light": {
        "resultTypes": ["violations"],
        "preload": False,
        "rules": {"label-content-name-mismatch": {"enabled": True}},
    },
    "dark": {"resultTypes": ["violations"], "preload": False, "runOnly": {"type": "tag", "values": ["cat.color"]}},
}


PAGE = "html"
DIALOG = "dialog[open]"
"""What is behind it is looked at without it."""


def findings(user: BrowserUser, axe: str, part: str = PAGE) -> list[str]:
    """What axe calls serious or critical in a part in either theme: theme, rule, place, reason."""
    lines = []
    expect(user.page.locator(part)).to_be_visible()
    has_axe, is_dark = user.page.evaluate(STATE)
    if not has_axe:
        user.page.evaluate(axe)
    for theme in ("dark", "light") if is_dark else ("light", "dark"):  # every change draws the page again
        user.page.emulate_media(color_scheme=theme)
        user.page.wait_for_function(AT_REST)
        result = user.page.evaluate(RUN, [part, THEMES[theme]])
        lines += [
            f"{theme}: {rule['id']}: {json.dumps(node['target'])}: {node['failureSummary']}"
            for rule in result["violations"]
            if rule["impact"] in SERIOUS
            for node in rule["nodes"]
        ]
    return lines


def make_in_style(user: BrowserUser, style: str) -> None:
    """Render a mosaic in a style and wait for the result."""
    user.select_style(style)
    if style == "photomosaic":
        user.page.get_by_role("button", name="All", exact=True).click()
        expect(user.page.locator(".tile-picker__item input:checked")).not_to_have_count(0)
    user.make()
    user.wait_for_job("done")


def test_axe_finds_nothing_serious_in_the_studio(
    axe: str, user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    results: dict[str, list[str]] = {}

    def look(name: str, part: str = PAGE) -> None:
        results[name] = findings(user, axe, part)

    user.go("/")
    user.part("language").click()
    expect(user.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    look("welcome in Chinese")
    user.part("language").click()
    expect(user.page.locator("html")).to_have_attribute("lang", "en")
    look("welcome")
    user.page.keyboard.press("?")
    look("keys", DIALOG)
    user.page.keyboard.press("Escape")
    user.part("sign-in-open").click()
    look("sign in", DIALOG)
    user.page.keyboard.press("Escape")
    user.open_files(image_file(png(64, 48), "one.png"), image_file(png(64, 48, 2), "two.png"))
    expect(user.page.locator(".style__image--waiting")).to_have_count(0)
    look("workspace")
    user.sign_up(unique_name("zoe"))
    user.make()
    user.wait_for_job("done")
    look("done", '[data-part="job-card"]')
    user.part("activity").click()
    expect(user.part("job-drawer")).to_be_visible()
    look("activity", '[data-part="job-drawer"]')

    assert not "\n".join(f"{name}: {problem}" for name, problems in results.items() for problem in problems)


def test_axe_finds_nothing_serious_on_any_other_page(
    axe: str, user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.expect_console("status of 404")
    results: dict[str, list[str]] = {}

    def look(name: str, part: str = PAGE) -> None:
        results[name] = findings(user, axe, part)

    user.go_signed_up(unique_name("zac"))
    user.open_files(image_file(png(64, 48), "one.png"))
    for style in ("brick", "photomosaic"):
        if style != "brick":
            user.follow("/")
        make_in_style(user, style)
        look(f"workspace of {style}", '[data-part="panel"]')
        user.part("job-card").get_by_role("link", name="Open").click()
        expect(user.part("by")).to_have_text(f"by {user.name}")
        expect(user.part("parts-list" if style == "brick" else "tile-card")).to_be_visible()
        look(f"picture of {style}")
    user.page.get_by_role("button", name="Delete picture").click()
    look("question", DIALOG)
    user.page.keyboard.press("Escape")
    pages = {"/gallery": "gallery", f"/u/{user.name}": "profile", "/account": "account", "/tasks/": "tasks"}
    for path, page in pages.items():
        user.follow(path)
        expect(user.page.locator(f'[data-page="{page}"]')).to_be_visible()
        if page == "profile":
            expect(user.part("name")).to_have_text(user.name)
        look(path)
    user.go("/i/1")
    look("/i/1")

    assert not "\n".join(f"{name}: {problem}" for name, problems in results.items() for problem in problems)


def test_axe_finds_nothing_serious_in_the_console(axe: str, developer: BrowserUser, maker: Account) -> None:
    task = developer.page.locator(".task", has_text=maker.name)
    expect(task).to_be_visible()
    results = {"queue": findings(developer, axe)}
    developer.page.get_by_role("group", name="State").get_by_role("button", name="In the queue").click()
    expect(developer.page.get_by_text("1 task matches")).to_be_visible()
    results["filter"] = findings(developer, axe)
    task.locator(".task__id").click()
    expect(developer.page.get_by_role("heading", name="Attempts")).to_be_visible()
    results["task"] = findings(developer, axe)
    developer.go("/tasks/api")
    developer.page.get_by_text("/api/queue/change").click()
    results["reference"] = findings(developer, axe)

    assert not any(results.values()), json.dumps(results, indent=1)
