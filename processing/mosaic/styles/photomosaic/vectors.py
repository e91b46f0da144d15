"""Vectors: cells and tiles as points whose distances say how different they look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...progress import pieces
from ...scipy_lazy import ndimage
from ...tiles.features import GRID, Features, mirrored_features
from .places import Places

Vectors = NDArray[np.float32]
FieldWeights = NDArray[np.float64]
"""(GRID * GRID,), of the mean 1: how much of each field of its box a cell shows."""

EQUAL: FieldWeights = np.ones(GRID * GRID)

MEANS = [0, GRID * GRID, GRID * GRID + 4]
"""Where a vector holds the means of lightness and of both colour axes."""
EVEN, ODD = slice(0, None, 2), slice(1, None, 2)
"""Where a vector holds the waves whose sign a mirror image keeps, and those whose sign it turns."""
DETAIL_WEIGHT = 1.0  # how much more a cell of mean contrast counts than a plain one
_AROUND = 0.025  # of the longer side of the picture: the standard deviation of the blur of contrast
_FINER = 1.1  # how much more a wave of lightness counts than one half as fine
_PIECE_CELLS = 1 << 13  # converted at a time, in double precision


def cell_vectors(thumbnails: Features, field_weights: FieldWeights = EQUAL) -> Vectors:
    """(n, GRID * GRID, 3) -> (n, 25), whose product with what `view_vectors` returns is the squared distance of both
    less a constant of the cell."""
    return np.pad(_waves(thumbnails, field_weights), ((0, 0), (0, 1)), constant_values=1.0)


def view_vectors(tiles: Features, *, mirror: bool, field_weights: FieldWeights = EQUAL) -> list[Vectors]:
    """(n, 25) for each view: what a cell may show of n pictures. tiles: (n, crops, GRID * GRID, 3).

    The views are the first crop of each picture, the same mirrored, if allowed, the second crop, and so on.
    """
    views = []
    for crop in range(tiles.shape[1]):
        for tile in [tiles[:, crop], mirrored_features(tiles[:, crop])] if mirror else [tiles[:, crop]]:
            waves = _waves(tile, field_weights)
            views.append(np.concatenate([-2.0 * waves, (waves**2).sum(axis=1, keepdims=True)], axis=1))
    return views


def means_of_cells(vectors: Vectors) -> Vectors:
    """(n, 3): in the units of a vector."""
    return vectors[:, MEANS]


def means_of_views(vectors: Vectors) -> Vectors:
    """(n, 3): in the units of a cell's vector."""
    return vectors[:, MEANS] / np.float32(-2.0)


def cell_weights(cells: Features, places: Places) -> NDArray[np.float32]:
    """(n,), at least 1: how much the errors of each cell are seen. Faces and detail count more than sky.

    cells: (n, GRID * GRID, 3). Measured is the contrast of lightness in the cell's place of the grid and those around
    it, so that a cheek counts as much as the eyes and the mouth beside it.
    """
    rows, columns, _ = places.size
    place = places.row * columns + places.column
    contrast = np.bincount(place, cells[..., 0].std(axis=-1) * places.shares).reshape(rows, columns)
    around = ndimage().gaussian_filter(contrast, max(1.0, _AROUND * max(contrast.shape)), mode="nearest").ravel()
    contrasts = np.minimum(around / max(1e-6, float(around.mean())), 2.0)
    weights: NDArray[np.float32] = (1.0 + DETAIL_WEIGHT * contrasts[place]).astype(np.float32)
    return weights


def _waves(thumbnails: Features, field_weights: FieldWeights) -> Vectors:
    """(n, GRID * GRID, 3) -> (n, 24).

    A cosine transform: all waves of lightness, the finer the more they count, as edges are made of them; but only the
    2 x 2 coarsest waves of the two colour axes, as the eye resolves colour coarsely. What the cell does not show of a
    field counts less, so that the first waves are the means of what it shows.
    """
    waves = np.arange(GRID)
    basis = np.cos(np.pi * (2 * waves + 1) * waves[:, None] / (2 * GRID)) * np.sqrt(2 / GRID)
    basis[0] /= np.sqrt(2)
    basis_2d = np.einsum("ui,vj->uvij", basis, basis).reshape(GRID, GRID, GRID * GRID)
    coarse = field_weights[:, None] * basis_2d[:2, :2].reshape(4, GRID * GRID).T
    finer = _FINER ** np.hypot(waves[:, None], waves)
    fine = field_weights[:, None] * (basis_2d * finer[..., None]).reshape(-1, GRID * GRID).T
    vectors = np.empty((len(thumbnails), GRID * GRID + 8), np.float32)
    for piece in pieces(len(thumbnails), _PIECE_CELLS):
        lab = thumbnails[piece]
        parts = [lab[..., 0] @ fine, lab[..., 1] @ coarse, lab[..., 2] @ coarse]
        np.concatenate(parts, axis=-1, out=vectors[piece])
    return vectors
