"""Features: what matching knows of a picture, its mean colours in 4 x 4 fields."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..colour.oklab import srgb_to_oklab
from ..colour.srgb import linearise, to_bytes
from ..progress import pieces

GRID = 4
"""Tiles and cells are compared as thumbnails of GRID x GRID pixels."""

LARGE_PX = 16  # side of a thumbnail's pixel in tile pixels: above, few tiles are processed at a time
_PIECE_PX = 1 << 17  # tile pixels converted at a time: each takes some 60 bytes, and NumPy holds the lock meanwhile

Squares = NDArray[np.uint8]  # (n, side, side, 3), sRGB
Number = TypeVar("Number", bound=np.generic)
Features = NDArray[np.float32]  # (..., GRID * GRID, 3): thumbnails in OKLab, row by row


def mirrored_features(features: NDArray[Number]) -> NDArray[Number]:
    """(..., GRID * GRID, 3): of the same tiles, mirrored left to right."""
    squares = features.reshape(-1, GRID, GRID, 3)
    return squares[:, :, ::-1].reshape(features.shape)


def thumbnail_features(squares: Squares) -> Features:
    """(n, side, side, 3) sRGB bytes -> (n, GRID * GRID, 3) OKLab of thumbnails averaged in linear light."""
    return features_of_means(thumbnail_means(squares))


def features_of_means(means: NDArray[np.uint8]) -> Features:
    """(n, GRID * GRID, 3) sRGB bytes -> OKLab, some at a time, as the conversion has double precision."""
    features = np.empty(means.shape, np.float32)
    for piece in pieces(len(means), _PIECE_PX // (GRID * GRID)):
        features[piece] = srgb_to_oklab(means[piece])
    return features


def thumbnail_means(squares: Squares) -> NDArray[np.uint8]:
    """(n, side, side, 3) -> (n, GRID * GRID, 3) sRGB bytes, averaged in linear light."""
    count, side = squares.shape[:2]
    table = linearise(np.arange(256) / 255.0).astype(np.float32)
    means = np.empty((count, GRID * GRID, 3), np.uint8)
    for piece in pieces(count, max(1, _PIECE_PX // (side * side))):
        means[piece] = to_bytes(_thumbnails(table[squares[piece]]), linear=True).reshape(-1, GRID * GRID, 3)
    return means


def _thumbnails(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, side, side, 3) -> (n, GRID, GRID, 3) means.

    Adds the arrays of all pixels with the same position inside their thumbnail pixel, which NumPy does a row at a time.
    """
    across = light.shape[1] // GRID
    sums = np.zeros((len(light), GRID, GRID, 3), np.float32)
    if across > LARGE_PX:  # large tiles, of which a piece holds few: add whole rows first
        rows = np.zeros((len(light), GRID, light.shape[2], 3), np.float32)
        for y in range(across):
            rows += light[:, y::across]
        for x in range(across):
            sums += rows[:, :, x::across]
    else:
        for y in range(across):
            for x in range(across):
                sums += light[:, y::across, x::across]
    sums /= across * across
    return sums
