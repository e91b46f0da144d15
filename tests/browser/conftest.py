"""A real server as a child process, a real Chromium, and a user whose console stays clean.

Without a Chromium the tests are skipped with a message. `CHROMIUM` names one that is not on PATH.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from settings import Settings
from tests.browser.account import Account
from tests.browser.contexts import ONE_PROCESS, Contexts
from tests.browser.user import RENDER_LIMIT_MS, SELECTED_STYLE_ALONE, BrowserUser, until
from tests.support.accounts import add_account_to
from tests.support.pictures import png
from tests.support.process import ServerProcess

# First the build without a window, which needs half the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    ONE_PROCESS,
)
HOSTS = "--host-resolver-rules=MAP *.test 127.0.0.1"
"""To this machine lead names that are reserved for tests (RFC 6761), whose pages are no secure contexts."""
WAIT_LIMIT_MS = RENDER_LIMIT_MS
"""How long actions and expectations wait: previews share two cores with all that runs beside the tests."""
DRIVER_SETUP = Path(__file__).with_name("driver_setup.cjs")
DEVELOPER = "dora"
# The limit of the server under test; low, so that an image above it is small.
MEGAPIXELS = 8


def find_chromium() -> str | None:
    """The path of a Chromium, or None."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="package")
def chromium() -> str:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on PATH; install Debian's `chromium-headless-shell` or name one in CHROMIUM")
    return path


@pytest.fixture(scope="package")
def playwright_driver() -> Iterator[Playwright]:
    """Closed after this package, because its event loop conflicts with those of the other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODE_OPTIONS", f'--require="{DRIVER_SETUP}"')
        started = sync_playwright().start()
    expect.set_options(timeout=WAIT_LIMIT_MS)
    yield started
    started.stop()


@pytest.fixture(scope="package")
def browser(playwright_driver: Playwright, chromium: str) -> Iterator[Browser]:
    opened = playwright_driver.chromium.launch(executable_path=chromium, args=[*FLAGS, HOSTS])
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[ServerProcess]:
    """One server for all tests; each test creates its own accounts."""
    data_dir = tmp_path_factory.mktemp("browser") / "data"
    settings = Settings(data_dir=data_dir, mongodb_uri=mongodb_uri, database=f"browser_{secrets.token_hex(4)}")
    database = (f"--mongodb_uri={mongodb_uri}", f"--database={settings.database}")
    options = (f"--developers={DEVELOPER}", "--workers=2", f"--max_megapixels={MEGAPIXELS}", "--sign_up_burst=10000")
    with ServerProcess(data_dir, *options, *database) as running:
        add_account_to(settings, DEVELOPER)
        yield running


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Contexts:
    return Contexts(browser)


@pytest.fixture
def new_user(contexts: Contexts, server: ServerProcess) -> Iterator[Callable[..., BrowserUser]]:
    """Users with chosen browser settings. At the end, no console may contain an unexpected error.

    thumbnails: whether the server draws those of all styles, which takes more processor time than most tests.
    last: whether no later test may use the browser context, as for one whose clock is another.
    """
    opened: list[tuple[BrowserUser, bool]] = []

    def make(*, thumbnails: bool = False, last: bool = False, **chosen: Any) -> BrowserUser:
        usual = {
            "base_url": server.base_url,
            "viewport": {"width": 1280, "height": 800},
            "locale": "en-GB",
            "reduced_motion": "reduce",
        }
        context = contexts.take(None if thumbnails else SELECTED_STYLE_ALONE, **{**usual, **chosen})
        context.set_default_timeout(WAIT_LIMIT_MS)
        user = BrowserUser(context.new_page())
        opened.append((user, last))
        return user

    yield make
    for user, last in opened:
        contexts.give_back(user.page.context, last=last)
    for user, _ in opened:
        assert not user.unexpected(), "on the console:\n" + "\n".join(user.unexpected())


@pytest.fixture
def user(new_user: Callable[..., BrowserUser]) -> BrowserUser:
    """A signed-out user on a desktop, in English."""
    return new_user()


@pytest.fixture
def unique_name(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """A user name that is unique to the test."""
    slug = re.sub(r"\W", "", request.node.name)[-24:]
    return lambda first: f"{first}-{slug}"


@pytest.fixture
def queue(new_user: Callable[..., BrowserUser]) -> Iterator[Account]:
    """A developer's account, and nothing in the queue; at the end it is empty again and goes on."""

    def wait_until_empty() -> None:
        until(developer.user.page, lambda: developer.get("/api/tasks/query/")["tasks"], [])

    developer = Account(new_user(), DEVELOPER, is_new=False)
    wait_until_empty()
    yield developer
    developer.post("/api/tasks/resume/")
    wait_until_empty()


@pytest.fixture
def paused_queue(queue: Account) -> Account:
    """The account of a developer who has paused the queue."""
    assert queue.post("/api/tasks/pause/")["paused"] is True
    return queue


@pytest.fixture
def developer(paused_queue: Account) -> BrowserUser:
    """A developer on the queue page, who has paused the queue."""
    browser_user = paused_queue.user
    browser_user.go("/tasks/")
    expect(browser_user.part("pause")).to_have_text("Resume")
    return browser_user


@pytest.fixture
def maker(paused_queue: Account, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]) -> Account:
    """A person whose mosaic is the only one that waits in the paused queue."""
    account = Account(new_user(), unique_name("xia"))
    account.add_task(account.upload(png(64, 48), "waits.png")["url"], {"style": "mosaic"})
    return account
