"""Regions: the parts of a picture that a recipe hides, and the square blocks that they cover."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...colour.pixels import pixels
from ...errors import Message
from ...progress import Progress

Rectangle = tuple[float, float, float, float]
HiddenRegion = Rectangle | tuple[tuple[float, float], ...]
BlockMask = NDArray[np.bool_]  # (rows, columns)

MAX_REGIONS = 64
MAX_CORNERS = 256
ALLOWED = Message(
    "1 to {most} rectangles [left, top, right, bottom] or polygons [[x, y], [x, y], [x, y], …], "
    "all numbers from 0 to 1, as fractions of the width and the height",
    most=MAX_REGIONS,
)


def check_regions(regions: Sequence[HiddenRegion]) -> None:
    """Raises ValueError for no region, too many, or one that is outside the picture."""
    if not 1 <= len(regions) <= MAX_REGIONS:
        raise ValueError(ALLOWED)
    for region in regions:
        points = region_corners(region)
        if not 3 <= len(points) <= MAX_CORNERS or not all(0.0 <= value <= 1.0 for point in points for value in point):
            raise ValueError(ALLOWED)


def region_corners(region: HiddenRegion) -> list[tuple[float, float]]:
    """The corners of a region as fractions of the picture's width and height."""
    numbers = np.array(region, np.float64)
    if numbers.shape == (4,):
        left, top, right, bottom = numbers.tolist()
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    return [(x, y) for x, y in numbers.reshape(-1, 2).tolist()]


def covered_blocks(
    regions: Sequence[HiddenRegion], size: tuple[int, int], side: int, bleed_px: int, progress: Progress
) -> BlockMask:
    """Which blocks of `side` pixels have a pixel at most `bleed_px` columns and rows away from one of a region.

    Never too few: a pixel that a region covers partly counts, whatever the order of the region's corners. Possibly too
    many: the bleed is square but the pen that widens the outlines is round, so it is half as wide again.
    """
    width, height = size
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    radius = -(-bleed_px * 3 // 2) + 2
    for region in regions:
        points = [(x * width, y * height) for x, y in region_corners(region)]
        pen.polygon(points, fill=255)
        pen.line([*points, points[0]], fill=255, width=2 * radius + 1)
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    rows = []
    for top, bottom in progress.bands(width, height, step=side):
        band = pixels(mask.crop((0, top, width, bottom)))
        block_rows = np.maximum.reduceat(band, np.arange(0, bottom - top, side), axis=0)
        rows.append(np.maximum.reduceat(block_rows, np.arange(0, width, side), axis=1) > 0)
    return np.concatenate(rows)


def downscale_mask(blocks: BlockMask, size: tuple[int, int], side: int, factor: int) -> Image.Image:
    """Mode L: the picture reduced by `factor`, 255 for every pixel that overlaps a block of the mask."""
    sums = np.zeros((blocks.shape[0] + 1, blocks.shape[1] + 1), np.int64)
    sums[1:, 1:] = blocks.cumsum(axis=0).cumsum(axis=1)
    (lefts, rights), (tops, bottoms) = (_overlapping_blocks(length, side, factor) for length in size)
    inside = sums[bottoms][:, rights] - sums[tops][:, rights] - sums[bottoms][:, lefts] + sums[tops][:, lefts]
    return Image.fromarray(np.where(inside > 0, 255, 0).astype(np.uint8))


def _overlapping_blocks(length: int, side: int, factor: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each pixel of the reduced picture the first block that it overlaps, and the one after the last."""
    starts = np.arange(0, length, factor, dtype=np.int64)
    return starts // side, np.minimum(starts + factor - 1, length - 1) // side + 1
