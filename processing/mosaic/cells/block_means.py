"""Means of square blocks, faster than the means of arbitrary cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colour.pixels import apply_lut, look_up, pixels
from ..colour.srgb import Colours, linear_lut, to_bytes
from ..progress import Progress, pieces
from ..scaled import Picture

_MAX_REDUCE_SIDE = 64  # up to it Image.reduce is exact to 0.67/255; above, its fixed-point factor is too coarse

_CACHED_PX = 1 << 18  # their light, the unused fourth number included, is 4 MB: it is summed while in the cache


def block_means(image: Picture, side: int, linear: bool, progress: Progress) -> Colours:
    """(rows, columns, 3): the mean of every block of `side` pixels; blocks at the edge by the pixels they have.

    image: RGB. linear: average in linear light, exact to half a number; else the numbers, to 0.67/255.
    """
    means = []
    for top, bottom in progress.bands(image.width, image.height, step=side):
        if linear or side > _MAX_REDUCE_SIDE:
            means.append(_exact_means(image.crop((0, top, image.width, bottom)), side, linear))
        else:
            means.append(np.asarray(image.reduce(side, (0, top, image.width, bottom))))
    return np.concatenate(means)


def block_areas(width: int, height: int, side: int) -> NDArray[np.uint32]:
    """(rows * columns,) pixels of every block."""
    return np.outer(_block_sides(height, side), _block_sides(width, side)).ravel()


def _exact_means(band: Image.Image, side: int, linear: bool) -> Colours:
    heights, widths = _block_sides(band.height, side), _block_sides(band.width, side)
    rows = _row_sums(band, side, linear_lut(linear))
    starts = np.arange(3 * len(heights))[:, None] * band.width + np.arange(len(widths)) * side
    sums = np.add.reduceat(rows.ravel(), starts.ravel()).reshape(3, len(heights), len(widths))
    return to_bytes(np.moveaxis(sums / np.outer(heights, widths), 0, -1), linear)


def _row_sums(band: Image.Image, side: int, lut: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, rows of blocks, width): light summed over the height of each block; the last one may be cut."""
    if band.height <= side:  # one row of blocks, which may be larger than BAND_PX
        boxes = [(0, top, band.width, bottom) for top, bottom in Progress().bands(*band.size)]
        parts = [apply_lut(band.crop(box), lut).sum(axis=1, keepdims=True) for box in boxes]
        rows: NDArray[np.float32] = np.concatenate(parts, axis=1).sum(axis=1, keepdims=True)
        return rows
    values, sums = pixels(band), []
    for piece in pieces(band.height, max(1, _CACHED_PX // (band.width * side)) * side):
        light = look_up(values[piece], lut)
        whole = len(light) // side
        sums.append(light[: whole * side].reshape(whole, side, 4 * band.width).sum(axis=1))
        if whole * side < len(light):
            sums.append(light[whole * side :].sum(axis=0, keepdims=True))
    summed = np.concatenate(sums).reshape(-1, band.width, 4)[..., :3]
    return np.ascontiguousarray(np.moveaxis(summed, -1, 0))


def _block_sides(length: int, side: int) -> NDArray[np.uint32]:
    """The sides of the blocks that a length is divided into; the last may be shorter."""
    return np.minimum(side, length - np.arange(0, length, side)).astype(np.uint32)
