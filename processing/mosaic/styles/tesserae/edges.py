"""Edges: the lines that a mosaicist would draw first, found in colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ...colour.oklab import from_srgb
from ...colour.pixels import pixels
from ...colour.srgb import Floats
from ...scipy_lazy import filters

Mask = NDArray[np.bool_]

_PIECE = 1 << 16
_EIGHT = np.ones((3, 3), bool)


def oklab_of(image: Image.Image) -> Floats:
    """(rows, columns, 3) float32, in pieces that let others run."""
    lab = np.empty((image.height, image.width, 3), np.float32)
    step = max(1, _PIECE // image.width)
    for top in range(0, image.height, step):
        band = image.crop((0, top, image.width, min(top + step, image.height)))
        lab[top : top + step] = from_srgb(pixels(band)[..., :3])
    return lab


def change(image: Image.Image, blur: float) -> tuple[Floats, Floats]:
    """How much OKLab changes a pixel, and across which direction (radians, without a sign), of a blurred picture.

    Both are read from the structure tensor summed over the three channels (Di Zenzo, 1986) and smoothed (Bigün and
    Granlund, 1987), in which the two sides of a thin line do not cancel.
    """
    lab = oklab_of(image.filter(ImageFilter.GaussianBlur(blur)))
    tensor = np.zeros((3, *lab.shape[:2]), np.float32)
    for channel in range(3):
        y, x = _slope(lab[..., channel], 0), _slope(lab[..., channel], 1)
        for entry, (a, b) in zip(tensor, ((x, x), (x, y), (y, y)), strict=True):
            entry += a * b
    xx, xy, yy = (filters().gaussian_filter(entry, blur * 0.7) for entry in tensor)
    root = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    return np.sqrt(np.maximum(xx + yy + root, 0) / 2), 0.5 * np.arctan2(2 * xy, xx - yy)


def edges(strength: Floats, across: Floats, *, weak: float, strong: float, shortest: float) -> Mask:
    """Ridges of the strength (Canny, 1986): those above `weak` that reach `strong` somewhere and are not shorter
    than `shortest` pixels."""
    ridge = _ridge(strength, across) & (strength > weak)
    pieces, count = filters().label(ridge, _EIGHT)
    if not count:
        return ridge
    flat = pieces.ravel()
    length = np.bincount(flat, minlength=count + 1)
    reaches = np.bincount(flat, (strength > strong).ravel(), count + 1) > 0
    kept = reaches & (length >= shortest)
    kept[0] = False
    return np.asarray(kept[pieces], bool)


def _slope(values: Floats, axis: int) -> Floats:
    if values.shape[axis] < 2:
        return np.zeros_like(values)
    found: Floats = np.gradient(values, axis=axis)
    return found


def _ridge(strength: Floats, across: Floats) -> Mask:
    """Pixels that are not below either neighbour across the edge."""
    padded = np.pad(strength, 1, mode="edge")
    rows, columns = strength.shape
    sector = np.rint(across / (np.pi / 4)).astype(np.int8) % 4
    found = np.zeros(strength.shape, bool)
    for number, (x, y) in enumerate(((1, 0), (1, 1), (0, 1), (-1, 1))):
        before = padded[1 - y : 1 - y + rows, 1 - x : 1 - x + columns]
        after = padded[1 + y : 1 + y + rows, 1 + x : 1 + x + columns]
        found |= (sector == number) & (strength > before) & (strength >= after)
    return found
