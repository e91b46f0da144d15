"""How near a photomosaic is to its picture: three photos over two pools, by what the eye sees from three distances.

Both pictures are reduced to 8 pixels a cell in linear light and blurred by half a cell and by a quarter of a cell.
Lightness and colour are those of OKLab; SSIM is that of lightness (Wang et al. 2004, Gaussian window of 1.5 pixels).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from processing.mosaic import TilePool, parse, pool_from_tiles, render
from processing.mosaic.colour.oklab import srgb_to_oklab
from processing.mosaic.colour.srgb import encode_srgb, linearise
from tests.bench.photos import pool
from tests.bench.timing import table

SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
PHOTOS = ("balloons", "koi", "ridges")
CELL, COLUMNS, ROWS, TILES = 32, 40, 30, 765
RECIPES: dict[str, dict[str, Any]] = {
    "tint 0": {"tint": 0},
    "tint 25, the default": {},
    "tint 25, each tile at most twice": {"most": 2},
}
HEAD = ("pool, recipe", "difference at half a cell", "SSIM at half a cell", "at a quarter", "4 px a cell", "edges")
Floats = np.ndarray


def report() -> str:
    """The mean of the photos. Each photo's pool of crops is cut from the other photos."""
    gradients = pool(TILES)
    pools: Mapping[str, Callable[[str], TilePool]] = {
        f"{TILES} crops of photos": crops,
        f"{TILES} gradients": lambda _: gradients,
    }
    rows = []
    for pool_name, make_pool in pools.items():
        for recipe_name, params in RECIPES.items():
            figures = [measure(photo, params, make_pool(photo)) for photo in PHOTOS]
            means = [fmean(values) for values in zip(*figures, strict=True)]
            rows.append((f"{pool_name}, {recipe_name}", f"{means[0]:.2f}", *(f"{value:.2f}" for value in means[1:])))
    return table(HEAD, rows)


@cache
def crops(excluded: str) -> TilePool:
    """Squares at seeded places and sizes, some of them darker or lighter."""
    rng = np.random.default_rng(5)
    photos = [_opened(name) for name in PHOTOS if name != excluded]
    tiles = []
    for number in range(TILES):
        photo = photos[number % len(photos)]
        side = min(photo.size) * rng.uniform(0.08, 0.5)
        left, top = rng.uniform(0, photo.width - side), rng.uniform(0, photo.height - side)
        box = (left, top, left + side, top + side)
        tile = np.asarray(photo.resize((64, 64), Image.Resampling.HAMMING, box=box)).astype(float)
        tiles.append(np.clip(tile * rng.uniform(0.5, 1.3) + rng.uniform(-20, 40), 0, 255).astype(np.uint8))
    return pool_from_tiles(range(TILES), np.stack(tiles))


def measure(photo: str, params: Mapping[str, Any], tiles: TilePool) -> tuple[float, ...]:
    """The columns of the table."""
    source, file = _opened(photo).resize((CELL * COLUMNS, CELL * ROWS), Image.Resampling.LANCZOS), io.BytesIO()
    source.save(file, "PNG", compress_level=1)
    recipe = parse({"style": "photomosaic", "cell": CELL, **params})
    result = Image.open(io.BytesIO(render(file.getvalue(), recipe, pool=tiles).data))
    first, second = (_reduced(image, 8) for image in (source, result))
    half, half_result = (_lab(gaussian_filter(light, (4, 4, 0))) for light in (first, second))
    quarter, quarter_result = (_lab(gaussian_filter(light, (2, 2, 0)))[..., 0] for light in (first, second))
    near, near_result = (_lab(_reduced(image, 4))[..., 0] for image in (source, result))
    return (
        100 * float(np.linalg.norm(half - half_result, axis=-1).mean()),
        ssim(half[..., 0], half_result[..., 0]),
        ssim(quarter, quarter_result),
        ssim(near, near_result),
        float(np.corrcoef(_slopes(quarter), _slopes(quarter_result))[0, 1]),
    )


def ssim(first: Floats, second: Floats) -> float:
    """The mean structural similarity of two planes of lightness, 0 to 1."""
    means = [gaussian_filter(plane, 1.5) for plane in (first, second)]
    variances = [gaussian_filter(plane**2, 1.5) - mean**2 for plane, mean in zip((first, second), means, strict=True)]
    covariance = gaussian_filter(first * second, 1.5) - means[0] * means[1]
    structure = (2 * covariance + 9e-4) / (variances[0] + variances[1] + 9e-4)
    return float(((2 * means[0] * means[1] + 1e-4) / (means[0] ** 2 + means[1] ** 2 + 1e-4) * structure).mean())


def _opened(photo: str) -> Image.Image:
    return Image.open(SAMPLES / f"{photo}.jpg").convert("RGB")


def _reduced(image: Image.Image, across: int) -> Floats:
    """(ROWS * across, COLUMNS * across, 3) means in linear light."""
    light, step = linearise(np.asarray(image.convert("RGB")) / 255.0), CELL // across
    reduced: Floats = light.reshape(ROWS * across, step, COLUMNS * across, step, 3).mean(axis=(1, 3))
    return reduced


def _lab(light: Floats) -> Floats:
    return srgb_to_oklab(np.rint(encode_srgb(light) * 255).astype(np.uint8))


def _slopes(plane: Floats) -> Floats:
    slopes: Floats = np.hypot(*np.gradient(plane)).ravel()
    return slopes


if __name__ == "__main__":
    print(report())
