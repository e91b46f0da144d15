"""What a preview costs over HTTP, style by style, as the page asks for it. Prints Markdown.

    .venv/bin/python -m tests.bench.previews [photo]

The photo is scikit-image's cat (450 x 300, enlarged to 12 megapixels before anything is done) where none is named.
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
SMALL_PX, LARGE_PX = 320, 1200
FULL = (4000, 3000)
ACROSS = 26
"""Cells across in the page's style picker (static/recipes.js, `example`)."""
HIDDEN = [[0.3, 0.25, 0.7, 0.65]]

Recipe = dict[str, Any]


def main() -> None:
    photo = Image.open(sys.argv[1]) if sys.argv[1:] else cat()
    full = photo.convert("RGB").resize(FULL, Image.Resampling.LANCZOS)
    cases: dict[str, tuple[int, Callable[[Recipe], Recipe]]] = {
        "picker, 320 px": (SMALL_PX, lambda recipe: recipe | {"cell": FULL[0] // ACROSS}),
        "as the full picture, 320 px": (SMALL_PX, lambda recipe: recipe),
        "on the stage, 1200 px": (LARGE_PX, lambda recipe: recipe),
    }
    pictures = {side: shrunk(full, side) for side in (SMALL_PX, LARGE_PX)}
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder) / "data") as server:
        taken: dict[tuple[str, str], list[float]] = {}
        for _ in range(ROUNDS):
            for style in mosaic.STYLES:
                for case, (side, made) in cases.items():
                    seconds = preview(server.base_url, pictures[side], made(plain(style)), side / FULL[0])
                    taken.setdefault((style, case), []).append(seconds * 1000)
    lines = [(f"`{style}`", *(said(taken[style, case]) for case in cases)) for style in mosaic.STYLES]
    print(table(("style", *(f"{case}: median / worst ms" for case in cases)), lines))


def cat() -> Image.Image:
    from skimage import data  # of requirements/bench.txt; a photo of one's own does without

    return Image.fromarray(data.chelsea())


def plain(style: str) -> Recipe:
    return {"style": style, "format": "webp"} | ({"regions": HIDDEN} if style == "redact" else {})


def shrunk(full: Image.Image, side: int) -> bytes:
    file = io.BytesIO()
    full.resize((side, side * FULL[1] // FULL[0]), Image.Resampling.BOX).save(file, "JPEG", quality=90)
    return file.getvalue()


def preview(base_url: str, picture: bytes, recipe: Recipe, scale: float) -> float:
    """Seconds from the request to the last byte of the answer."""
    body, kind = multipart({"param": json.dumps(recipe), "scale": str(scale)}, "preview.jpg", picture)
    request = urllib.request.Request(f"{base_url}/api/preview/", body, {"Content-Type": kind})
    begun = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "image/webp"
        answer.read()
    return time.perf_counter() - begun


def said(milliseconds: list[float]) -> str:
    """The first is the warm-up: what is imported by its first use."""
    return f"{statistics.median(milliseconds[1:]):.0f} / {max(milliseconds[1:]):.0f}"


if __name__ == "__main__":
    main()
