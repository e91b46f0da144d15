"""axe-core finds nothing serious on any page, in either theme. It comes from npm, for this test alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor, picture
from tests.pictures import png

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


RULES = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
"""The themes differ in colour alone."""


def findings(visitor: Visitor, axe: str, rules: dict[str, object]) -> list[str]:
    """What axe calls serious or critical: rule, place, reason."""
    visitor.page.wait_for_function(AT_REST)
    visitor.page.evaluate(axe)
    found = visitor.page.evaluate("rules => axe.run({ resultTypes: ['violations'], ...rules })", rules)
    return [
        f"{rule['id']}: {json.dumps(node['target'])}: {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", list(RULES))
def test_axe_finds_nothing_serious(
    theme: str, axe: str, visitor_of: Callable[..., Visitor], unique_name: Callable[[str], str]
) -> None:
    visitor = visitor_of(color_scheme=theme)
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found[name] = findings(visitor, axe, RULES[theme])

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
    visitor.part("work").get_by_role("link", name="See it").click()
    expect(visitor.part("by")).to_have_text(f"by {visitor.name}")
    look("picture")
    for path in ("/gallery", f"/u/{visitor.name}", "/account", "/tasks/"):
        visitor.go(path)
        look(path)

    assert not "\n".join(f"{name}: {problem}" for name, problems in found.items() for problem in problems)
