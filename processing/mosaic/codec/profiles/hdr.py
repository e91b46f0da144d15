"""High dynamic range (PQ and HLG, ITU-R BT.2100), tone-mapped to sRGB as Chromium does.

The reference white tone mapping operator of SMPTE ST 2094-50: light up to diffuse white (203 cd/m2) is scaled, to half
where the picture has 1,000 cd/m2 or more; light from there to the brightest of the picture is compressed into the rest.
The brightest channel in BT.2020 sets the factor. Agrees with Chromium 156 to 1 of 255 for a peak of 150 to 4,000 cd/m2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...colour.srgb import Floats, to_bytes

PQ, HLG = 16, 18

DEFAULT_PEAK_NITS = 1000.0
"""Of a picture that does not tell, in cd/m2."""

_WHITE, _PEAK = 203.0, 1000.0  # cd/m2
_BEND = 0.65  # how far the control point of the curve's bow lies from its knee
_CURVE_POINTS = 64
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
_BAND_PX = 1 << 18


@dataclass(frozen=True, slots=True)
class HighDynamicRange:
    """to_bt2020, from_bt2020: (3, 3), from the file's linear light and to linear sRGB. transfer: PQ or HLG.
    peak_nits: the brightest light of the picture, in cd/m2."""

    to_bt2020: Floats
    from_bt2020: Floats
    transfer: int
    peak_nits: float = DEFAULT_PEAK_NITS


def tone_map(image: Image.Image, colour: HighDynamicRange, poll: Callable[[], None]) -> Image.Image:
    """RGB or RGBA, changed in place."""
    mapped = tone_mapper(colour, 256)
    rows = max(1, _BAND_PX // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        converted = Image.fromarray(mapped(np.asarray(band)[..., :3]))
        if image.mode == "RGBA":
            converted.putalpha(band.getchannel("A"))
        image.paste(converted, (0, top))
        poll()
    return image


def tone_mapper(colour: HighDynamicRange, count: int) -> Callable[[NDArray[Any]], NDArray[np.uint8]]:
    """From values with `count` levels to sRGB, (rows, width, 3) each."""
    levels = np.linspace(0.0, 1.0, count)
    table = (_pq(levels) if colour.transfer == PQ else _hlg(levels)).astype(np.float32)
    light_levels, output = _curve(colour.peak_nits)

    def mapped(values: NDArray[Any]) -> NDArray[np.uint8]:
        light = table[values] @ colour.to_bt2020.T.astype(np.float32)
        if colour.transfer == HLG:
            light *= (_PEAK / _WHITE) * np.maximum(light @ _LUMINANCE, 0.0)[..., None] ** 0.2
        brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
        light *= np.interp(brightest, light_levels, output) / brightest
        return to_bytes(light @ colour.from_bt2020.T.astype(np.float32), linear=True)

    return mapped


def _curve(peak_nits: float) -> tuple[Floats, Floats]:
    """Light, 1.0 is diffuse white, and what becomes of it: a line to the knee and a quadratic bow to the peak."""
    top = peak_nits / _WHITE
    if top <= 1.0:
        return np.array([0.0, 1.0]), np.array([0.0, 1.0])
    knee = 1.0 - 0.5 * min(1.0, np.log(top) / np.log(_PEAK / _WHITE))
    along = np.linspace(0.0, 1.0, _CURVE_POINTS)
    control = 1 - _BEND + _BEND / knee, (1 - _BEND) * knee + _BEND
    weights = (1 - along) ** 2, 2 * along * (1 - along), along**2
    light = weights[0] + weights[1] * control[0] + weights[2] * top
    output = weights[0] * knee + weights[1] * control[1] + weights[2]
    return np.concatenate([[0.0], light]), np.concatenate([[0.0], output])


def _pq(level: Floats) -> Floats:
    """Linear light, 1.0 is diffuse white (SMPTE ST 2084)."""
    root = level ** (1 / 78.84375)
    linear: Floats = (np.maximum(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
    return linear * (10_000 / _WHITE)


def _hlg(level: Floats) -> Floats:
    """Scene light, 0 to 1."""
    bright = (np.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return np.where(level <= 0.5, level**2 / 3, bright)
