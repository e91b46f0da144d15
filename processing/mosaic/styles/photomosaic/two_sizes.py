"""Cells of two sizes: small ones where the picture has detail."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress
from ...style import RenderContext
from ...tiles.features import GRID, Features, thumbnail_features
from .sampled_picture import SAMPLES, sampled_cells

_MAX_SHARE = 0.35  # of all cells: more, and the small ones are not where the detail is any more
_LEAST_DETAIL = 0.035  # in OKLab: below, nobody sees what smaller tiles would show


def cells_with_detail(cells: Features) -> NDArray[np.bool_]:
    """(rows, columns): which cells are to be split. cells: (rows, columns, GRID * GRID, 3).

    Those whose thumbnails, and those around them, vary most, so that small cells lie together.
    """
    detail = np.sqrt(cells.var(axis=2).sum(axis=-1))
    rows, columns = detail.shape
    padded = np.pad(detail, 1, mode="edge")
    around = np.mean([padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)], axis=0)
    smoothed = (detail + around) / 2
    split: NDArray[np.bool_] = smoothed > max(_LEAST_DETAIL, float(np.quantile(smoothed, 1.0 - _MAX_SHARE)))
    return split


def quarter_features(
    context: RenderContext[Any], cell: tuple[float, float], split: NDArray[np.bool_], progress: Progress
) -> Features:
    """(n, 4, GRID * GRID, 3): thumbnails of the quarters of the cells that are split, cell by cell."""
    parts, half = [np.empty((0, GRID * GRID, 3), np.float32)], SAMPLES // 2
    for rows, squares in sampled_cells(context, cell, progress):
        chosen = squares[split[rows]]
        quarters = chosen.reshape(-1, 2, half, 2, half, 3).transpose(0, 1, 3, 2, 4, 5)
        parts.append(thumbnail_features(quarters.reshape(-1, half, half, 3)))
    return np.concatenate(parts).reshape(-1, 4, GRID * GRID, 3)
