"""Golden images: what every style makes of one small photo. Look at them whenever they change.

    .venv/bin/python -m tests.processing.mosaic.golden.make hexagon dots

renders the images of the named styles and leaves all others untouched. source.png: Chelsea the cat by Stefan van der
Walt (CC0), reduced.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from processing.mosaic import STYLES, build_pool, parse, render
from tests.processing.mosaic.pictures import encoded, opened
from tests.processing.mosaic.samples import sample

FOLDER = Path(__file__).parent
CELLS = {"photomosaic": 14, "quadtree": 3}
DEFAULT_CELL = 7
POOLED: dict[str, dict[str, Any]] = {
    "photomosaic-pool": {"cell": 14, "shape": "4:3", "transfer": 60},
    "photomosaic-hexagons": {"cell": 18, "shape": "hexagon", "margin": 1},
    "photomosaic-two-sizes": {"cell": 20, "split": True, "margin": 1},
}
"""Photomosaics of parts of the source."""
NAMES = [*STYLES, *POOLED]
PART_PX = 48


def render_golden(style: str) -> bytes:
    """The style's PNG of the source, at a cell size that shows the style."""
    source = (FOLDER / "source.png").read_bytes()
    if style in POOLED:
        recipe = parse({"style": "photomosaic", "apart": 2, **POOLED[style]})
        shape = recipe.to_dict()["shape"]
        return render(source, recipe, pool=build_pool(enumerate(_parts(source)), shape=shape)).data
    smallest = STYLES[style].params.model_fields["cell"].metadata[0].ge
    return render(source, parse(sample(style, cell=max(smallest, CELLS.get(style, DEFAULT_CELL))))).data


def _parts(source: bytes) -> Iterator[bytes]:
    image = opened(source)
    height, width = image.shape[:2]
    for top in range(0, height - PART_PX + 1, PART_PX // 2):
        for left in range(0, width - PART_PX + 1, PART_PX // 2):
            yield encoded(np.ascontiguousarray(image[top : top + PART_PX, left : left + PART_PX]))


def main(arguments: Sequence[str] | None = None, folder: Path = FOLDER) -> None:
    parser = argparse.ArgumentParser(description="Renders the golden images of the named styles.")
    parser.add_argument("styles", nargs="+", choices=NAMES, metavar="STYLE", help=", ".join(NAMES))
    for style in parser.parse_args(arguments).styles:
        (folder / f"{style}.png").write_bytes(render_golden(style))


if __name__ == "__main__":
    main()
