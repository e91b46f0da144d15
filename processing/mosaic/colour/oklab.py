"""OKLab, a perceptually uniform colour space (Björn Ottosson, 2020)."""

from __future__ import annotations

import numpy as np

from .srgb import Colours, Floats, linearise, to_bytes

_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LAB_TO_LMS = np.linalg.inv(_LMS_TO_LAB)
_LMS_TO_RGB = np.linalg.inv(_RGB_TO_LMS)


def srgb_to_oklab(colours: Colours) -> Floats:
    """8-bit sRGB (..., 3) -> OKLab (..., 3); L is 0..1."""
    return light_to_oklab(linearise(np.arange(256) / 255.0)[colours])


def oklab_to_srgb(lab: Floats) -> Colours:
    """OKLab (..., 3) -> the nearest 8-bit sRGB; colours outside sRGB are clipped."""
    return to_bytes(oklab_to_light(lab), linear=True)


def light_to_oklab(light: Floats) -> Floats:
    """Linear light (..., 3) -> OKLab (..., 3)."""
    lab: Floats = np.cbrt(light @ _RGB_TO_LMS.T) @ _LMS_TO_LAB.T
    return lab


def oklab_to_light(lab: Floats) -> Floats:
    """OKLab (..., 3) -> linear light (..., 3), negative or above 1 for colours outside sRGB."""
    light: Floats = (lab @ _LAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T
    return light


def oklab_slopes(light: Floats) -> Floats:
    """(..., 3, 3): the derivatives of OKLab by red, green and blue light, at linear light (..., 3)."""
    cone = np.maximum(light @ _RGB_TO_LMS.T, 1e-4)
    slopes: Floats = (_LMS_TO_LAB * (cone ** (-2 / 3) / 3)[..., None, :]) @ _RGB_TO_LMS
    return slopes


def delta_e(first: Colours, second: Colours) -> Floats:
    """(..., 3) twice -> (...): distance in OKLab x 100; about 2 is just noticeable, black to white is 100.

    In single precision, and channel by channel, which takes a sixth of the time of `srgb_to_oklab`.
    """
    difference = np.moveaxis(_cone_roots(first) - _cone_roots(second), -1, 0)
    offset = np.tensordot(_LMS_TO_LAB.astype(np.float32), difference, 1)
    distance: Floats = np.sqrt(np.einsum("i...,i...", offset, offset)) * 100.0
    return distance


def _cone_roots(colours: Colours) -> Floats:
    """8-bit sRGB (..., 3) -> (..., 3), in memory one channel after the other: the cube roots of what cones sense."""
    channels = np.ascontiguousarray(np.moveaxis(colours, -1, 0))
    light = linearise(np.arange(256) / 255.0).astype(np.float32).take(channels)
    return np.moveaxis(np.cbrt(np.tensordot(_RGB_TO_LMS.astype(np.float32), light, 1)), 0, -1)
