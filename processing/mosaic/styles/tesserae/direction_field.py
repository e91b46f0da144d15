"""The direction field that rows of stones follow: the distance to the nearest edge, and its direction.

Edges are detected in OKLab from the structure tensor, with Canny's thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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

BORDER_ROWS = 2
"""Rows of stones around every outline, whatever the background's rows do."""

_WEAK, _STRONG = 0.042, 0.13  # change of OKLab over one stone
_PIECE_PX = 1 << 16
_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True)
class DirectionField:
    """What rows of stones follow; all (rows, columns).

    level: the distance from the nearest edge, or from the frame, in stones. size: the side of stones in pixels.
    distance: to the nearest edge in pixels. nearest: (2, rows, columns) y, x of that edge. orientation: complex, the
    direction of the rows as exp(4i angle), so that it is invariant under quarter turns.
    """

    level: Floats
    size: Floats
    distance: Floats
    nearest: NDArray[np.int32]
    orientation: Orientations

    def angles(self, points: Floats) -> Floats:
        """(n,) direction of the rows in radians at (n, 2) x, y."""
        angles: Floats = np.angle(self.orientation[self._indices(points)]) / 4
        return angles

    def sizes(self, points: Floats) -> Floats:
        """(n,) the side of stones in pixels at (n, 2) x, y."""
        return np.asarray(self.size[self._indices(points)])

    def levels(self, points: Floats) -> Floats:
        """(n,) the level at (n, 2) x, y."""
        return np.asarray(self.level[self._indices(points)])

    def edges(self, points: Floats) -> tuple[Floats, Floats]:
        """(n, 2) x, y of the nearest edge, and (n,) the distance to it, at (n, 2) x, y."""
        y, x = self._indices(points)
        return self.nearest[::-1, y, x].T.astype(np.float64), self.distance[y, x]

    def _indices(self, points: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rows, columns = self.level.shape
        x = np.clip(np.rint(points[:, 0]), 0, columns - 1).astype(np.int64)
        y = np.clip(np.rint(points[:, 1]), 0, rows - 1).astype(np.int64)
        return y, x


def compute_field(image: Image.Image, stone: float, detail: float, progress: Progress) -> DirectionField:
    """The direction field of an image in which a stone is `stone` pixels wide.

    Distances are exact (Maurer and others, 2003); the direction is that of the gradient of the level. detail: how much
    smaller stones are at edges, and larger far away from them, 0 to 1; along the frame they are large.
    """
    strength, direction = gradient(image, stone * 0.38)
    progress(0.3)
    edges = canny_edges(strength, direction, weak=_WEAK / stone, strong=_STRONG / stone, min_length=4 * stone)
    progress(0.5)
    rows, columns = edges.shape
    if edges.any():
        distance, nearest = ndimage().distance_transform_edt(~edges, return_indices=True)
        distance = distance.astype(np.float32)
    else:
        distance, nearest = np.full(edges.shape, np.float32(rows + columns)), np.zeros((2, rows, columns), np.int32)
    progress(0.8)
    small, large, reach = stone * (1 - 0.3 * detail), stone * (1 + 0.35 * detail), stone * 7.0
    y, x = np.arange(rows)[:, None], np.arange(columns)
    to_frame = np.minimum(np.minimum(y, rows - 1 - y), np.minimum(x, columns - 1 - x)).astype(np.float32) + 0.5
    size = small + (large - small) * np.minimum(distance / reach, 1)
    level, from_frame = _levels(distance, small, large, reach), to_frame / large
    level = ndimage().gaussian_filter(np.minimum(level, from_frame), stone * 0.2)
    size = np.where(from_frame < level, np.float32(large), size)
    return DirectionField(level, size, distance, nearest, _orientation(level, stone * 0.35))


def _levels(distance: Floats, small: float, large: float, reach: float) -> Floats:
    """How many stones lie between an edge and that distance, if their size grows linearly from small to large up to
    `reach`: the integral of 1 / size."""
    if large - small < 1e-6 * small:
        return np.asarray(distance / small, np.float32)
    growth = (large - small) / reach
    near = np.log1p(np.minimum(distance, reach) * growth / small) / growth
    return np.asarray(near + np.maximum(distance - reach, 0) / large, np.float32)


def straighten(field: DirectionField) -> DirectionField:
    """The field with level rows in the background, beyond two rows around everything."""
    background = field.level > BORDER_ROWS
    orientation = np.where(background, np.complex64(1), field.orientation)
    return replace(field, size=np.where(background, field.size.max(), field.size), orientation=orientation)


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


def _orientation(level: Floats, blur: float) -> Orientations:
    dx, dy = (_derivative(level, axis) for axis in (1, 0))
    fourth_power = ((dx + 1j * dy) ** 4).astype(np.complex64)
    real = ndimage().gaussian_filter(fourth_power.real, blur)
    orientation: Orientations = real + 1j * ndimage().gaussian_filter(fourth_power.imag, blur)
    return orientation
