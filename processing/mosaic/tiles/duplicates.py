"""Duplicates: the same picture several times in a pool, in any size and quality, recognised by its content."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..progress import pieces

MAX_DIFFERENCE = 6.0
"""Of 255, mean over the pixels of a tile of 16 pixels or more."""

_MAX_DISTANCE = 0.015  # in OKLab, root mean square over the thumbnail; 0.02 is just noticeable
_PIECE_TILES = 256
_MAX_COMPARED = 8  # candidates of which pixels are compared


def first_equals(
    features: NDArray[np.float32], tiles: NDArray[np.uint8], max_difference: float = MAX_DIFFERENCE
) -> NDArray[np.intp]:
    """(n,): for each tile the index of the first one that shows the same, which may be its own.

    features: (n, pixels, 3) OKLab thumbnails. tiles: (n, side, side, 3).
    Compares each one only with those of nearly its lightness, whose means differ no more than the thumbnails do.
    """
    lightness = features[..., 0].mean(axis=1)
    order = np.argsort(lightness, kind="stable")
    lightness, vectors = lightness[order], features.reshape(len(features), -1)[order]
    starts = np.searchsorted(lightness, lightness - 1.01 * _MAX_DISTANCE)
    squares, limit = (vectors**2).sum(axis=1), _MAX_DISTANCE**2 * features.shape[1]
    representatives = np.arange(len(features))
    for piece in pieces(len(features), _PIECE_TILES):
        window = slice(int(starts[piece.start]), piece.stop)
        distances = squares[piece, None] + squares[window] - 2.0 * (vectors[piece] @ vectors[window].T)
        near = np.tril(distances < limit, piece.start - window.start - 1)
        for row in np.flatnonzero(near.any(axis=1)).tolist():
            candidates = np.flatnonzero(near[row]) + window.start
            candidates = candidates[representatives[candidates] == candidates][:_MAX_COMPARED]
            pixels = tiles[order[piece.start + row]].astype(np.int16)
            for candidate in candidates.tolist():
                if np.abs(pixels - tiles[order[candidate]]).mean() < max_difference:
                    representatives[piece.start + row] = candidate
                    break
    smallest = np.full(len(features), len(features))
    np.minimum.at(smallest, representatives, order)
    first = np.empty_like(order)
    first[order] = smallest[representatives]
    return first
