"""How smoothly one walks into a photomosaic in Chromium: frames per second, and the time until it is seen.

`python -m tests.bench.walk_in` makes a photomosaic of 7,500 cells from 120 photos on a server of its own, of squares,
of hexagons, and of cells of two sizes (more than 15,000). It moves in each by wheel and mouse as people do, and prints
frames per second, the 95th percentile of the time between two frames, and the load of the machine. Chromium draws at
most 60 frames a second, here without a graphics processor.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.bench.photos import photo
from tests.browser.conftest import FLAGS, find_chromium
from tests.support.client import PASSWORD
from tests.support.process import ServerProcess

PHOTOS = 120
SIZE = (1200, 900)
PATH = '[data-part="walk-in"]'
RECIPES: dict[str, dict[str, Any]] = {
    "squares": {}, "hexagons": {"shape": "hexagon"}, "cells of two sizes": {"split": True}
}  # fmt: skip
RECORD = """() => {
    const times = [];
    let recording = true;
    const note = (now) => { times.push(now); if (recording) requestAnimationFrame(note); };
    requestAnimationFrame(note);
    window.stopRecording = () => { recording = false; return times; };
}"""
SHOWN = """() => new Promise((resolve) => {
    const look = () => {
        const canvas = document.querySelector('[data-part="walk-in"]');
        const { width, height } = canvas;
        const drawn = !canvas.hidden && canvas.getContext("2d").getImageData(width / 2, height / 2, 1, 1).data[3];
        if (drawn) resolve(performance.now()); else requestAnimationFrame(look);
    };
    look();
})"""


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        ServerProcess(Path(folder) / "data") as server,
        sync_playwright() as driver,
        driver.chromium.launch(executable_path=find_chromium(), args=list(FLAGS)) as browser,
    ):
        page = browser.new_page(base_url=server.base_url, viewport={"width": 1280, "height": 800})
        source, tiles = upload_pictures(page)
        for title, params in RECIPES.items():
            walk(page, title, make_photomosaic(page, source, {"tiles": tiles, **params}))


def walk(page: Page, title: str, mosaic: int) -> None:
    """Print the figures of one photomosaic."""
    opened = [open_page(page, mosaic) for _ in range(3)]
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{title}: picture after {statistics.median(opened):.0f} ms; {load}")
    print(f"{'':28} {'frames/s':>9} {'p95 ms':>7}")
    for name, move in MOVES.items():
        rate, worst = measure(page, move)
        print(f"{name:28} {rate:9.1f} {worst:7.1f}", flush=True)


def measure(page: Page, move: Callable[[Page], None]) -> tuple[float, float]:
    """Frames per second, and the 95th percentile of milliseconds between two."""
    page.evaluate(RECORD)
    move(page)
    intervals = np.diff(page.evaluate("stopRecording()"))
    return 1000 / float(intervals.mean()), float(np.percentile(intervals, 95))


def zoom_in(page: Page) -> None:
    wheel(page, -60, times=60)


def pan(page: Page) -> None:
    box = page.locator(PATH).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for _ in range(3):
        page.mouse.move(x + 250, y)
        page.mouse.down()
        for step in range(40):
            page.mouse.move(x + 250 - step * 12, y - step * 3)
            page.wait_for_timeout(12)
        page.mouse.up()


def zoom_out(page: Page) -> None:
    wheel(page, 60, times=60)


def fly(page: Page) -> None:
    page.locator('[data-part="tile-list-search"]').fill("photo 77")
    for _ in range(3):
        page.locator('[data-part="tile-list-search"]').press("Enter")
        page.wait_for_timeout(1600)


def halfway(page: Page) -> None:
    """To where hundreds of photos are on the screen, and over them."""
    page.locator(PATH).press("0")
    wheel(page, -60, times=12)
    page.wait_for_load_state("networkidle")
    pan(page)


MOVES: dict[str, Callable[[Page], None]] = {
    "zoom in, photos loading": zoom_in,
    "pan over large photos": pan,
    "zoom out": zoom_out,
    "pan over hundreds of photos": halfway,
    "zoom in again": zoom_in,
    "fly": fly,
}


def wheel(page: Page, delta: int, *, times: int) -> None:
    page.locator(PATH).hover()
    for _ in range(times):
        page.mouse.wheel(0, delta)
        page.wait_for_timeout(14)


def open_page(page: Page, mosaic: int) -> float:
    """Milliseconds from the request to the picture."""
    page.goto(f"/i/{mosaic}")
    milliseconds: float = page.evaluate(SHOWN)
    page.wait_for_load_state("networkidle")
    return milliseconds


def upload_pictures(page: Page) -> tuple[str, list[int]]:
    """The address of the source, and the ids of the tiles."""
    name = "walker"
    post(page, "/api/user/add/", username=name, email=f"{name}@example.com", password=PASSWORD)
    post(page, "/api/user/query/", username=name, password=PASSWORD)
    tiles = [upload(page, small_photo(number), f"photo {number}.jpg")["id"] for number in range(PHOTOS)]
    return upload(page, photo(), "source.jpg")["url"], tiles


def make_photomosaic(page: Page, source: str, params: dict[str, Any]) -> int:
    recipe = json.dumps({"style": "photomosaic", "format": "jpeg", **params})
    task = post(page, "/api/tasks/add/", url=source, param=recipe, visibility="public")["task"]["id"]
    while not (done := page.request.get(f"/api/tasks/query/?id={task}").json()["done"]):
        time.sleep(0.2)
    page.request.get(f"/thumbnail/{done[0]['result_id']}/320")  # the server makes it at once
    return int(done[0]["result_id"])


def small_photo(number: int) -> bytes:
    rng = np.random.default_rng(number)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
    pixels = np.asarray(coarse) + rng.normal(0, 12, (SIZE[1], SIZE[0], 1))
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
    return file.getvalue()


def post(page: Page, path: str, **values: Any) -> Any:
    return page.request.post(path, data=values).json()


def upload(page: Page, data: bytes, name: str) -> Any:
    ticket = post(page, "/api/image/token/", filename=name)
    file = {"name": name, "mimeType": "image/jpeg", "buffer": data}
    form = {"token": ticket["token"], "key": ticket["key"], "file": file}
    return page.request.post(ticket["upload_url"], multipart=form).json()


if __name__ == "__main__":
    main()
