"""Seeds of Voronoi cells: blue-noise points, denser where the picture has detail.

Weighted Voronoi stippling (Secord, 2002), started along a Hilbert curve instead of at random.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...colour.oklab import srgb_to_oklab
from ...colour.srgb import Floats
from ...progress import Progress
from ...scipy_lazy import nearest_point_map

_SAMPLES_A_SEED = 10
_MAX_SAMPLES = 1 << 17
_SUBDIVISIONS = 2  # of a sample in the nearest-point map; even, so that a map point lies in the sample's middle
_COLUMN_BITS = 32


def gradient_magnitude(image: Image.Image, samples: int) -> Floats:
    """(rows, columns) of about `samples` squares of the picture: how much the colour changes there, 0 to about 1.

    The square root of the smoothed OKLab gradient, so that faint texture counts beside hard edges.
    """
    factor = max(1, round((image.width * image.height / max(samples, 1)) ** 0.5))
    lab = srgb_to_oklab(np.asarray(image.reduce(factor)))
    squares = np.zeros(lab.shape[:2])
    for axis in (0, 1):
        if lab.shape[axis] > 1:
            squares += (np.gradient(lab, axis=axis) ** 2).sum(axis=-1)
    magnitude: Floats = np.clip(_box_blur(np.sqrt(squares)) / 0.12, 0.0, 1.0) ** 0.5
    return magnitude


def stipple_points(
    density: Floats, size: tuple[int, int], count: int, *, steps: int, seed: int, progress: Progress
) -> Floats:
    """(count, 2) distinct x, y in pixels from top to bottom, or fewer if the density is too coarse for that many.

    density: (rows, columns), above 0, of a picture of `size` (width, height). The points start at equal shares of the
    density along a Hilbert curve, each jittered within its share, and are then moved by `steps` steps of Lloyd's method
    (1982) weighted by the density.
    """
    rows, columns = density.shape
    scale = np.array([size[0] / columns, size[1] / rows])
    order = _hilbert_order(rows, columns)
    cumulative = np.cumsum(density.ravel()[order])
    rng = np.random.default_rng(seed)
    shares = (np.arange(count) + rng.uniform(0.2, 0.8, count)) * (cumulative[-1] / count)
    first = order[np.minimum(np.searchsorted(cumulative, shares), len(order) - 1)]
    seeds: Floats = np.stack([first % columns, first // columns], 1) + rng.uniform(0.02, 0.98, (count, 2))
    for step in range(steps):
        seeds = _lloyd_step(seeds, density)
        progress((step + 1) / steps)
    return _distinct(seeds * scale)


def _lloyd_step(seeds: Floats, density: Floats) -> Floats:
    """Each seed moved to the weighted mean of the samples nearest to it. seeds: (n, 2) in samples.

    Distances are computed in 1/_SUBDIVISIONS of a sample: of seeds that coincide there, only one moves in this step.
    """
    rows, columns = density.shape
    nearest = nearest_point_map(seeds * _SUBDIVISIONS, (rows * _SUBDIVISIONS + 1, columns * _SUBDIVISIONS + 1))
    owners = nearest[_SUBDIVISIONS // 2 :: _SUBDIVISIONS, _SUBDIVISIONS // 2 :: _SUBDIVISIONS].ravel()
    weights = density.ravel()
    total = np.bincount(owners, weights, len(seeds))
    row, column = np.divmod(np.arange(rows * columns), columns)
    sums = np.stack([np.bincount(owners, weights * (axis + 0.5), len(seeds)) for axis in (column, row)], 1)
    return np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], seeds)


def _distinct(seeds: Floats) -> Floats:
    """Rounded to 1/64 pixel, without duplicates, from top to bottom."""
    x, y = np.round(seeds * 64).astype(np.int64).T
    y, x = np.divmod(np.unique(y << _COLUMN_BITS | x), 1 << _COLUMN_BITS)
    return np.stack([x, y], 1) / 64


def sample_count(count: int) -> int:
    """The number of samples that a picture is reduced to for `count` seeds."""
    return min(count * _SAMPLES_A_SEED, _MAX_SAMPLES)


def _box_blur(values: Floats) -> Floats:
    """The mean of 5 x 5 neighbours, with edge values repeated beyond the border."""
    padded = np.pad(values, 2, mode="edge")
    sums = np.cumsum(np.cumsum(np.pad(padded, ((1, 0), (1, 0))), axis=0), axis=1)
    mean: Floats = (sums[5:, 5:] - sums[:-5, 5:] - sums[5:, :-5] + sums[:-5, :-5]) / 25
    return np.maximum(mean, 0.0)


def _hilbert_order(rows: int, columns: int) -> NDArray[np.int64]:
    """(rows * columns,) the indices of a grid in the order in which a Hilbert curve visits them."""
    y, x = np.divmod(np.arange(rows * columns), columns)
    distance, side = np.zeros(rows * columns, np.int64), 1 << (max(rows, columns) - 1).bit_length()
    half = side // 2
    while half:
        right, low = (x & half) > 0, (y & half) > 0
        distance += half * half * ((3 * right) ^ low)
        turned, flipped = ~low, ~low & right
        x, y = np.where(flipped, side - 1 - x, x), np.where(flipped, side - 1 - y, y)
        x, y = np.where(turned, y, x), np.where(turned, x, y)
        half //= 2
    return np.argsort(distance, kind="stable")
