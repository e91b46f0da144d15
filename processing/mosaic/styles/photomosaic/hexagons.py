"""What is particular to hexagonal cells: what the picture shows in them, and their edges."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...cells.hexagons import HexagonGrid
from ...progress import Progress, pieces
from ...style import RenderContext
from ...tiles.features import GRID, Features, thumbnail_features
from .sampled_picture import SAMPLES
from .vectors import FieldWeights

_ROW_SAMPLES = SAMPLES * 3 // 4  # from one row of cells to the next
_MAX_PIECE_SAMPLES = 1 << 20

FIELD_WEIGHTS: FieldWeights = np.array([[1, 3, 3, 1], [4, 4, 4, 4], [4, 4, 4, 4], [1, 3, 3, 1]]).ravel() / 3
"""The slanted sides cut three quarters off the fields in the corners, and a quarter off those beside them."""

Mask = NDArray[np.uint8]  # (high, wide), 0 to 255


def hexagon_features(context: RenderContext[Any], grid: HexagonGrid, progress: Progress) -> Features:
    """(rows, columns, GRID * GRID, 3) OKLab thumbnails of the boxes around the cells.

    Beyond the picture its edge is repeated.
    """
    features = np.empty((grid.rows, grid.columns, GRID * GRID, 3), np.float32)
    samples = _sample(context, grid)
    at_a_time = max(1, _MAX_PIECE_SAMPLES // (grid.columns * SAMPLES * SAMPLES))
    for rows in pieces(grid.rows, at_a_time):
        squares = np.empty((rows.stop - rows.start, grid.columns, SAMPLES, SAMPLES, 3), np.uint8)
        for row in range(rows.start, rows.stop):
            left, top = row % 2 * (SAMPLES // 2), row * _ROW_SAMPLES
            band = samples[top : top + SAMPLES, left : left + grid.columns * SAMPLES]
            squares[row - rows.start] = band.reshape(SAMPLES, grid.columns, SAMPLES, 3).swapaxes(0, 1)
        thumbnails = thumbnail_features(squares.reshape(-1, SAMPLES, SAMPLES, 3))
        features[rows] = thumbnails.reshape(-1, grid.columns, GRID * GRID, 3)
        progress(rows.stop / grid.rows)
    return features


def _sample(context: RenderContext[Any], grid: HexagonGrid) -> NDArray[np.uint8]:
    """The picture from the first box to the last at SAMPLES pixels a box."""
    image, boxes, padding = context.image, [], []
    counts = grid.columns * SAMPLES + SAMPLES // 2, (grid.rows - 1) * _ROW_SAMPLES + SAMPLES
    for start, side, count, length, pixels in zip(
        (grid.left, grid.top), (grid.wide, grid.high), counts, context.size, image.size, strict=True
    ):
        sample = side / SAMPLES
        first = min(max(0, int(np.ceil(-start / sample))), count - 1)
        last = max(first + 1, min(count, int((length - start) / sample)))
        low, high = max(0.0, start + first * sample), min(length, start + last * sample)
        boxes.append((low / context.reduction, min(pixels, high / context.reduction), last - first))
        padding.append((first, count - last))
    (left, right, wide), (top, bottom, high) = boxes
    small = image.resize((wide, high), Image.Resampling.BOX, box=(left, top, right, bottom))
    return np.pad(np.asarray(small), (padding[1], padding[0], (0, 0)), mode="edge")


@lru_cache(maxsize=8)
def tip_mask(size: tuple[int, int]) -> Mask:
    """How much of each pixel belongs to the cell rather than to the two above, between whose lower sides its tip is."""
    wide, high = size
    mask = np.full((high, wide), 255, np.uint8)
    mask[: high // 4] = _bytes(_distances(size) + 0.5)[: high // 4]
    return mask


def hexagon_mask(size: tuple[int, int]) -> Mask:
    """How much of each pixel of the box belongs to the cell."""
    tips = tip_mask(size)
    return np.minimum(tips, tips[::-1])


@lru_cache(maxsize=16)
def slanted_lines(size: tuple[int, int], width: int, tips: tuple[bool, bool], reach: int) -> Mask:
    """How much of each pixel lies in a line of that width over the slanted sides of the cell.

    reach: from the top of the box to the lower tip.
    """
    wide, high = size
    line = _bytes(width / 2 + 0.5 - _distances(size))
    mask = np.zeros((high, wide), np.uint8)
    if tips[0]:
        mask = np.maximum(mask, line)
    if tips[1]:
        end = min(reach, high)
        mask[:end] = np.maximum(mask[:end], line[:end][::-1])
    return mask


def left_over(size: tuple[int, int], width: int) -> float:
    """The share of a cell that lines of that width over its sides leave."""
    cell = hexagon_mask(size) / 255.0
    free = 1.0 - slanted_lines(size, width, (True, True), size[1]) / 255.0
    free[:, : width - width // 2] = 0.0
    free[:, size[0] - width // 2 :] = 0.0
    return float((cell * free).sum() / cell.sum())


def _distances(size: tuple[int, int]) -> NDArray[np.float32]:
    """(high, wide): of each pixel's middle from the nearer upper side, negative above it."""
    wide, high = size
    slope = (high // 4) / (wide / 2)
    x, y = np.abs(np.arange(wide) + 0.5 - wide / 2), np.arange(high)[:, None] + 0.5
    distances: NDArray[np.float32] = ((y - x * slope) / np.hypot(1.0, slope)).astype(np.float32)
    return distances


def _bytes(shares: NDArray[np.float32]) -> Mask:
    return np.rint(np.clip(shares, 0.0, 1.0) * 255).astype(np.uint8)
