"""Inpainting: colours for hidden blocks, interpolated from the visible ones around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...colour.srgb import Floats
from .regions import BlockMask

_SMOOTHING_STEPS = 48


def inpaint(colours: Floats, hidden: BlockMask) -> Floats:
    """(rows, columns, 3) with every hidden block interpolated from the visible ones, the nearest weighted most.

    The result does not depend on the colours of hidden blocks. Blocks are averaged into ever coarser grids until each
    hidden block has a colour (pull-push: Gortler and others, The Lumigraph, 1996), then smoothed by steps of Laplace's
    equation. At least one block must be visible.
    """
    visible = np.where(hidden[..., None], 0.0, colours)
    filled = _push_pull(visible, np.where(hidden, 0.0, 1.0))
    for _ in range(_SMOOTHING_STEPS):
        padded = np.pad(filled, ((1, 1), (1, 1), (0, 0)), mode="edge")
        smoothed = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
        filled = np.where(hidden[..., None], smoothed, visible)
    return filled


def _push_pull(colours: Floats, weights: NDArray[np.float64]) -> Floats:
    """Blocks of weight 0 take the colour of the next coarser grid that has one."""
    if weights.all():
        return colours
    rows, columns = weights.shape
    padding = ((0, rows % 2), (0, columns % 2))
    halves = (-(-rows // 2), 2, -(-columns // 2), 2)
    total = np.pad(weights, padding).reshape(halves).sum(axis=(1, 3))
    sums = np.pad(colours * weights[..., None], (*padding, (0, 0))).reshape(*halves, 3).sum(axis=(1, 3))
    coarse = _push_pull(sums / np.maximum(total, 1e-9)[..., None], np.where(total > 0, 1.0, 0.0))
    upsampled = coarse.repeat(2, axis=0).repeat(2, axis=1)[:rows, :columns]
    return np.where(weights[..., None] > 0, colours, upsampled)
