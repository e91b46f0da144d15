"""Inputs of the engine benchmarks: one 12 megapixel photo and one tile pool, the same in every run."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from processing.mosaic import TilePool, pool_from_tiles

WIDTH, HEIGHT = 4000, 3000
TILE_PX = 40


def photo() -> bytes:
    """A JPEG of 4000 x 3000 pixels with soft shapes, edges and grain."""
    rng = np.random.default_rng(12)
    coarse = _enlarged(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8), Image.Resampling.BICUBIC)
    edges = _enlarged(rng.integers(0, 90, (200, 260, 3), dtype=np.uint8), Image.Resampling.NEAREST)
    grain = rng.normal(0, 5, (HEIGHT, WIDTH, 1))
    pixels = np.asarray(coarse) * 0.7 + np.asarray(edges) + grain
    return saved(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), 90)


def pool(count: int) -> TilePool:
    """A pool of `count` tiles, each a gradient between random colours."""
    rng = np.random.default_rng(7)
    tiles = np.stack(
        [
            np.asarray(Image.fromarray(corners).resize((TILE_PX, TILE_PX), Image.Resampling.BILINEAR))
            for corners in rng.integers(0, 256, (count, 2, 2, 3), dtype=np.uint8)
        ]
    )
    return pool_from_tiles(range(count), tiles)


def saved(image: Image.Image, quality: int) -> bytes:
    """Encode as JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _enlarged(pixels: np.ndarray, filter: Image.Resampling) -> Image.Image:
    return Image.fromarray(pixels).resize((WIDTH, HEIGHT), filter)
