"""In how many stones each pixel lies, computed stone by stone."""

from __future__ import annotations

import numpy as np

from tests.processing.mosaic.svg_raster import inside


def times_covered(stones: list[np.ndarray], width: int, height: int) -> np.ndarray:
    """(height, width): the number of stones that contain each pixel's centre."""
    times = np.zeros((height, width), int)
    for stone in stones:
        left, top = np.clip(np.floor(stone.min(axis=0)).astype(int), 0, (width, height))
        right, bottom = np.clip(np.ceil(stone.max(axis=0)).astype(int), 0, (width, height))
        y, x = np.mgrid[top:bottom, left:right] + 0.5
        times[top:bottom, left:right] += inside([tuple(corner) for corner in stone.tolist()], x, y)
    return times
