"""Regions: the parts of a picture that a recipe names, and which square blocks they touch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...colour.pixels import pixels
from ...progress import Stage

Rectangle = tuple[float, float, float, float]
Region = Rectangle | tuple[tuple[float, float], ...]
Blocks = NDArray[np.bool_]  # (rows, columns)

MOST_REGIONS = 64
MOST_CORNERS = 256
ALLOWED = (
    f"1 to {MOST_REGIONS} rectangles [left, top, right, bottom] or polygons [[x, y], [x, y], [x, y], …], "
    "all numbers from 0 to 1, as shares of the width and the height"
)


def check_regions(regions: Sequence[Region]) -> None:
    """Raises ValueError when there is none, one too many, or one that lies outside the picture."""
    if not 1 <= len(regions) <= MOST_REGIONS:
        raise ValueError(ALLOWED)
    for region in regions:
        points = corners(region)
        if not 3 <= len(points) <= MOST_CORNERS or not all(0.0 <= value <= 1.0 for point in points for value in point):
            raise ValueError(ALLOWED)


def corners(region: Region) -> list[tuple[float, float]]:
    """The points of a region, in shares of the picture."""
    numbers = np.array(region, np.float64)
    if numbers.shape == (4,):
        left, top, right, bottom = numbers.tolist()
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    return [(x, y) for x, y in numbers.reshape(-1, 2).tolist()]


def touched(regions: Sequence[Region], size: tuple[int, int], side: int, spread: int, stage: Stage) -> Blocks:
    """Which blocks of `side` pixels have a pixel that is at most `spread` columns and rows from one of a region's.

    Never too few: every pixel that a region covers in part counts, whatever the order of its corners. The pen is
    round and what spreads is square, so that the pen is half as wide again: a block may count that need not.
    """
    width, height = size
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    reach = -(-spread * 3 // 2) + 2
    for region in regions:
        points = [(x * width, y * height) for x, y in corners(region)]
        pen.polygon(points, fill=255)
        pen.line([*points, points[0]], fill=255, width=2 * reach + 1)
        for x, y in points:
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    rows = []
    for top, bottom in stage.bands(width, height, step=side):
        band = pixels(mask.crop((0, top, width, bottom)))
        down = np.maximum.reduceat(band, np.arange(0, bottom - top, side), axis=0)
        rows.append(np.maximum.reduceat(down, np.arange(0, width, side), axis=1) > 0)
    return np.concatenate(rows)


def reduced(blocks: Blocks, size: tuple[int, int], side: int, factor: int) -> Image.Image:
    """Mode L, 255 for every pixel of the `factor` times smaller picture that a block has a part in."""
    sums = np.zeros((blocks.shape[0] + 1, blocks.shape[1] + 1), np.int64)
    sums[1:, 1:] = blocks.cumsum(axis=0).cumsum(axis=1)
    (lefts, rights), (tops, bottoms) = (_blocks_of(length, side, factor) for length in size)
    inside = sums[bottoms][:, rights] - sums[tops][:, rights] - sums[bottoms][:, lefts] + sums[tops][:, lefts]
    return Image.fromarray(np.where(inside > 0, 255, 0).astype(np.uint8))


def _blocks_of(length: int, side: int, factor: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first block, and the one after the last, that each pixel of the smaller picture has a part of."""
    firsts = np.arange(0, length, factor, dtype=np.int64)
    return firsts // side, np.minimum(firsts + factor - 1, length - 1) // side + 1
