"""The first view on a slow link: few requests, words without a script, nothing moves, and nothing is fetched twice.

What a browser needs before it paints is counted, since times depend on the machine; `tests/bench/first_view.py` prints
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, Request, expect

from tests.browser.user import BrowserUser

MAX_REQUESTS = 12
BLOCKING_BYTES = 45_000
"""Of the document and the style sheet, compressed: 0.1 s at 400 kB/s."""
SHIFTS = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().map(({ value, sources }) =>
    `${value} ${[...sources].map(({ node }) => node?.className ?? node?.nodeName)}`)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve([]), 100);
})"""
BLOCKING = """() => performance.getEntries()
  .filter(({ renderBlockingStatus, entryType }) => renderBlockingStatus === "blocking" || entryType === "navigation")
  .map(({ name, transferSize }) => [name, transferSize])"""


def requests_of(page: Page) -> list[Request]:
    """Those that this page sends from now on."""
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    return requests


def test_the_first_view_takes_few_requests_and_nothing_moves(new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(reduced_motion="no-preference")
    requests = requests_of(user.page)
    user.go("/")
    user.page.wait_for_load_state("networkidle")

    assert len(requests) <= MAX_REQUESTS, [request.url for request in requests]
    blocking = user.page.evaluate(BLOCKING)
    assert [re.sub(r".*/(?=[^/]*$)|\?.*", "", name) for name, _ in blocking] == ["", "bundle.css"]
    assert sum(size for _, size in blocking) < BLOCKING_BYTES
    assert user.page.evaluate(SHIFTS) == []

    requests.clear()
    user.go("/")
    user.page.wait_for_load_state("networkidle")

    sent = [request for request in requests if not is_cached(request)]
    assert {re.sub(r"https?://[^/]+|\?.*", "", request.url) for request in sent} <= {
        "/",
        "/api/session/",
        "/api/styles/",
    }
    assert user.page.evaluate(SHIFTS) == []


def test_the_words_are_there_before_any_script(new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(locale="zh-CN")
    user.expect_console("ERR_FAILED")
    user.page.route("**/bundle.js*", lambda route: route.abort())
    user.page.goto("/gallery")

    expect(user.page.get_by_role("heading", level=1)).to_have_text("画廊")
    expect(user.page.get_by_role("link", name="工作室")).to_be_visible()


def is_cached(request: Request) -> bool:
    """Whether the browser answered from its cache."""
    response = request.response()
    return response is not None and request.sizes()["responseHeadersSize"] + request.sizes()["responseBodySize"] == 0
