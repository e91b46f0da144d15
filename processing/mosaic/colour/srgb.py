"""The sRGB transfer function (IEC 61966-2-1).

8-bit sRGB numbers are spaced by perception, but light adds up linearly, so that a mean of sRGB numbers is too dark.
Cells are therefore averaged in linear light unless the recipe says otherwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..progress import pieces

Floats = NDArray[np.floating]
Colours = NDArray[np.uint8]  # (n, 3), sRGB

_PIECE_VALUES = 1 << 18  # the transfer function takes several temporary arrays of its input's size


def linearise(srgb: Floats) -> Floats:
    """sRGB 0..1 -> linear light 0..1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def encode_srgb(linear: Floats) -> Floats:
    """Linear light -> sRGB 0..1, clipped."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def linear_lut(linear: bool) -> NDArray[np.float32]:
    """(256,) 0..1: the light of each 8-bit value, or with `linear` False the value itself; for pixels.apply_lut."""
    values = np.arange(256) / 255.0
    return (linearise(values) if linear else values).astype(np.float32)


def to_bytes(light: Floats, linear: bool) -> Colours:
    """Values 0..1 as in `linear_lut(linear)` -> the nearest 8-bit sRGB values, same shape."""
    flat = light.reshape(-1)
    colours = np.empty(flat.shape, np.uint8)
    for piece in pieces(flat.size, _PIECE_VALUES):
        srgb = encode_srgb(flat[piece]) if linear else np.clip(flat[piece], 0.0, 1.0)
        colours[piece] = np.rint(srgb * 255.0)
    return colours.reshape(light.shape)
