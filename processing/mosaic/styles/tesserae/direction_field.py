"""The field that rows of stones follow: how far every place is from the nearest edge, and in which direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...colour.srgb import Floats
from ...progress import Stage
from ...scipy_lazy import filters
from .edges import change, edges

Turns = NDArray[np.complexfloating]

_WEAK, _STRONG = 0.036, 0.11  # change of OKLab over a stone, blurred as below


@dataclass(frozen=True, slots=True)
class Field:
    """distance: (rows, columns) to the nearest edge or to the picture's frame, in pixels, smoothed. turn: (rows,
    columns) complex, the direction of the rows there as exp(4i angle), so that quarter turns are the same."""

    distance: Floats
    turn: Turns

    def angles(self, places: Floats) -> Floats:
        """(n,) radians of the rows at (n, 2) x, y."""
        rows, columns = self.turn.shape
        x = np.clip(np.rint(places[:, 0]), 0, columns - 1).astype(np.int64)
        y = np.clip(np.rint(places[:, 1]), 0, rows - 1).astype(np.int64)
        angles: Floats = np.angle(self.turn[y, x]) / 4
        return angles


def field_of(image: Image.Image, stone: float, stage: Stage) -> Field:
    """The field of a picture in which a stone is `stone` pixels wide.

    The distance is exact (Maurer and others, 2003); its slope is the direction in which the distance grows.
    """
    strength, across = change(image, stone * 0.35)
    stage(0.3)
    found = edges(strength, across, weak=_WEAK / stone, strong=_STRONG / stone, shortest=2.5 * stone)
    stage(0.5)
    far = np.pad(~found, 1)  # the frame is an edge as well
    distance = filters().distance_transform_edt(far)[1:-1, 1:-1].astype(np.float32) - 0.5
    stage(0.8)
    distance = filters().gaussian_filter(distance, stone * 0.2)
    return Field(distance, _turn(distance, stone * 0.35))


def _turn(distance: Floats, smooth: float) -> Turns:
    slopes = [np.gradient(distance, axis=axis) if distance.shape[axis] > 1 else 0 * distance for axis in (1, 0)]
    four = ((slopes[0] + 1j * slopes[1]) ** 4).astype(np.complex64)
    turn: Turns = filters().gaussian_filter(four.real, smooth) + 1j * filters().gaussian_filter(four.imag, smooth)
    return turn
