"""Every style on 12 megapixels, from the decoded source to the painted image, beside other libraries."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from processing.mosaic import STYLES, Recipe, TilePool, parse
from processing.mosaic.canvas import StyleResult
from processing.mosaic.cells.lattice import Lattice
from processing.mosaic.codec.decode import Source, decode
from processing.mosaic.colour.srgb import encode_srgb, linear_lut
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.tilings import diamond_lattice, hexagon_lattice, triangle_lattice
from tests.bench.photos import pool
from tests.bench.timing import table, time_alternately

ROUNDS = 5
TILES = 2000
EXTRA_PARAMS: dict[str, dict[str, Any]] = {
    "voronoi": {"cells": 5000, "panes": "voronoi"},
    "photomosaic": {"cell": 40},
    "redact": {"regions": [[0.2, 0.2, 0.5, 0.5]]},
}
GRIDS: dict[str, Callable[[int, int, Any], Lattice]] = {
    "hexagon": hexagon_lattice,
    "triangle": triangle_lattice,
    "diamond": diamond_lattice,
}


def recipes() -> dict[str, Recipe]:
    """Every style with its defaults, or with the number of cells that the comparison needs."""
    return {name: parse({"style": name, **EXTRA_PARAMS.get(name, {})}) for name in STYLES}


def report(data: bytes) -> str:
    source, tiles = decode(data, Progress()), pool(TILES)
    ours = {f"**`{name}`**": _paint_later(source, recipe, tiles) for name, recipe in recipes().items()}
    times_ms, results = time_alternately(ours | competitors(source.image), ROUNDS)
    rows = [(name, f"{ms:.0f}", _facts(name, results[name], source)) for name, ms in times_ms.items()]
    return table(("implementation", "CPU ms", "notes"), rows)


def _paint_later(source: Source, recipe: Recipe, tiles: TilePool) -> Callable[[], StyleResult]:
    return lambda: STYLES[recipe.style].paint(RenderContext(source, recipe.params, Progress(), pool=tiles))


def _facts(name: str, result: object, source: Source) -> str:
    grid = GRIDS.get(name.split("`")[1] if "`" in name else "")
    cells = f"{result.cells:,} cells" if isinstance(result, StyleResult) else ""
    if grid is None:
        return cells
    lattice = grid(source.width, source.height, parse(name.split("`")[1]).params)
    image = result.canvas.reduce(1) if isinstance(result, StyleResult) else result
    return f"{cells + ', ' if cells else ''}mean error {_error(lattice, source.image, image):.2f}/255"


def _error(lattice: Lattice, source: Image.Image, painted: Any) -> float:
    """Mean absolute difference from the exact cell means in linear light, 0 to 255."""
    labels = _labels(lattice).ravel()
    areas = np.maximum(np.bincount(labels, minlength=lattice.count), 1)
    light, total = np.array(linear_lut(True)), 0.0
    pixels, result = np.asarray(source).reshape(-1, 3), np.asarray(painted).reshape(-1, 3)
    for channel in range(3):
        means = encode_srgb(np.bincount(labels, light[pixels[:, channel]], lattice.count) / areas) * 255
        total += float(np.abs(means.astype(np.float32)[labels] - result[:, channel]).mean())
    return total / 3


def competitors(image: Image.Image) -> dict[str, Callable[[], Any]]:
    """Libraries that are installed. Grids and points are precomputed: only means and painting are timed."""
    variants: dict[str, Callable[[], Any]] = {}
    for name, grid in GRIDS.items():
        lattice = grid(*image.size, parse(name).params)
        variants[f"Pillow polygons, quarter-size means (`{name}`)"] = partial(pillow_polygons, image, lattice)
    lattice = GRIDS["hexagon"](*image.size, parse("hexagon").params)
    variants["NumPy, exact (`hexagon`)"] = partial(numpy_exact, image, lattice, _labels(lattice))
    if importlib.util.find_spec("cv2"):
        variants["OpenCV polygons, quarter-size means (`hexagon`)"] = partial(opencv_polygons, image, lattice)
        variants["OpenCV distance transform, 5,000 points"] = partial(opencv_voronoi, image, 5000)
    if importlib.util.find_spec("skimage"):
        variants["scikit-image slic at quarter size, 5,000 cells"] = partial(skimage_slic, image, 5000)
    variants["Pillow and NumPy, 7,500 tiles by mean colour, a loop"] = partial(plain_photomosaic, image)
    variants["Pillow, one dot for each of 6,912 means"] = partial(pillow_dots, image)
    return variants


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
    draw = ImageDraw.Draw(result)
    for outline, colour in zip(lattice.outlines(), colours.tolist(), strict=True):
        draw.polygon(list(outline.points), fill=tuple(colour))
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
    return np.asarray(np.stack(means, axis=1).astype(np.uint8)[flat])


def opencv_voronoi(image: Image.Image, points: int) -> np.ndarray:
    import cv2

    pixels, rng = np.asarray(image), np.random.default_rng(1)
    seeds = np.ones(pixels.shape[:2], np.uint8)
    seeds[rng.integers(0, image.height, points), rng.integers(0, image.width, points)] = 0
    labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1].ravel()
    areas = np.maximum(np.bincount(labels), 1)
    means = [np.bincount(labels, pixels.reshape(-1, 3)[:, channel]) / areas for channel in range(3)]
    return np.asarray(np.stack(means, axis=1).astype(np.uint8)[labels])


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
    draw, step = ImageDraw.Draw(result), image.width / 96
    for row in range(72):
        for column in range(96):
            x, y = column * step, row * step
            draw.ellipse((x + 2, y + 2, x + step - 2, y + step - 2), fill=small.getpixel((column, row)))
    return result
