"""`python -m tests.browser.examples`: renders the examples of the first page, static/samples/example-STYLE.webp."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from processing.mosaic import parse, render
from tests.browser.modules import STATIC

SIZE = (480, 360)
QUALITY = 72
EXAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "tesserae": ("ridges", {"cell": 36}),
    "photomosaic": ("koi", {"cell": 40}),
    "brick": ("balloons", {"cell": 28}),
    "redact": ("koi", {"regions": [[0.3, 0.25, 0.72, 0.72]], "cell": 48}),
    "voronoi": ("ridges", {"cell": 70}),
    "lowpoly": ("balloons", {"cells": 600}),
    "dots": ("koi", {"cell": 28}),
    "quadtree": ("balloons", {"cells": 700}),
}
"""Style -> the sample image, and parameters whose effect is visible in a small picture."""


def main() -> None:
    """Overwrite the files."""
    for style, (sample, params) in EXAMPLES.items():
        source = (STATIC / "samples" / f"{sample}.jpg").read_bytes()
        result = render(source, parse({"style": style, **params}))
        with Image.open(io.BytesIO(result.data)) as image:
            small = image.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        small.save(STATIC / "samples" / f"example-{style}.webp", quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
