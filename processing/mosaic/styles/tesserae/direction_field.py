"""The direction field that rows of stones follow: the distance to the nearest edge, and its direction.

Edges are detected in OKLab from the structure tensor, with Canny's thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ...colour.oklab import srgb_to_oklab
from ...colour.pixels import pixels
from ...colour.srgb import Floats
from ...progress import Progress, pieces
from ...scipy_lazy import ndimage

Orientations = NDArray[np.complexfloating]
Mask = NDArray[np.bool_]

_WEAK, _STRONG = 0.036, 0.11  # change of OKLab over one stone
_PIECE_PX = 1 << 16
_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True)
class DirectionField:
    """distance: (rows, columns) to the nearest edge or to the picture's frame in pixels, smoothed. orientation: (rows,
    columns) complex, the direction of the rows as exp(4i angle), so that it is invariant under quarter turns."""

    distance: Floats
    orientation: Orientations

    def angles(self, points: Floats) -> Floats:
        """(n,) direction of the rows in radians at (n, 2) x, y."""
        rows, columns = self.orientation.shape
        x = np.clip(np.rint(points[:, 0]), 0, columns - 1).astype(np.int64)
        y = np.clip(np.rint(points[:, 1]), 0, rows - 1).astype(np.int64)
        angles: Floats = np.angle(self.orientation[y, x]) / 4
        return angles


def compute_field(image: Image.Image, stone: float, progress: Progress) -> DirectionField:
    """The direction field of an image in which a stone is `stone` pixels wide.

    Distances are exact (Maurer and others, 2003); the direction is that of their gradient.
    """
    strength, direction = gradient(image, stone * 0.35)
    progress(0.3)
    edges = canny_edges(strength, direction, weak=_WEAK / stone, strong=_STRONG / stone, min_length=2.5 * stone)
    progress(0.5)
    is_free = np.pad(~edges, 1)  # the frame counts as an edge
    distance = ndimage().distance_transform_edt(is_free)[1:-1, 1:-1].astype(np.float32) - 0.5
    progress(0.8)
    distance = ndimage().gaussian_filter(distance, stone * 0.2)
    return DirectionField(distance, _orientation(distance, stone * 0.35))


def gradient(image: Image.Image, blur: float) -> tuple[Floats, Floats]:
    """(rows, columns) each: change of OKLab per pixel of the blurred image, and its direction in radians, modulo pi.

    Both come from the structure tensor summed over the three channels (Di Zenzo, 1986) and smoothed (Bigün and
    Granlund, 1987), in which the two sides of a thin line do not cancel.
    """
    lab = _oklab_pixels(image.filter(ImageFilter.GaussianBlur(blur)))
    tensor = np.zeros((3, *lab.shape[:2]), np.float32)
    for channel in range(3):
        y, x = _derivative(lab[..., channel], 0), _derivative(lab[..., channel], 1)
        for entry, (a, b) in zip(tensor, ((x, x), (x, y), (y, y)), strict=True):
            entry += a * b
    xx, xy, yy = (ndimage().gaussian_filter(entry, blur * 0.7) for entry in tensor)
    root = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    return np.sqrt(np.maximum(xx + yy + root, 0) / 2), 0.5 * np.arctan2(2 * xy, xx - yy)


def canny_edges(strength: Floats, direction: Floats, *, weak: float, strong: float, min_length: float) -> Mask:
    """(rows, columns): ridges of the gradient's strength (Canny, 1986).

    A connected ridge above `weak` counts if it reaches `strong` somewhere and has at least `min_length` pixels.
    """
    ridges = _ridges(strength, direction) & (strength > weak)
    labels, count = ndimage().label(ridges, _EIGHT_NEIGHBOURS)
    if not count:
        return ridges
    flat = labels.ravel()
    length = np.bincount(flat, minlength=count + 1)
    is_strong = np.bincount(flat, (strength > strong).ravel(), count + 1) > 0
    accepted = is_strong & (length >= min_length)
    accepted[0] = False
    return np.asarray(accepted[labels], bool)


def _oklab_pixels(image: Image.Image) -> Floats:
    """(rows, columns, 3) float32, converted in pieces so that other threads can run in between."""
    lab = np.empty((image.height, image.width, 3), np.float32)
    for rows in pieces(image.height, max(1, _PIECE_PX // image.width)):
        band = image.crop((0, rows.start, image.width, rows.stop))
        lab[rows] = srgb_to_oklab(pixels(band)[..., :3])
    return lab


def _derivative(values: Floats, axis: int) -> Floats:
    if values.shape[axis] < 2:
        return np.zeros_like(values)
    derivative: Floats = np.gradient(values, axis=axis)
    return derivative


def _ridges(strength: Floats, direction: Floats) -> Mask:
    """Pixels that are not below either neighbour in the direction across the edge."""
    padded = np.pad(strength, 1, mode="edge")
    rows, columns = strength.shape
    sector = np.rint(direction / (np.pi / 4)).astype(np.int8) % 4
    ridges = np.zeros(strength.shape, bool)
    for number, (x, y) in enumerate(((1, 0), (1, 1), (0, 1), (-1, 1))):
        before = padded[1 - y : 1 - y + rows, 1 - x : 1 - x + columns]
        after = padded[1 + y : 1 + y + rows, 1 + x : 1 + x + columns]
        ridges |= (sector == number) & (strength > before) & (strength >= after)
    return ridges


def _orientation(distance: Floats, blur: float) -> Orientations:
    dx, dy = (_derivative(distance, axis) for axis in (1, 0))
    fourth_power = ((dx + 1j * dy) ** 4).astype(np.complex64)
    real = ndimage().gaussian_filter(fourth_power.real, blur)
    orientation: Orientations = real + 1j * ndimage().gaussian_filter(fourth_power.imag, blur)
    return orientation
