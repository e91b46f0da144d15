"""axe-core finds nothing serious on any page, in either theme. It comes from npm, for this test alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.user import Visitor, picture
from tests.support.pictures import png

VERSION = "4.14.1"
FOLDER = Path(__file__).resolve().parents[2] / "build" / f"axe-{VERSION}"
SCRIPT = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
INSTALL_LIMIT_S = 60
AT_REST = "() => document.getAnimations().every(one => one.playState !== 'running')"
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


THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def findings(visitor: Visitor, axe: str) -> list[str]:
    """What axe calls serious or critical in either theme: theme, rule, place, reason."""
    found = []
    visitor.page.evaluate(axe)
    for theme in THEMES:
        visitor.page.emulate_media(color_scheme=theme)
        visitor.page.wait_for_function(AT_REST)
        said = visitor.page.evaluate("axe.run({ resultTypes: ['violations'] })")
        found += [
            f"{theme}: {rule['id']}: {json.dumps(node['target'])}: {node['failureSummary']}"
            for rule in said["violations"]
            if rule["impact"] in SERIOUS
            for node in rule["nodes"]
        ]
    return found


def made(visitor: Visitor, style: str) -> None:
    """A finished mosaic on the bench."""
    visitor.pick(style)
    if style == "photomosaic":
        visitor.page.get_by_role("button", name="All", exact=True).click()
        expect(visitor.page.locator(".tiles__tile input:checked")).not_to_have_count(0)
    visitor.make()
    visitor.wait_for_work("done")


def test_axe_finds_nothing_serious_in_the_studio(axe: str, visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found[name] = findings(visitor, axe)

    visitor.go("/")
    look("welcome")
    visitor.page.keyboard.press("?")
    look("keys")
    visitor.page.keyboard.press("Escape")
    visitor.part("sign-open").click()
    look("sign in")
    visitor.page.keyboard.press("Escape")
    visitor.choose(picture(png(320, 240), "one.png"), picture(png(320, 240, 2), "two.png"))
    expect(visitor.page.locator(".style__image--waiting")).to_have_count(0)
    look("bench")
    visitor.make()
    visitor.sign_up(unique_name("zoe"))
    visitor.wait_for_work("done")
    look("done")
    visitor.part("activity").click()
    look("activity")

    assert not "\n".join(f"{name}: {problem}" for name, problems in found.items() for problem in problems)


def test_axe_finds_nothing_serious_on_any_other_page(
    axe: str, visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    visitor.expect_console("status of 404")
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found[name] = findings(visitor, axe)

    visitor.go("/")
    visitor.sign_up(unique_name("zac"))
    visitor.choose(picture(png(160, 120), "one.png"))
    for style in ("brick", "photomosaic"):
        made(visitor, style)
        look(f"bench of {style}")
        visitor.part("work").get_by_role("link", name="See it").click()
        expect(visitor.part("by")).to_have_text(f"by {visitor.name}")
        expect(visitor.part("bricks" if style == "brick" else "piece")).to_be_visible()
        look(f"picture of {style}")
        visitor.page.get_by_role("button", name="Delete picture").click()
        look("question")
        visitor.page.keyboard.press("Escape")
        visitor.go("/")
    for path in ("/gallery", f"/u/{visitor.name}", "/account", "/tasks/", "/i/1"):
        visitor.go(path)
        look(path)
    visitor.page.goto("/api/docs/")
    look("/api/docs/")

    assert not "\n".join(f"{name}: {problem}" for name, problems in found.items() for problem in problems)
