"""A person in front of the page: what they do, in their words. Tests read as their story."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from playwright.sync_api import ConsoleMessage, FilePayload, Locator, Page, expect

PASSWORD = "seven small stones"
RENDER_LIMIT_MS = 20_000


class Visitor:
    """One browser window. `console` collects errors and warnings; `expect_console` announces those that belong."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.name = ""
        self._console: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._console.append(f"uncaught: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._console.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def expect_console(self, pattern: str) -> None:
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        return [line for line in self._console if not any(known.search(line) for known in self._expected)]

    def part(self, name: str) -> Locator:
        """A part by the name it has in index.html, where it is visible."""
        return self.page.locator(f'[data-part="{name}"]:visible')

    def go(self, path: str = "/") -> None:
        """Open an address and wait until the page is ready."""
        self.page.goto(path)
        self.page.wait_for_selector("html.ready")

    def sign_up(self, name: str) -> None:
        """Through the dialog, which is open or is opened."""
        if not self.page.locator("dialog[open]").count():
            self.part("sign-open").click()
            self.part("sign-switch").click()
        dialog = self.page.locator('dialog[data-part="sign"]')
        dialog.get_by_label("E-mail").fill(f"{name}@example.com")
        dialog.get_by_label("Name", exact=True).fill(name)
        dialog.get_by_label("Password").fill(PASSWORD)
        dialog.locator('[type="submit"]').click()
        expect(dialog).to_be_hidden()
        self.name = name

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.part("sign-open").click()
        dialog = self.page.locator('dialog[data-part="sign"]')
        dialog.get_by_label("Name", exact=True).fill(name)
        dialog.get_by_label("Password").fill(password)
        dialog.locator('[type="submit"]').click()
        expect(dialog).to_be_hidden()
        self.name = name

    def hand_over(self, *files: Path | FilePayload) -> None:
        """Pick files in the file dialog of the studio."""
        self.page.locator('[data-page="studio"] [data-part="file"]').set_input_files(files)

    def choose(self, *files: Path | FilePayload) -> None:
        """Pick files that can be read, and see the first of them on the bench."""
        self.hand_over(*files)
        name = files[0].name if isinstance(files[0], Path) else files[0]["name"]
        expect(self.part("stage-name")).to_contain_text(name)

    def pick(self, style: str) -> None:
        """As a person does it: once nothing moves or lies over it."""
        self.page.locator(f'.style input[value="{style}"]').check()

    def make(self) -> None:
        self.part("make").click()

    def wait_for_work(self, phase: Literal["uploading", "queued", "running", "done", "failed"]) -> None:
        self.page.wait_for_selector(f'[data-part="work"][data-phase="{phase}"]:visible', timeout=RENDER_LIMIT_MS)

    def toast(self, text: str) -> Locator:
        return self.page.locator(".toast", has_text=text)

    def slow_down(self, bytes_per_s: int) -> None:
        """Uploads go at so many bytes a second; 0: as fast as they can."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Network.enable")
        speed = {"uploadThroughput": bytes_per_s or -1, "downloadThroughput": -1, "latency": 0, "offline": False}
        session.send("Network.emulateNetworkConditions", speed)


def picture(data: bytes, name: str = "photo.png", kind: str = "image/png") -> FilePayload:
    """A file for `choose`, without a disk."""
    return {"name": name, "mimeType": kind, "buffer": data}
