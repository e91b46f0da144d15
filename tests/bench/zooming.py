"""How long zooming takes on the page, from the gesture to the part with the pixels of the result. Prints Markdown.

    .venv/bin/python -m tests.bench.zooming [style ...]

Chromium, 1,440 x 900, on a server of its own; a JPEG of 12 megapixels, A2 at 300 dpi (7,016 pixels), zoomed to its
pixels. "At once": right after the preview, so that the file is sent and everything is computed. "Later": after the page
has had the server prepare. "Next": after moving on. Wall time, and processor time of the server.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, Response, sync_playwright

from processing import mosaic
from tests.bench.photos import photo
from tests.bench.timing import table
from tests.browser.conftest import FLAGS, find_chromium
from tests.support.process import ServerProcess

LIMIT_MS = 60_000
MOVED_PX = 600
PREVIEWED = "() => /^Preview/.test(document.querySelector('[data-part=\"stage-note\"]').textContent)"
BUSY = "() => document.querySelector('.compare--busy') === null"
LAID = """(previous) => new Promise((resolve) => {
    const started = performance.now();
    const look = () => {
        const region = document.querySelector('[data-part="region"]');
        const laid = !region.hidden && region.complete && region.naturalWidth > 1 && region.src !== previous;
        if (laid) resolve(performance.now() - started); else requestAnimationFrame(look);
    };
    ACTION;
    look();
})"""
ZOOM = "document.querySelector('.workspace [data-zoom=actual]').click()"
SOURCE = "() => document.querySelector('[data-part=\"region\"]').src"


def main() -> None:
    lines = []
    with (
        tempfile.TemporaryDirectory() as folder,
        ServerProcess(Path(folder) / "data") as server,
        sync_playwright() as driver,
        driver.chromium.launch(executable_path=find_chromium(), args=list(FLAGS)) as browser,
    ):
        file = Path(folder) / "photo.jpg"
        file.write_bytes(photo())
        for style in sys.argv[1:] or [name for name in mosaic.STYLES if name != "redact"]:
            at_once, _ = measure(browser, server, file, style, prepared=False)
            later, following = measure(browser, server, file, style, prepared=True)
            lines.append((f"`{style}`", at_once, later, following))
            print(*lines[-1], file=sys.stderr)
    print(table(("style", "at once, wall / CPU ms", "later, wall / CPU ms", "next, wall / CPU ms"), lines))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def measure(browser: Browser, server: ServerProcess, file: Path, style: str, *, prepared: bool) -> tuple[str, str]:
    """The first part and the next one."""
    with browser.new_context(base_url=server.base_url, viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(LIMIT_MS)
        responses: list[Response] = []
        page.on("response", lambda response: responses.append(response))
        page.goto("/")
        page.locator('[data-part="file"]').set_input_files(file)
        page.locator(f'.style input[value="{style}"]').check()
        page.get_by_label("Size", exact=True).select_option("A2-300")
        page.wait_for_function(PREVIEWED)
        page.wait_for_timeout(200)
        page.wait_for_function(BUSY)
        while prepared and not any("x-preview-region" in response.headers for response in responses):
            page.wait_for_timeout(50)
        first = timed(page, server, ZOOM)
        return first, timed(page, server, "", drag=True)


def timed(page: Page, server: ServerProcess, action: str, *, drag: bool = False) -> str:
    """Wall and processor time until another part is there."""
    before, previous = cpu_ms(server.pid), page.evaluate(SOURCE)
    if drag:
        box = page.locator('[data-part="workspace"] [data-part="compare"]').bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + MOVED_PX, y + MOVED_PX)
        page.mouse.up()
    elapsed_ms = page.evaluate(LAID.replace("ACTION", action), previous)
    return f"{elapsed_ms:.0f} / {cpu_ms(server.pid) - before:.0f}"


def cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
