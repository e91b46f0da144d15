"""Processor time of zoomed previews in every style: 1200 x 800 pixels of a poster. Prints Markdown.

    .venv/bin/python -m tests.bench.regions [photo]

The source is a photo of 12 megapixels, the result A2 at 300 dpi (7,016 pixels), from file to file. First: nothing of
the recipe is known. Next: other regions of the same recipe.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from processing import mosaic
from processing.mosaic import Recipe, Region, TilePool
from processing.process_setup import tune_process
from tests.bench.photos import photo, pool
from tests.bench.previews import default_recipe
from tests.bench.timing import table

LONGER_PX, WIDTH_PX, HEIGHT_PX = 7016, 1200, 800
PLACES = ((0.40, 0.40), (0.60, 0.55), (0.15, 0.20))
TILES = 1000
ROUNDS = 1


def main() -> None:
    tune_process()
    data = Path(sys.argv[1]).read_bytes() if sys.argv[1:] else photo()
    tiles, lines = pool(TILES), []
    for style in mosaic.STYLES:
        size = {} if style == "redact" else {"size": LONGER_PX}
        recipe = mosaic.parse(default_recipe(style) | size | {"format": "png"})
        used = tiles if style == "photomosaic" else None
        firsts, following, length = [], [], 0
        for _ in range(ROUNDS):
            first, *others = measure_regions(data, recipe, used)
            firsts.append(first[0])
            following += [milliseconds for milliseconds, _ in others]
            length = first[1]
        lines.append((f"`{style}`", f"{min(firsts):.0f}", f"{min(following):.0f}", f"{length / 1000:.0f}"))
    print(table(("style", "first, CPU ms", "next, CPU ms", "kB"), lines))


def measure_regions(data: bytes, recipe: Recipe, tiles: TilePool | None) -> list[tuple[float, int]]:
    """Milliseconds and bytes of a region at each of the places."""
    geometry, figures = dict[str, Any](), []
    for left, top in PLACES:
        right, bottom = left + WIDTH_PX / LONGER_PX, top + HEIGHT_PX / (LONGER_PX * 0.75)
        started = time.process_time()
        result = mosaic.render_region(data, recipe, Region((left, top, right, bottom)), pool=tiles, geometry=geometry)
        figures.append(((time.process_time() - started) * 1000, len(result.data)))
    return figures


if __name__ == "__main__":
    main()
