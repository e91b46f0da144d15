"""Duplicates: the same picture several times in a pool, in any size and quality, recognised by its content."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .progress import pieces

_MAX_DISTANCE = 0.015  # in OKLab, root mean square over the thumbnail; 0.02 is just noticeable
_MAX_DIFFERENCE = 6.0  # of 255, mean over the pixels of the tile
_PIECE_TILES = 256
_MAX_COMPARED = 8  # candidates of which pixels are compared


def first_equals(features: NDArray[np.float32], tiles: NDArray[np.uint8]) -> NDArray[np.intp]:
    """(n,): for each tile the index of the first one that shows the same, which may be its own.

    features: (n, pixels, 3) OKLab thumbnails. tiles: (n, side, side, 3).
    """
    vectors = features.reshape(len(features), -1)
    squares, limit = (vectors**2).sum(axis=1), _MAX_DISTANCE**2 * features.shape[1]
    first = np.arange(len(features))
    for piece in pieces(len(features), _PIECE_TILES):
        distances = squares[piece, None] + squares[: piece.stop] - 2.0 * (vectors[piece] @ vectors[: piece.stop].T)
        for row, index in zip(distances, range(piece.start, piece.stop), strict=True):
            near = np.flatnonzero(row[:index] < limit)
            for candidate in near[first[near] == near][:_MAX_COMPARED].tolist():
                difference = np.abs(tiles[index].astype(np.int16) - tiles[candidate])
                if difference.mean() < _MAX_DIFFERENCE:
                    first[index] = candidate
                    break
    return first
