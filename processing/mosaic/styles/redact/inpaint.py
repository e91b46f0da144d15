"""Filling: colours for hidden blocks, from the visible ones around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...colour.srgb import Floats
from .regions import Blocks

_ROUNDS = 48


def fill_from_around(colours: Floats, hidden: Blocks) -> Floats:
    """(rows, columns, 3) with every hidden block in a blend of the visible ones, the nearest most.

    What stands in a hidden block takes no part. Blocks are averaged into ever coarser grids until each hidden place
    has a colour (pull-push: Gortler and others, The Lumigraph, 1996), then smoothed like a soap film between its
    edges. At least one block must be visible.
    """
    known = np.where(hidden[..., None], 0.0, colours)
    filled = _push(known, np.where(hidden, 0.0, 1.0))
    for _ in range(_ROUNDS):
        around = np.pad(filled, ((1, 1), (1, 1), (0, 0)), mode="edge")
        film = (around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]) / 4
        filled = np.where(hidden[..., None], film, known)
    return filled


def _push(known: Floats, weights: NDArray[np.float64]) -> Floats:
    if weights.all():
        return known
    rows, columns = weights.shape
    even = ((0, rows % 2), (0, columns % 2))
    halves = (-(-rows // 2), 2, -(-columns // 2), 2)
    share = np.pad(weights, even).reshape(halves)
    total = share.sum(axis=(1, 3))
    sums = np.pad(known * weights[..., None], (*even, (0, 0))).reshape(*halves, 3).sum(axis=(1, 3))
    coarse = _push(sums / np.maximum(total, 1e-9)[..., None], np.where(total > 0, 1.0, 0.0))
    finer = coarse.repeat(2, axis=0).repeat(2, axis=1)[:rows, :columns]
    return np.where(weights[..., None] > 0, known, finer)
