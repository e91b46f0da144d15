"""Every style on 12 megapixels, from the decoded source to the painted picture, beside what pip offers."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from processing.mosaic import STYLES, Recipe, parse
from processing.mosaic.canvas import Painting
from processing.mosaic.cells.lattice import Lattice
from processing.mosaic.codec.decode import Source, decode
from processing.mosaic.colour.srgb import light_table, to_srgb
from processing.mosaic.progress import Stage
from processing.mosaic.styles.diamond import harlequin
from processing.mosaic.styles.tilings import honeycomb
from processing.mosaic.styles.triangle import triangles
from tests.bench.photos import pool
from tests.bench.timing import table, timed

ROUNDS = 5
TILES = 2000
SAID: dict[str, dict[str, Any]] = {
    "voronoi": {"cells": 5000},
    "photomosaic": {"cell": 40},
    "redact": {"regions": [[0.2, 0.2, 0.5, 0.5]]},
}
GRIDS = {"hexagon": honeycomb, "triangle": triangles, "diamond": harlequin}


def recipes() -> dict[str, Recipe]:
    """Every style's defaults; where there is a count to compare by, that count."""
    return {name: parse({"style": name, **SAID.get(name, {})}) for name in STYLES}


def report(data: bytes) -> str:
    source = replace(decode(data, Stage()), pool=pool(TILES))
    ours = {f"**`{name}`**": _painting(source, recipe) for name, recipe in recipes().items()}
    spent, made = timed(ours | peers(source.image), ROUNDS)
    rows = [(name, f"{ms:.0f}", _facts(name, made[name], source)) for name, ms in spent.items()]
    return table(("way", "processor ms", "facts"), rows)


def _painting(source: Source, recipe: Recipe) -> Callable[[], Painting]:
    return lambda: STYLES[recipe.style].paint(source, recipe.params, Stage())


def _facts(name: str, made: object, source: Source) -> str:
    grid = GRIDS.get(name.split("`")[1] if "`" in name else "")
    cells = f"{made.cells:,} cells" if isinstance(made, Painting) else ""
    if grid is None:
        return cells
    lattice = grid(source.width, source.height, parse(name.split("`")[1]).params)
    image = made.canvas.reduced(1) if isinstance(made, Painting) else made
    return f"{cells + ', ' if cells else ''}mean error {_error(lattice, source.image, image):.2f}/255"


def _error(lattice: Lattice, source: Image.Image, painted: Any) -> float:
    """Mean distance of the painted picture from the exact means in linear light, in 255ths."""
    labels = _labels(lattice).ravel()
    areas = np.maximum(np.bincount(labels, minlength=lattice.count), 1)
    light, total = np.array(light_table(True)), 0.0
    pixels, result = np.asarray(source).reshape(-1, 3), np.asarray(painted).reshape(-1, 3)
    for channel in range(3):
        means = to_srgb(np.bincount(labels, light[pixels[:, channel]], lattice.count) / areas) * 255
        total += float(np.abs(means.astype(np.float32)[labels] - result[:, channel]).mean())
    return total / 3


def peers(image: Image.Image) -> dict[str, Callable[[], Any]]:
    """What is not installed is left out. Grids and points are ready-made: only means and painting are timed."""
    found: dict[str, Callable[[], Any]] = {}
    for name, grid in GRIDS.items():
        lattice = grid(*image.size, parse(name).params)
        found[f"Pillow polygons, quarter-size means (`{name}`)"] = _later(pillow_polygons, image, lattice)
    lattice = honeycomb(*image.size, parse("hexagon").params)
    found["NumPy, exact (`hexagon`)"] = _later(numpy_exact, image, lattice, _labels(lattice))
    if importlib.util.find_spec("cv2"):
        found["OpenCV polygons, quarter-size means (`hexagon`)"] = _later(opencv_polygons, image, lattice)
        found["OpenCV distance transform, 5,000 points"] = _later(opencv_voronoi, image, 5000)
    if importlib.util.find_spec("skimage"):
        found["scikit-image slic at quarter size, 5,000 cells"] = _later(skimage_slic, image, 5000)
    found["Pillow and NumPy, 7,500 tiles by mean colour, a loop"] = _later(plain_photomosaic, image)
    found["Pillow, a dot for each of 6,912 means"] = _later(pillow_dots, image)
    return found


def _later(way: Callable[..., Any], *given: Any) -> Callable[[], Any]:
    return lambda: way(*given)


def _labels(lattice: Lattice) -> np.ndarray:
    runs = lattice.runs(0, lattice.height)
    return np.repeat(runs.cells, runs.lengths).reshape(lattice.height, lattice.width)


def _quarter_means(image: Image.Image, lattice: Lattice) -> np.ndarray:
    small = np.asarray(image.reduce(4))
    labels = _labels(lattice)[2::4, 2::4][: small.shape[0], : small.shape[1]].ravel()
    pixels, areas = small.reshape(-1, 3), np.maximum(np.bincount(labels, minlength=lattice.count), 1)
    return np.stack([np.bincount(labels, pixels[:, c], lattice.count) / areas for c in range(3)], axis=1)


def pillow_polygons(image: Image.Image, lattice: Lattice) -> Image.Image:
    colours = _quarter_means(image, lattice).astype(np.uint8)
    result = Image.new("RGB", image.size)
    pen = ImageDraw.Draw(result)
    for outline, colour in zip(lattice.outlines(), colours.tolist(), strict=True):
        pen.polygon(list(outline.points), fill=tuple(colour))
    return result


def opencv_polygons(image: Image.Image, lattice: Lattice) -> np.ndarray:
    import cv2

    colours = _quarter_means(image, lattice)
    result = np.zeros((image.height, image.width, 3), np.uint8)
    for outline, colour in zip(lattice.outlines(), colours.tolist(), strict=True):
        cv2.fillConvexPoly(result, np.rint(np.array(outline.points)).astype(np.int32), colour)
    return result


def numpy_exact(image: Image.Image, lattice: Lattice, labels: np.ndarray) -> np.ndarray:
    pixels, flat = np.asarray(image).reshape(-1, 3), labels.ravel()
    areas = np.maximum(np.bincount(flat, minlength=lattice.count), 1)
    means = [np.bincount(flat, pixels[:, channel], lattice.count) / areas for channel in range(3)]
    return np.stack(means, axis=1).astype(np.uint8)[flat]


def opencv_voronoi(image: Image.Image, points: int) -> np.ndarray:
    import cv2

    pixels, rng = np.asarray(image), np.random.default_rng(1)
    seeds = np.ones(pixels.shape[:2], np.uint8)
    seeds[rng.integers(0, image.height, points), rng.integers(0, image.width, points)] = 0
    labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1].ravel()
    areas = np.maximum(np.bincount(labels), 1)
    means = [np.bincount(labels, pixels.reshape(-1, 3)[:, channel]) / areas for channel in range(3)]
    return np.stack(means, axis=1).astype(np.uint8)[labels]


def skimage_slic(image: Image.Image, cells: int) -> np.ndarray:
    from skimage.color import label2rgb
    from skimage.segmentation import slic

    small = np.asarray(image.reduce(4))
    labels = slic(small, n_segments=cells, start_label=1)
    return np.asarray(label2rgb(labels, small, kind="avg"))


def plain_photomosaic(image: Image.Image) -> Image.Image:
    tiles = pool(TILES).tiles
    colours = tiles.mean(axis=(1, 2))
    small = np.asarray(image.resize((100, 75), Image.Resampling.BOX)).astype(float)
    ready = [Image.fromarray(tile) for tile in tiles]
    result = Image.new("RGB", image.size)
    for row in range(75):
        for column in range(100):
            nearest = int(((colours - small[row, column]) ** 2).sum(axis=1).argmin())
            result.paste(ready[nearest], (column * 40, row * 40))
    return result


def pillow_dots(image: Image.Image) -> Image.Image:
    small = image.resize((96, 72), Image.Resampling.BOX)
    result = Image.new("RGB", image.size, "#f7f2e8")
    pen, step = ImageDraw.Draw(result), image.width / 96
    for row in range(72):
        for column in range(96):
            x, y = column * step, row * step
            pen.ellipse((x + 2, y + 2, x + step - 2, y + step - 2), fill=small.getpixel((column, row)))
    return result
