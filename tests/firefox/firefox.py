"""A headless Firefox, driven by WebDriver BiDi (w3.org/TR/webdriver-bidi) over Tornado's WebSocket client.

Firefox speaks the protocol itself, so this needs no driver, and no package besides the browser.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

NAMES = ("firefox-esr", "firefox")
LIMIT_S = 120.0
ENTER = "\ue007"
QUIET = {
    "browser.aboutwelcome.enabled": False,
    "browser.newtab.preload": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.blankWindow": False,
    "dom.ipc.processPrelaunch.enabled": False,
}
"""Preferences without which Firefox starts processes that nobody uses, and prepares what no test sees."""
FRAMES = """new Promise((resolve) => {
  const check = () => { const value = CONDITION; if (value) resolve(value); else requestAnimationFrame(check); };
  check();
})"""


def find_firefox() -> str | None:
    """The path of a Firefox, or None. `FIREFOX` names one that is not on PATH."""
    named = os.environ.get("FIREFOX")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


class Firefox:
    """One window with a new profile. `async with` starts and ends it. preferences: of about:config."""

    def __init__(self, program: str, profile: Path, preferences: Mapping[str, bool] | None = None) -> None:
        self._program, self._profile = program, profile
        self._preferences = {**QUIET, **(preferences or {})}
        self._ids = 0
        self._context = ""
        self._socket: WebSocketClientConnection | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.errors: list[str] = []

    async def __aenter__(self) -> Firefox:
        self._profile.mkdir(parents=True)
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in self._preferences.items())
        (self._profile / "user.js").write_text("\n".join(lines))
        self._process = await asyncio.create_subprocess_exec(
            *(self._program, "--headless", "--remote-debugging-port=0", "--profile", str(self._profile), "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(LIMIT_S):
            address = await self._address()
            self._socket = await websocket_connect(f"{address}/session", max_message_size=64 * 2**20)
            await self.command("session.new", capabilities={})
            tree = await self.command("browsingContext.getTree")
            self._context = tree["contexts"][0]["context"]
            await self.command("session.subscribe", events=["log.entryAdded"])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._socket is not None:
            self._socket.close()
        self._process.terminate()
        await self._process.wait()

    async def _address(self) -> str:
        assert self._process is not None
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            if b"WebDriver BiDi listening on " in line:
                return line.decode().split()[-1]
        raise AssertionError("Firefox ended before it listened")

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command; events that arrive before it are collected."""
        assert self._socket is not None
        self._ids += 1
        await self._socket.write_message(json.dumps({"id": self._ids, "method": method, "params": params}))
        async with asyncio.timeout(LIMIT_S):
            while True:
                message = await self._socket.read_message()
                assert message is not None, f"{method}: Firefox has closed the connection"
                document = json.loads(message)
                if document.get("method") == "log.entryAdded" and document["params"]["level"] == "error":
                    self.errors.append(document["params"]["text"])
                if document.get("id") == self._ids:
                    assert document["type"] == "success", f"{method}: {document}"
                    return dict(document["result"])

    async def go(self, url: str) -> None:
        """Open an address and wait until the page is ready."""
        await self.command("browsingContext.navigate", context=self._context, url=url, wait="complete")
        await self.wait_for("document.documentElement?.classList.contains('ready')")

    async def close_page(self) -> None:
        """Go to an empty page."""
        await self.command("browsingContext.navigate", context=self._context, url="about:blank", wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, a string, number or boolean; a promise is awaited."""
        target = {"context": self._context}
        answer = await self.command("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    async def wait_for(self, condition: str) -> Any:
        """Wait until an expression is true. Returns its value."""
        return await self.evaluate(FRAMES.replace("CONDITION", condition))

    async def wait_for_text(self, selector: str, text: str) -> None:
        """Wait until a visible element contains a text."""
        await self.wait_for(
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            f".some((element) => element.checkVisibility() && element.textContent.includes({json.dumps(text)}))"
        )

    async def click(self, selector: str) -> None:
        """Click on the middle of the first element, once it is visible."""
        await self.wait_for(f"document.querySelector({json.dumps(selector)})?.checkVisibility()")
        element = await self._element(selector)
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": element}}
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        await self._act({"type": "pointer", "id": "mouse", "actions": [move, *press]})

    async def type(self, selector: str, text: str) -> None:
        """Replace what is in a field by typing."""
        await self.click(selector)
        await self.evaluate(f"document.activeElement.select?.() ?? {json.dumps(selector)}")
        keys = [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
        await self._act({"type": "key", "id": "keys", "actions": keys})

    async def drag(self, selector: str, by: int) -> None:
        """Drag from the middle of an element to the right, in pixels."""
        element = await self._element(selector)
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": element}}
        steps = [{"type": "pointerMove", "x": by // 4, "y": 0, "origin": "pointer"}] * 4
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        await self._act({"type": "pointer", "id": "mouse", "actions": [move, down, *steps, up]})

    async def select_file(self, selector: str, path: Path) -> None:
        element = await self._element(selector)
        await self.command("input.setFiles", context=self._context, element=element, files=[str(path)])

    async def _act(self, actions: dict[str, Any]) -> None:
        await self.command("input.performActions", context=self._context, actions=[actions])

    async def _element(self, selector: str) -> dict[str, str]:
        """The first element, once there is one."""
        await self.wait_for(f"document.querySelector({json.dumps(selector)}) !== null")
        locator = {"type": "css", "value": selector}
        nodes = (await self.command("browsingContext.locateNodes", context=self._context, locator=locator))["nodes"]
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{ block: 'center' }})")
        return {"sharedId": nodes[0]["sharedId"]}
