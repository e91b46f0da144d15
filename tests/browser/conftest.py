"""A real server as a child process, a real Chromium, and a visitor whose console stays clean.

Without a Chromium the tests are skipped, and say so. `CHROMIUM` names one that is not on PATH.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.browser.user import Visitor
from tests.support.process import ServerProcess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
)
DEVELOPER = "dora"
MEGAPIXELS = 8
"""The limit of the server under test; low, so that a picture above it is quickly made."""


def find_chromium() -> str | None:
    """Where a Chromium is, or None."""
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="package")
def chromium() -> str:
    found = find_chromium()
    if found is None:
        pytest.skip("no Chromium on PATH; install Debian's `chromium` or name one in CHROMIUM")
    return found


@pytest.fixture(scope="package")
def playwright_driver() -> Iterator[Playwright]:
    """Ends with this package: its loop would be in the way of the other tests' loops."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright_driver: Playwright, chromium: str) -> Iterator[Browser]:
    opened = playwright_driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests; each test brings its own people."""
    data_dir: Path = tmp_path_factory.mktemp("browser") / "data"
    settings = (f"--developers={DEVELOPER}", "--workers=2", f"--max_megapixels={MEGAPIXELS}")
    with ServerProcess(data_dir, *settings) as running:
        yield running


@pytest.fixture
def visitor_of(browser: Browser, server: ServerProcess) -> Iterator[Callable[..., Visitor]]:
    """Visitors with chosen browser settings. At the end, none may have seen an error on the console."""
    opened: list[tuple[BrowserContext, Visitor]] = []

    def make(**chosen: Any) -> Visitor:
        usual = {
            "base_url": server.base_url,
            "viewport": {"width": 1280, "height": 800},
            "locale": "en-GB",
            "reduced_motion": "reduce",
        }
        context = browser.new_context(**{**usual, **chosen})
        context.set_default_timeout(10_000)
        visitor = Visitor(context.new_page())
        opened.append((context, visitor))
        return visitor

    yield make
    for context, visitor in opened:
        context.close()
        assert not visitor.unexpected(), "on the console:\n" + "\n".join(visitor.unexpected())


@pytest.fixture
def visitor(visitor_of: Callable[..., Visitor]) -> Visitor:
    """A stranger at a desk who reads English."""
    return visitor_of()


@pytest.fixture
def unique_name(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """A name that no other test takes."""
    slug = re.sub(r"\W", "", request.node.name)[-24:]
    return lambda first: f"{first}-{slug}"
