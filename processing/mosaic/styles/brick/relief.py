"""Light and shadow of a stud on its brick, as a colour-independent shade."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...progress import pieces

Shade = NDArray[np.float32]  # (side, side), -1 black to 1 white, 0 the colour itself

STUD = 0.31
"""Radius of a stud, in cells."""
TOP, LEFT, BOTTOM, RIGHT = 1, 2, 4, 8
"""Bits for the sides of a cell where its brick ends."""
FLAT_STUD = np.float32(0.14)

_SHINE_OF_BLACK = np.float32(0.2)
_SAMPLED_SIDE, _SAMPLES = 32, 4
PIECE_PX = 1 << 18  # each pixel takes some dozen temporary numbers


def flat_disc(side: int) -> Shade:
    """A lighter disc without relief; pixels belong to it by their centres."""
    return np.where(_distance(side, 0.0, 0.0, slice(side)) < STUD * side, FLAT_STUD, np.float32(0))


def render_stud(side: int, ends: int) -> Shade:
    """A stud lit from the upper left, with bevels at the sides in `ends`; a small one as the mean of several samples of
    each pixel."""
    samples = 1 if side >= _SAMPLED_SIDE else _SAMPLES
    fine = side * samples
    shade = np.concatenate([_render_rows(fine, ends, rows) for rows in pieces(fine, max(1, PIECE_PX // fine))])
    return shade if samples == 1 else np.asarray(shade.reshape(side, samples, side, samples).mean(axis=(1, 3)))


def _render_rows(side: int, ends: int, rows: slice) -> Shade:
    shade = _bevels(side, ends, rows)
    shadow = _soft_disc(_distance(side, 0.07, 0.09, rows), STUD * side, 0.09 * side)
    distance = _distance(side, 0.0, 0.0, rows)
    stud = _soft_disc(distance, STUD * side, 1.0)
    rim = stud - _soft_disc(distance, (STUD - 0.07) * side, 1.0)
    x = (np.arange(side) + 0.5) / side - 0.5
    y = x[rows, None]
    towards_light = -(y + x) / np.maximum(np.hypot(y, x), 1e-6) / np.sqrt(2)
    shade -= 0.30 * shadow * (1 - stud)
    lit: Shade = (shade * (1 - stud) + 0.07 * stud + 0.34 * rim * towards_light).astype(np.float32)
    return lit


def apply_shade(colours: NDArray[np.uint8], shades: Shade) -> NDArray[np.uint8]:
    """colours (n, 3), shades (n, rows, side) -> (n, rows, side, 3).

    Dark bricks shine less: equal highlights would make black look like slate, because its shadows take little away.
    """
    base = colours.astype(np.float32)[:, None, None, :]
    shade = shades[..., None]
    shine = (255 - base) * (_SHINE_OF_BLACK + (1 - _SHINE_OF_BLACK) / 255 * base.max(axis=-1, keepdims=True))
    return (base + np.where(shade > 0, shine, base) * shade + np.float32(0.5)).astype(np.uint8)


def _bevels(side: int, ends: int, rows: slice) -> NDArray[np.float64]:
    """(rows, side): lighter at the top and left ends, darker at the bottom and right ends."""
    distance = np.minimum(np.arange(side) / max(1.0, side / 14), 1.0)
    near_low, near_high = 1.0 - distance, (1.0 - distance)[::-1]
    shade = 0.20 * near_low[rows, None] * bool(ends & TOP) + 0.12 * near_low * bool(ends & LEFT)
    shade -= 0.34 * near_high[rows, None] * bool(ends & BOTTOM) + 0.26 * near_high * bool(ends & RIGHT)
    return np.clip(shade, -0.5, 0.5)


def _distance(side: int, right: float, down: float, rows: slice) -> NDArray[np.float64]:
    """(rows, side): from each pixel's centre to a point off the cell's centre by fractions of the cell."""
    offset = np.arange(side) + 0.5 - side / 2
    distance: NDArray[np.float64] = np.hypot(offset[rows, None] - down * side, offset - right * side)
    return distance


def _soft_disc(distance: NDArray[np.float64], radius: float, softness: float) -> NDArray[np.float64]:
    """1 inside, 0 outside, with a transition of `softness` pixels."""
    return np.clip((radius - distance) / max(softness, 1.0) + 0.5, 0.0, 1.0)
