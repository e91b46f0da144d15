"""The official JavaScript SDK in a real Chromium, on a page of another origin, uploading to the embedded bucket.

Skipped without a Chromium, without npm, or where npm cannot reach its registry.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import tornado.testing
import tornado.web
from playwright.async_api import Page, Route, async_playwright

from tests.browser.conftest import FLAGS, find_chromium
from tests.models.bucket.installations import LIMIT_BYTES, Installation, open_embedded, png, serving

SDK = "qiniu-js@3.4.4"
NPM_TIMEOUT_S = 60
CHROMIUM = find_chromium()

UPLOAD = """
({token, key, uphost, size, head, stop}) => new Promise((resolve) => {
  const bytes = new Uint8Array(size);
  bytes.set(head);
  for (let i = head.length; i < size; i++) bytes[i] = (i * 7) % 251;
  const file = new File([bytes], "猫 & 狗.png", {type: "text/html"});
  const config = {uphost, upprotocol: "http", disableStatisticsReport: true, chunkSize: 1, retryCount: 0};
  const kept = () => Object.values(localStorage).some((text) => text.includes("etag"));
  const running = qiniu.upload(file, key, token, {customVars: {"x:param": "a=b&c"}}, config).subscribe({
    error: (error) => resolve({error: String(error), code: error.code}),
    complete: (answer) => resolve({answer}),
  });
  const watch = setInterval(() => {
    if (stop && kept()) { clearInterval(watch); running.unsubscribe(); resolve({stopped: true}); }
  }, 10);
})
"""


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDK's one file, fresh from npm."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm")
    folder = tmp_path_factory.mktemp("npm")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), SDK]
    try:
        done = subprocess.run(command, capture_output=True, timeout=NPM_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not reach its registry in time")
    if done.returncode:
        pytest.skip(f"npm cannot install {SDK}: {done.stderr.decode()[-200:]}")
    return folder / "node_modules" / "qiniu-js" / "dist" / "qiniu.min.js"


@pytest.fixture
def where(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        yield installation


class EmptyPage(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Security-Policy", "default-src * 'unsafe-inline' 'unsafe-eval'")
        self.finish("<!doctype html>")


@pytest.fixture
def elsewhere(io_loop: Any) -> Iterator[str]:
    """A page of another origin."""
    socket, port = tornado.testing.bind_unused_port()
    with serving(io_loop, [("/", EmptyPage)], socket):
        yield f"http://127.0.0.1:{port}/"


pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH; name one in CHROMIUM")


@asynccontextmanager
async def chromium_page() -> AsyncIterator[Page]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield await browser.new_page()
        await browser.close()


async def open_page(page: Page, elsewhere: str, sdk: Path) -> None:
    await page.goto(elsewhere)
    await page.add_script_tag(path=sdk)


async def upload(page: Page, where: Installation, size: int, **more: Any) -> Any:
    ticket = where.sign_upload(f"u/{size}.png")
    options = {"token": ticket.token, "key": ticket.key, "uphost": where.up_url.removeprefix("http://"), "stop": False}
    return await page.evaluate(UPLOAD, {**options, "size": size, "head": list(png(30, 20)), **more})


def content(size: int) -> bytes:
    head = png(30, 20)
    return head + bytes((i * 7) % 251 for i in range(len(head), size))


@pytest.mark.gen_test
async def test_the_javascript_sdk_uploads_small_and_large_and_goes_on_after_a_reload(
    where: Installation, elsewhere: str, sdk: Path
) -> None:
    small, large = 5_000, 5_500_000
    async with chromium_page() as page:
        await open_page(page, elsewhere, sdk)
        parts: list[str] = []
        page.on("request", lambda request: parts.append(request.url) if request.method == "PUT" else None)

        direct = await upload(page, where, small)
        in_parts = await upload(page, where, large)
        sent_whole = len(parts)
        last_parts: list[Route] = []
        await page.route("**/uploads/*/6", lambda route: last_parts.append(route))
        stopped = await upload(page, where, large + 1, stop=True)
        for route in last_parts:
            await route.abort()
        await page.unroute("**/uploads/*/6")
        parts.clear()
        await open_page(page, elsewhere, sdk)
        resumed = await upload(page, where, large + 1)
        refused = await upload(page, where, small, token="a:b:" + where.sign_upload().token.split(":")[2])

    assert direct["answer"] == in_parts["answer"] == resumed["answer"] == {"code": 1, "stored": "verbatim"}
    assert sent_whole == 6
    assert stopped == {"stopped": True}
    assert 0 < len(parts) < 6
    assert refused["code"] == 401
    assert [heard.filename for heard in where.receiver.callbacks] == ["猫 & 狗.png"] * 3
    assert {(heard.param, heard.mime, heard.owner_id) for heard in where.receiver.callbacks} == {
        ("a=b&c", "image/png", 7)
    }
    for size in (small, large, large + 1):
        assert where.bucket.read(f"u/{size}.png", limit_bytes=LIMIT_BYTES, timeout_s=60) == content(size)


@pytest.mark.gen_test
async def test_an_uploaded_file_runs_no_script_when_opened_or_included(where: Installation, elsewhere: str) -> None:
    both = b"GIF89a=1;window.harm=1;alert(1);/*<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>*/"
    where.bucket.put("both.png", both, mime="text/html")
    dialogs: list[str] = []

    async with chromium_page() as page:
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        await page.goto(where.bucket.url("both.png"))
        opened = page.url, await page.evaluate("document.contentType")
        await page.goto(elsewhere)
        await page.evaluate(
            "(src) => new Promise((done) => {"
            " const tag = document.createElement('script'); tag.onload = tag.onerror = done;"
            " tag.src = src; document.head.append(tag); })",
            where.bucket.url("both.png"),
        )
        harm = await page.evaluate("window.harm")

    assert opened == (where.bucket.url("both.png"), "image/gif")
    assert (harm, dialogs) == (None, [])
