"""How long a browser takes to paint the first page on a slow link: 400 kB/s, 300 ms.

`python -m tests.bench.first_view` prints first contentful paint, layout shift, requests and bytes of a first and of a
second visit, the median of several. Chromium delays every response by the latency; connections cost nothing.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.conftest import FLAGS, find_chromium
from tests.support.process import ServerProcess

BYTES_PER_S = 400_000
LATENCY_MS = 300
ROUNDS = 5
FIGURES = """() => new Promise((resolve) => {
  let shift = 0;
  new PerformanceObserver((list) => { for (const { value } of list.getEntries()) shift += value; })
    .observe({ type: "layout-shift", buffered: true });
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const bytes = entries.reduce((total, { transferSize }) => total + transferSize, 0);
  const [ready] = performance.getEntriesByName("ready");
  setTimeout(() => resolve([paint.startTime, ready.startTime, shift, entries.length, bytes]), 100);
})"""


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        ServerProcess(Path(folder) / "data") as server,
        sync_playwright() as driver,
        driver.chromium.launch(executable_path=find_chromium(), args=list(FLAGS)) as browser,
    ):
        print(f"{'':8} {'paint ms':>9} {'ready ms':>9} {'shift':>6} {'requests':>9} {'kB':>5}")
        visits = [visit_twice(browser, server.base_url) for _ in range(ROUNDS)]
        for name, figures in zip(("first", "second"), zip(*visits, strict=True), strict=True):
            paint, ready, shift, requests, size = (statistics.median(column) for column in zip(*figures, strict=True))
            print(f"{name:8} {paint:9.0f} {ready:9.0f} {shift:6.3f} {requests:9.0f} {size / 1000:5.0f}")


def visit_twice(browser: Browser, url: str) -> list[list[float]]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    figures = [visit(context, url), visit(context, url)]
    context.close()
    return figures


def visit(context: BrowserContext, url: str) -> list[float]:
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    speed = {"uploadThroughput": BYTES_PER_S, "downloadThroughput": BYTES_PER_S, "latency": LATENCY_MS}
    session.send("Network.emulateNetworkConditions", {**speed, "offline": False})
    page.goto(url)
    page.wait_for_selector("html.ready")
    page.wait_for_load_state("networkidle")
    figures: list[float] = page.evaluate(FIGURES)
    page.close()
    return figures


if __name__ == "__main__":
    main()
