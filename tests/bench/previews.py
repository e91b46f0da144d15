"""Response times of previews over HTTP for every style, as the page requests them. Prints Markdown.

    .venv/bin/python -m tests.bench.previews [photo]

Without a photo: scikit-image's cat (450 x 300), enlarged to 12 megapixels.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from processing import mosaic
from tests.bench.timing import table
from tests.support.client import multipart
from tests.support.process import ServerProcess

ROUNDS = 11
SMALL_SIDE_PX, LARGE_SIDE_PX = 320, 1200
FULL_SIZE = (4000, 3000)
PICKER_COLUMNS = 26
"""Cells per row in the page's style picker (static/recipes.js, `example`)."""
REDACTED_REGIONS = [[0.3, 0.25, 0.7, 0.65]]

Recipe = dict[str, Any]


def main() -> None:
    photo = Image.open(sys.argv[1]) if sys.argv[1:] else sample_photo()
    full = photo.convert("RGB").resize(FULL_SIZE, Image.Resampling.LANCZOS)
    cases: dict[str, tuple[int, Callable[[Recipe], Recipe]]] = {
        "picker, 320 px": (SMALL_SIDE_PX, lambda recipe: recipe | {"cell": FULL_SIZE[0] // PICKER_COLUMNS}),
        "as the full picture, 320 px": (SMALL_SIDE_PX, lambda recipe: recipe),
        "on the stage, 1200 px": (LARGE_SIDE_PX, lambda recipe: recipe),
    }
    pictures = {side: scaled_jpeg(full, side) for side in (SMALL_SIDE_PX, LARGE_SIDE_PX)}
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder) / "data") as server:
        times_ms: dict[tuple[str, str], list[float]] = {}
        for _ in range(ROUNDS):
            for style in mosaic.STYLES:
                for case, (side, make_recipe) in cases.items():
                    recipe = make_recipe(default_recipe(style))
                    seconds = measure_preview(server.base_url, pictures[side], recipe, side / FULL_SIZE[0])
                    times_ms.setdefault((style, case), []).append(seconds * 1000)
    lines = [(f"`{style}`", *(median_and_worst(times_ms[style, case]) for case in cases)) for style in mosaic.STYLES]
    print(table(("style", *(f"{case}: median / worst ms" for case in cases)), lines))


def sample_photo() -> Image.Image:
    from skimage import data  # from requirements/bench.txt; not needed when a photo is given

    return Image.fromarray(data.chelsea())


def default_recipe(style: str) -> Recipe:
    return {"style": style, "format": "webp"} | ({"regions": REDACTED_REGIONS} if style == "redact" else {})


def scaled_jpeg(full: Image.Image, side: int) -> bytes:
    file = io.BytesIO()
    full.resize((side, side * FULL_SIZE[1] // FULL_SIZE[0]), Image.Resampling.BOX).save(file, "JPEG", quality=90)
    return file.getvalue()


def measure_preview(base_url: str, picture: bytes, recipe: Recipe, scale: float) -> float:
    """Seconds from the request to the last byte of the response."""
    body, kind = multipart({"param": json.dumps(recipe), "scale": str(scale)}, "preview.jpg", picture)
    request = urllib.request.Request(f"{base_url}/api/preview/", body, {"Content-Type": kind})
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as response:
        assert response.headers["Content-Type"] == "image/webp"
        response.read()
    return time.perf_counter() - started


def median_and_worst(milliseconds: list[float]) -> str:
    """Without the first value, which includes imports."""
    return f"{statistics.median(milliseconds[1:]):.0f} / {max(milliseconds[1:]):.0f}"


if __name__ == "__main__":
    main()
