"""High dynamic range (PQ and HLG, ITU-R BT.2100), tone-mapped to sRGB as Chromium does.

The curve was measured in Chromium 156 and agrees with it to 1 of 255: light up to diffuse white (203 cd/m2) is halved,
light from there to 1,000 cd/m2 is compressed into the upper half. The brightest channel in BT.2020 sets the factor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..colour.srgb import Floats, to_bytes

PQ, HLG = 16, 18

_WHITE, _PEAK = 203.0, 1000.0  # cd/m2
_KNEE = np.array([0.0, 1.0, 1.158, 1.4, 1.804, 2.2, 2.794, 3.5, 4.309, 4.926])
_OUTPUT = np.array([0.0, 0.5, 0.5647, 0.6323, 0.7156, 0.7746, 0.8469, 0.9066, 0.9647, 1.0])
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
_BAND_PX = 1 << 18


@dataclass(frozen=True, slots=True)
class HighDynamicRange:
    """to_bt2020, from_bt2020: (3, 3), from the file's linear light and to linear sRGB. transfer: PQ or HLG."""

    to_bt2020: Floats
    from_bt2020: Floats
    transfer: int


def tone_map(image: Image.Image, colour: HighDynamicRange, poll: Callable[[], None]) -> Image.Image:
    """RGB or RGBA, changed in place."""
    levels = np.arange(256) / 255.0
    table = (_pq(levels) if colour.transfer == PQ else _hlg(levels)).astype(np.float32)
    rows = max(1, _BAND_PX // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        light = table[np.asarray(band)[..., :3]] @ colour.to_bt2020.T.astype(np.float32)
        if colour.transfer == HLG:
            light *= (_PEAK / _WHITE) * np.maximum(light @ _LUMINANCE, 0.0)[..., None] ** 0.2
        brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
        light *= np.interp(brightest, _KNEE, _OUTPUT) / brightest
        converted = Image.fromarray(to_bytes(light @ colour.from_bt2020.T.astype(np.float32), linear=True))
        if image.mode == "RGBA":
            converted.putalpha(band.getchannel("A"))
        image.paste(converted, (0, top))
        poll()
    return image


def _pq(level: Floats) -> Floats:
    """Linear light, 1.0 is diffuse white (SMPTE ST 2084)."""
    root = level ** (1 / 78.84375)
    linear: Floats = (np.maximum(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
    return linear * (10_000 / _WHITE)


def _hlg(level: Floats) -> Floats:
    """Scene light, 0 to 1."""
    bright = (np.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return np.where(level <= 0.5, level**2 / 3, bright)
