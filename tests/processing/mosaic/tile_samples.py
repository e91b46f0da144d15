"""Tile pools for tests."""

from __future__ import annotations

import numpy as np

from processing.mosaic import TilePool, pool_from_tiles


def flat_tiles(colours: list[tuple[int, int, int]]) -> np.ndarray:
    """(n, 16, 16, 3) tiles of one colour each."""
    return np.array(colours, np.uint8)[:, None, None, :].repeat(16, 1).repeat(16, 2)


def colourful_pool(count: int) -> TilePool:
    """Tiles of soft noise in all colours, with ids from 1000."""
    rng = np.random.default_rng(count)
    base = rng.integers(0, 200, (count, 1, 1, 3)) + rng.integers(0, 56, (count, 8, 8, 3))
    return pool_from_tiles(range(1000, 1000 + count), base.astype(np.uint8).repeat(2, 1).repeat(2, 2))
