"""Light and shadow of a stud on its brick, as numbers that any colour can be shaded by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Shade = NDArray[np.float32]  # (side, side), -1 black to 1 white, 0 the colour itself

STUD = 0.31  # radius, in cells
TOP, LEFT, BOTTOM, RIGHT = 1, 2, 4, 8  # sides of a cell where its piece ends
FLAT_STUD = np.float32(0.14)
_PIECE_PX = 1 << 18  # worked out together: each takes some dozen numbers meanwhile


def flat_stud(side: int) -> Shade:
    """A lighter disc, decided by pixel centres."""
    return np.where(_away(side, 0.0, 0.0, slice(side)) < STUD * side, FLAT_STUD, np.float32(0))


def lit_stud(side: int, ends: int) -> Shade:
    """A stud under light from the upper left, with bevels at the sides in `ends`."""
    step = max(1, _PIECE_PX // side)
    return np.concatenate([_lit(side, ends, slice(top, top + step)) for top in range(0, side, step)])


def _lit(side: int, ends: int, rows: slice) -> Shade:
    shade = _bevels(side, ends, rows)
    shadow = _disc(_away(side, 0.07, 0.09, rows), STUD * side, 0.09 * side)
    away = _away(side, 0.0, 0.0, rows)
    stud = _disc(away, STUD * side, 1.0)
    rim = stud - _disc(away, (STUD - 0.07) * side, 1.0)
    x = (np.arange(side) + 0.5) / side - 0.5
    y = x[rows, None]
    towards_light = -(y + x) / np.maximum(np.hypot(y, x), 1e-6) / np.sqrt(2)
    shade -= 0.30 * shadow * (1 - stud)
    lit: Shade = (shade * (1 - stud) + 0.07 * stud + 0.34 * rim * towards_light).astype(np.float32)
    return lit


def shaded(colours: NDArray[np.uint8], shades: Shade) -> NDArray[np.uint8]:
    """colours (n, 3), shades (n, rows, side) -> (n, rows, side, 3)."""
    base = colours.astype(np.float32)[:, None, None, :]
    shade = shades[..., None]
    return (base + np.where(shade > 0, 255 - base, base) * shade + np.float32(0.5)).astype(np.uint8)


def _bevels(side: int, ends: int, rows: slice) -> NDArray[np.float64]:
    inside = np.minimum(np.arange(side) / max(1.0, side / 14), 1.0)
    near_low, near_high = 1.0 - inside, (1.0 - inside)[::-1]
    shade = 0.20 * near_low[rows, None] * bool(ends & TOP) + 0.12 * near_low * bool(ends & LEFT)
    shade -= 0.34 * near_high[rows, None] * bool(ends & BOTTOM) + 0.26 * near_high * bool(ends & RIGHT)
    return np.clip(shade, -0.5, 0.5)


def _away(side: int, right: float, down: float, rows: slice) -> NDArray[np.float64]:
    """Distance of each pixel's centre from the cell's middle, moved by shares of the cell."""
    place = np.arange(side) + 0.5 - side / 2
    distance: NDArray[np.float64] = np.hypot(place[rows, None] - down * side, place - right * side)
    return distance


def _disc(away: NDArray[np.float64], radius: float, soft: float) -> NDArray[np.float64]:
    """1 inside, 0 outside, over `soft` pixels between."""
    return np.clip((radius - away) / max(soft, 1.0) + 0.5, 0.0, 1.0)
