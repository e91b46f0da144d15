"""Seeds: points spread like blue noise, denser where the picture has detail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...colour.oklab import from_srgb
from ...colour.srgb import Floats
from ...progress import Stage
from ...scipy_lazy import nearest_of

_PLACES_A_SEED = 10  # places of the reduced picture that a seed is moved by
_MOST_PLACES = 1 << 17
_LATTICE = 2  # even: a place has a point in its middle
_COLUMN_BITS = 32


def detail(image: Image.Image, places: int) -> Floats:
    """(rows, columns) of about `places` squares of the picture: how much colour changes there, 0 to about 1.

    The root of the gradient of OKLab, softened, so that faint texture counts beside hard edges.
    """
    factor = max(1, round((image.width * image.height / max(places, 1)) ** 0.5))
    lab = from_srgb(np.asarray(image.reduce(factor)))
    change = np.zeros(lab.shape[:2])
    for axis in (0, 1):
        if lab.shape[axis] > 1:
            change += (np.gradient(lab, axis=axis) ** 2).sum(axis=-1)
    found: Floats = np.clip(_softened(np.sqrt(change)) / 0.12, 0.0, 1.0) ** 0.5
    return found


def spread(density: Floats, size: tuple[int, int], count: int, *, steps: int, seed: int, stage: Stage) -> Floats:
    """(count, 2) x, y in pixels, or fewer when the density is too coarse for so many; no two alike, from top to bottom.

    density: (rows, columns), above 0, of a picture of `size` (width, height). They start at equal steps of the
    density along a Hilbert curve, each moved by chance within its step, and then take `steps` steps of Lloyd's
    method (1982) weighted by the density.
    """
    rows, columns = density.shape
    scale = np.array([size[0] / columns, size[1] / rows])
    order = _hilbert_order(rows, columns)
    along = np.cumsum(density.ravel()[order])
    rng = np.random.default_rng(seed)
    marks = (np.arange(count) + rng.uniform(0.2, 0.8, count)) * (along[-1] / count)
    first = order[np.minimum(np.searchsorted(along, marks), len(order) - 1)]
    seeds: Floats = np.stack([first % columns, first // columns], 1) + rng.uniform(0.02, 0.98, (count, 2))
    for step in range(steps):
        seeds = _settled(seeds, density)
        stage((step + 1) / steps)
    return _distinct(seeds * scale)


def _settled(seeds: Floats, density: Floats) -> Floats:
    """Each seed at the weighted middle of the places that are nearest to it, in whole numbers of _LATTICE-ths of a
    place. Of seeds that are no further apart one moves and the others wait for the next step."""
    rows, columns = density.shape
    nearest = nearest_of(seeds * _LATTICE, (rows * _LATTICE + 1, columns * _LATTICE + 1))
    places = nearest[_LATTICE // 2 :: _LATTICE, _LATTICE // 2 :: _LATTICE].ravel()
    weights = density.ravel()
    total = np.bincount(places, weights, len(seeds))
    down, across = np.divmod(np.arange(rows * columns), columns)
    sums = np.stack([np.bincount(places, weights * (side + 0.5), len(seeds)) for side in (across, down)], 1)
    return np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], seeds)


def _distinct(seeds: Floats) -> Floats:
    """To a 64th of a pixel, no two alike, from top to bottom."""
    x, y = np.round(seeds * 64).astype(np.int64).T
    y, x = np.divmod(np.unique(y << _COLUMN_BITS | x), 1 << _COLUMN_BITS)
    return np.stack([x, y], 1) / 64


def places_for(count: int) -> int:
    """How many squares a picture is reduced to for that many seeds."""
    return min(count * _PLACES_A_SEED, _MOST_PLACES)


def _softened(values: Floats) -> Floats:
    """The mean of 5 x 5 neighbours, without the edge's dark rim."""
    padded = np.pad(values, 2, mode="edge")
    sums = np.cumsum(np.cumsum(np.pad(padded, ((1, 0), (1, 0))), axis=0), axis=1)
    mean: Floats = (sums[5:, 5:] - sums[:-5, 5:] - sums[5:, :-5] + sums[:-5, :-5]) / 25
    return np.maximum(mean, 0.0)


def _hilbert_order(rows: int, columns: int) -> NDArray[np.int64]:
    """The places of a grid, row by row, in the order in which a Hilbert curve comes by them."""
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
