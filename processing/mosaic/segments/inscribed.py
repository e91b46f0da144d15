"""How large polygons are, and how wide at their widest place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..cells.convex import Counts
from ..colour.srgb import Floats
from ..progress import pieces

_SAMPLES, _ROUNDS = 9, 3  # a side of the grid that is searched; grids, each around the best place of the one before
_PIECE_POLYGONS = 64
_STEPS = np.linspace(-1, 1, _SAMPLES + 2)[1:-1]
_GRID = np.stack(np.meshgrid(_STEPS, _STEPS), -1).reshape(-1, 2)


def polygon_areas(points: Floats, corners: Counts) -> Floats:
    """(count,). points: (n, 2)."""
    x, y = points.T
    ends = np.cumsum(corners)
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = ends - corners
    cross = x * y[following] - x[following] * y
    return np.asarray(np.abs(np.add.reduceat(cross, ends - corners)) / 2)


def inscribed_widths(points: Floats, corners: Counts, enough: float = np.inf) -> Floats:
    """(count,): the diameter of the largest circle in each polygon (even-odd), within a few percent. points: (n, 2).

    enough: of what is at least as wide, the width is not searched further.
    """
    ends = np.cumsum(corners)
    starts, widths = ends - corners, np.zeros(len(corners))
    for piece in pieces(len(corners), _PIECE_POLYGONS):
        first, end = starts[piece, None], ends[piece, None]
        index = np.minimum(first + np.arange(corners[piece].max()), end - 1)
        following = np.where(index + 1 < end, index + 1, first)
        widths[piece] = widths_within(points[index], points[following], first + np.arange(index.shape[1]) < end, enough)
    return widths


def widths_within(tails: Floats, heads: Floats, counted: NDArray[np.bool_], enough: float = np.inf) -> Floats:
    """(k,): the same of k polygons with the sides `tails` to `heads`, (k, m, 2). counted: (k, m), False for sides that
    repeat others."""
    low, high = tails.min(axis=1), tails.max(axis=1)
    middle, reach = (low + high) / 2, (high - low) / 2
    widths, searched = np.zeros(len(tails)), np.arange(len(tails))
    for _ in range(_ROUNDS):
        places = middle[searched, None] + reach[searched, None] * _GRID
        depths = _depths(places, tails[searched], heads[searched], counted[searched])
        best, each = depths.argmax(axis=1), np.arange(len(searched))
        middle[searched], reach = places[each, best], reach * (2 / (_SAMPLES + 1))
        widths[searched] = np.maximum(widths[searched], 2 * depths[each, best])
        searched = searched[widths[searched] < enough]
    return widths


def _depths(places: Floats, tails: Floats, heads: Floats, counted: NDArray[np.bool_]) -> Floats:
    """(k, s): how far each of the (k, s, 2) places is from the sides, negative outside of the polygon."""
    x, y = places[..., 0, None], places[..., 1, None]
    x0, y0, x1, y1 = (values[:, None, :] for values in (*np.moveaxis(tails, -1, 0), *np.moveaxis(heads, -1, 0)))
    dx, dy = x1 - x0, y1 - y0
    right, down = x - x0, y - y0
    share = np.clip((right * dx + down * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0, 1)
    distances = np.sqrt(((right - share * dx) ** 2 + (down - share * dy) ** 2).min(axis=-1))
    crossed = ((y0 > y) != (y1 > y)) & (right < down * dx / np.where(dy == 0, 1.0, dy)) & counted[:, None, :]
    return np.asarray(np.where(crossed.sum(axis=-1) % 2 == 1, distances, -distances))
