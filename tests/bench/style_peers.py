"""Other programs beside our styles: GEGL's mosaic and newsprint (gegl), G'MIC's mosaic (gmic), and the palettes of
libimagequant (pngquant). Prints Markdown.

.venv/bin/python -m tests.bench.style_peers photo.jpg [...]

Differences as in tests.bench.looks. Programs that are not installed are left out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from processing.mosaic.cells.block_means import block_means
from processing.mosaic.progress import Progress
from tests.bench.differences import blurred_difference, mean_difference, render_image
from tests.bench.looks import photographs, recipe_of
from tests.bench.timing import table

CELL_PX = 8
DOTS_PX = 9

Draw = Callable[[Image.Image, Path], np.ndarray]


def run_on_file(image: Image.Image, folder: Path, *command: str) -> np.ndarray:
    """The pixels that a command makes of an image; IN and OUT stand for the files."""
    source, result = folder / "in.png", folder / "out.png"
    image.save(source)
    result.unlink(missing_ok=True)
    words = [{"IN": str(source), "OUT": str(result)}.get(word, word) for word in command]
    subprocess.run(words, check=True, capture_output=True)
    return np.asarray(Image.open(result).convert("RGB"))


def our(word: str) -> Draw:
    """A style as tests.bench.looks names it."""
    return lambda image, _: render_image(image, recipe_of(word))[1]


def other(*command: str) -> Draw:
    return lambda image, folder: run_on_file(image, folder, *command)


def gegl(operation: str, *options: str) -> Draw:
    return other("gegl", "IN", "-o", "OUT", "--", operation, *options)


def quantised(image: Image.Image, folder: Path) -> np.ndarray:
    """The cells' means in twelve colours by libimagequant, as large as the image."""
    means = Image.fromarray(block_means(image, CELL_PX, True, Progress()))
    cells = run_on_file(means, folder, "pngquant", "--speed", "1", "12", "IN", "-o", "OUT")
    return np.asarray(cells.repeat(CELL_PX, 0).repeat(CELL_PX, 1)[: image.height, : image.width])


_FLAT_MOSAIC = ("tile-size=16", "tile-spacing=1", "tile-height=1", "color-variation=0")
ROWS: tuple[tuple[str, str, float, Draw], ...] = (
    ("GEGL `mosaic`, hexagons of 16 pixels", "gegl", 16, gegl("gegl:mosaic", "tile-type=hexagons", *_FLAT_MOSAIC)),
    ("ours: `hexagon:cell=16,grout=1`", "", 16, our("hexagon:cell=16,grout=1")),
    ("G'MIC `mosaic 50`", "gmic", 8, other("gmic", "IN", "mosaic", "50", "-output", "OUT")),
    ("ours: `lowpoly:cells=3000`", "", 8, our("lowpoly:cells=3000")),
    ("GEGL `newsprint`, CMYK, 9 pixels", "gegl", DOTS_PX, gegl(
        "gegl:newsprint", "color-model=cmyk", *(f"period{place}={DOTS_PX}" for place in ("", 2, 3, 4)),
        "angle=15", "angle2=75", "angle3=0", "angle4=45",
    )),
    ("ours: `dots:screens=cmyk,cell=9`", "", DOTS_PX, our("dots:screens=cmyk,cell=9")),
    ("ours: `dots:cell=9`", "", DOTS_PX, our("dots:cell=9")),
    ("libimagequant (pngquant), 12 colours, cells of 8 pixels", "pngquant", CELL_PX, quantised),
    ("ours: `mosaic:cell=8`, `auto-12`, dithered", "", CELL_PX, our("mosaic:palette=auto-12,dither=true,cell=8")),
)  # fmt: skip


def peer_rows(images: Iterable[Image.Image]) -> list[tuple[str, str, str]]:
    """The mean difference and the blurred difference of each program."""
    images, rows = list(images), []
    for name, program, cell_px, draw in ROWS:
        if program and shutil.which(program) is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            pairs = [(np.asarray(image), draw(image, Path(folder))) for image in images]
        plain = np.mean([mean_difference(source, painted) for source, painted in pairs])
        blurred = np.mean([blurred_difference(source, painted, cell_px) for source, painted in pairs])
        rows.append((name, f"{plain:.2f}", f"{blurred:.2f}"))
    return rows


if __name__ == "__main__":
    photos = photographs([Path(word) for word in sys.argv[1:]])
    print(table(("program", "difference", "blurred"), peer_rows(photos.values())))
