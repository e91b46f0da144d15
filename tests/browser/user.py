"""A user of the page: the actions of a person in a browser window."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from playwright.sync_api import CDPSession, ConsoleMessage, FilePayload, FloatRect, Locator, Page, Route, expect

from tests.support.client import PASSWORD

RENDER_LIMIT_MS = 60_000
POLL_MS = 25
PART_BYTES = 2**18
JSON = {"Content-Type": "application/json"}
# Transactions on one store come one after the other, also those of other connections.
STORED = """() => new Promise((resolve) => {
    const opening = indexedDB.open("tessera", 1);
    opening.onsuccess = () => {
        const transaction = opening.result.transaction("entries");
        transaction.objectStore("entries").count();
        transaction.oncomplete = () => { opening.result.close(); resolve(); };
    };
})"""
# A preview in another style than the selected one, or of a look of it, is a thumbnail: one pixel takes its place.
SELECTED_STYLE_ALONE = """(() => {
    const real = window.fetch;
    const base64 = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==";
    const pixel = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    window.fetch = async (url, options) => {
        const selected = document.querySelector(".style input:checked")?.value;
        const recipe = String(url).endsWith("/api/preview/") ? JSON.parse(options.body.get("param")) : null;
        const isLook = recipe && new Error().stack.includes("requestLooks");
        if (!selected || !recipe || (recipe.style === selected && !isLook)) return real(url, options);
        return new Response(pixel, { headers: { "Content-Type": "image/webp" } });
    };
})();"""


class BrowserUser:
    """One browser window. Errors and warnings on the console are collected; `expect_console` permits some of them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.name = ""
        self._console: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self._network: CDPSession | None = None
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._console.append(f"uncaught: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._console.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def expect_console(self, pattern: str) -> None:
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        return [line for line in self._console if not any(pattern.search(line) for pattern in self._expected)]

    def part(self, name: str) -> Locator:
        """A visible part by its `data-part` in index.html."""
        return self.page.locator(f'[data-part="{name}"]:visible')

    def go(self, path: str = "/") -> None:
        """Open a path and wait until the page is ready."""
        self.page.goto(path)
        self.page.wait_for_selector("html.ready")

    def follow(self, path: str) -> None:
        """Show a page by a link of the header or its menu: nothing is loaded again, which takes 0.2 s."""
        self.page.locator(f'.header a[href="{path}"]').first.evaluate("link => link.click()")
        self.page.wait_for_function("path => location.pathname + location.search === path", arg=path)

    def go_when_stored(self, path: str = "/") -> None:
        """Open a path once what this page shows is stored."""
        self.page.evaluate(STORED)
        self.go(path)

    def go_signed_up(self, name: str) -> None:
        """Open the studio as a new user, whose session comes from the API."""
        user = {"username": name, "password": PASSWORD}
        for path, more in (("/api/user/add/", {"email": f"{name}@example.com"}), ("/api/user/query/", {})):
            answer = self.page.request.post(path, data={**user, **more}, headers=JSON).json()
            assert answer["code"] == 1, answer
        self.name = name
        self.go()

    def sign_up(self, name: str) -> None:
        """Sign up through the dialog, which is opened if necessary."""
        if not self.page.locator("dialog[open]").count():
            self.part("sign-in-open").click()
            self.part("sign-in-switch").click()
        dialog = self.page.locator('dialog[data-part="sign-in"]')
        dialog.get_by_label("E-mail").fill(f"{name}@example.com")
        dialog.get_by_label("Name", exact=True).fill(name)
        dialog.get_by_label("Password").fill(PASSWORD)
        dialog.locator('[type="submit"]').click()
        expect(dialog).to_be_hidden()
        self.name = name

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.part("sign-in-open").click()
        dialog = self.page.locator('dialog[data-part="sign-in"]')
        dialog.get_by_label("Name", exact=True).fill(name)
        dialog.get_by_label("Password").fill(password)
        dialog.locator('[type="submit"]').click()
        expect(dialog).to_be_hidden()
        self.name = name

    def select_files(self, *files: Path | FilePayload) -> None:
        """Select files in the file dialog of the studio."""
        self.page.locator('[data-page="studio"] [data-part="file"]').set_input_files(files)

    def open_files(self, *files: Path | FilePayload) -> None:
        """Select readable files and wait until the first of them is on the stage."""
        self.select_files(*files)
        name = files[0].name if isinstance(files[0], Path) else files[0]["name"]
        # On a phone the prompt of redact takes the place of the name.
        expect(self.page.locator('[data-part="stage-name"]')).to_contain_text(name)

    def select_style(self, style: str) -> None:
        """Select a style by its radio button; waits until it is stable and not covered."""
        self.open_tab("styles")
        self.page.locator(f'.style input[value="{style}"]').check()

    def open_tab(self, name: Literal["styles", "settings"]) -> None:
        """Open a tab of the panel, where the window is so narrow that it has tabs."""
        for tab in self.page.locator(f'[role="tab"][data-tab="{name}"]:visible').all():
            tab.click()

    @property
    def visibility(self) -> Locator:
        """The choice of who sees a picture, on the page that is shown."""
        return self.page.get_by_label("Who sees it").and_(self.page.locator(":visible"))

    def make(self) -> None:
        self.part("make").click()

    def wait_for_job(self, phase: Literal["uploading", "queued", "running", "done", "failed"]) -> None:
        self.page.wait_for_selector(f'[data-part="job-card"][data-phase="{phase}"]:visible', timeout=RENDER_LIMIT_MS)

    def wait_for_preview(self) -> str:
        """The address of the preview on the stage, once there is one."""
        expect(self.page.locator('[data-part="stage-note"]')).to_have_text(re.compile("^Preview"))
        return self.page.locator('[data-part="workspace"] [data-part="after"]').get_attribute("src") or ""

    def toast(self, text: str) -> Locator:
        return self.page.locator(".toast", has_text=text)

    def send_small_parts(self) -> None:
        """Uploads go in parts of PART_BYTES, as if the server had said so: tests of parts need no megabytes."""

        def answer(route: Route) -> None:
            response = route.fetch()
            session = response.json()
            session["limits"]["upload_part_bytes"] = PART_BYTES
            route.fulfill(response=response, json=session)

        self.page.route("**/api/session/", answer)

    def limit_upload_speed(self, bytes_per_s: int) -> None:
        """Limit uploads to a number of bytes per second; 0 removes the limit."""
        if self._network is None:  # what one session has limited no other one can lift
            self._network = self.page.context.new_cdp_session(self.page)
            self._network.send("Network.enable")
        speed = {"uploadThroughput": bytes_per_s or -1, "downloadThroughput": -1, "latency": 0, "offline": False}
        self._network.send("Network.emulateNetworkConditions", speed)


def until(page: Page, read: Callable[[], object], expected: object = True) -> None:
    """Wait until what is read equals the expected value: an action returns before its effect is computed and drawn."""
    for _ in range(RENDER_LIMIT_MS // POLL_MS):
        if read() == expected:
            return
        page.wait_for_timeout(POLL_MS)
    assert read() == expected


def box_of(locator: Locator) -> FloatRect:
    """The box of an element at rest: the same in two reads."""
    before = None
    for _ in range(RENDER_LIMIT_MS // POLL_MS):
        box = locator.bounding_box()
        if box is not None and box == before:
            return box
        before = box
        locator.page.wait_for_timeout(POLL_MS)
    raise AssertionError(f"{locator} moves on: {before}")


def image_file(data: bytes, name: str = "photo.png", kind: str = "image/png") -> FilePayload:
    """A file for `open_files`, in memory."""
    return {"name": name, "mimeType": kind, "buffer": data}


def fingers(user: BrowserUser) -> Callable[..., None]:
    """Touches the screen: `touch("touchStart", (x, y), ...)`. One session, as it remembers which fingers are down."""
    session = user.page.context.new_cdp_session(user.page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return touch
