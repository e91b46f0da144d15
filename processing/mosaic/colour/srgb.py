"""sRGB and linear light.

A mean of sRGB numbers is too dark: the numbers are spaced by sight, light adds up linearly. Cells are therefore
averaged in linear light unless the recipe says otherwise (IEC 61966-2-1 for the curve).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Colours = NDArray[np.uint8]  # (n, 3), sRGB

_PIECE = 1 << 18


def to_linear(srgb: Floats) -> Floats:
    """sRGB 0..1 -> linear light 0..1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Floats) -> Floats:
    """Linear light 0..1 -> sRGB 0..1."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def light_table(linear: bool) -> NDArray[np.float32]:
    """(256,) numbers 0..1: the light of each 8-bit value; see pixels.looked_up."""
    values = np.arange(256) / 255.0
    return (to_linear(values) if linear else values).astype(np.float32)


def to_bytes(light: Floats, linear: bool) -> Colours:
    """Light 0..1 (as `light_table` gives it) -> the nearest 8-bit sRGB values, same shape."""
    flat = light.reshape(-1)
    colours = np.empty(flat.shape, np.uint8)
    for first in range(0, flat.size, _PIECE):  # in pieces: the curve needs some arrays as large as its input
        piece = flat[first : first + _PIECE]
        srgb = to_srgb(piece) if linear else np.clip(piece, 0.0, 1.0)
        colours[first : first + _PIECE] = np.rint(srgb * 255.0)
    return colours.reshape(light.shape)
