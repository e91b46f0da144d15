"""A context that is used again is as empty as a new one, and what would outlive its pages is not used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext

from tests.browser.contexts import Contexts
from tests.support.process import ServerProcess

HERE = Path(__file__).parent
MARK = """async () => {
    document.cookie = "left=1";
    localStorage.left = sessionStorage.left = "1";
    await new Promise(resolve => { indexedDB.open("left", 1).onsuccess = resolve; });
    await (await caches.open("left")).put("/left", new Response("left"));
    await (await (await navigator.storage.getDirectory()).getFileHandle("left", { create: true })).getFile();
    window.left = true;
}"""
MARKS = """async () => [
    document.cookie, localStorage.left, sessionStorage.left, typeof left, await caches.has("left"),
    (await indexedDB.databases()).some(database => database.name === "left"),
    await Array.fromAsync((await navigator.storage.getDirectory()).keys()), navigator.onLine,
    (await navigator.permissions.query({ name: "clipboard-read" })).state,
    await fetch("/static/icon.svg", { cache: "only-if-cached", mode: "same-origin" }).then(() => "cached", () => null),
]"""


def test_a_context_that_is_used_again_is_as_empty_as_a_new_one(contexts: Contexts, server: ServerProcess) -> None:
    """No other test has its settings."""

    def visit(*, mark: bool) -> tuple[BrowserContext, Any]:
        context = contexts.take(None, server.base_url, color_scheme="dark", viewport={"width": 800, "height": 600})
        page = context.new_page()
        page.goto("/tasks/api")
        page.wait_for_selector("html.ready")
        marks = page.evaluate(MARKS)
        if mark:
            page.evaluate("fetch('/static/icon.svg').then(answer => answer.text())")
            page.evaluate(MARK)
            context.grant_permissions(["clipboard-read"])
            context.set_offline(True)
            assert all(one != left for one, left in zip(marks, page.evaluate(MARKS), strict=True))
        contexts.give_back(context)
        return context, marks

    context, new = visit(mark=True)
    same, again = visit(mark=False)

    assert same is context
    assert again == new


OUTLIVES = r"context\.(on|once|route\w*|add_init_script|expose_\w+|set_extra_http_headers|set_geolocation)\("
OWN = ("contexts.py", "screenshots.py", Path(__file__).name)


def test_nothing_outlives_a_page_but_what_is_emptied() -> None:
    """A clock is that of the whole context: who sets one says that no later test may use it."""
    for path in HERE.glob("*.py"):
        text = path.read_text()
        assert path.name in OWN or not re.search(OUTLIVES, text), path.name
        assert text.count(".clock.install(") <= text.count("(last=True"), path.name
