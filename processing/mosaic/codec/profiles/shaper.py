"""ICC profiles of three curves and a matrix (ICC.1:2022, 8.3.3), applied to 16 bits.

Pillow hands lcms 8 bits of a colour. Of those, lcms makes the same, to 1 of 255.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...colour.srgb import Floats, encode_srgb

_LEVELS = 1 << 16
_TABLES = (b"A2B0", b"D2B0")  # what such a profile would be read by instead
_LIGHTEST_BLACK = 0.184  # L* 50
_PARAMETERS = (1, 3, 4, 5, 7)  # of a parametric curve, by its type (10.18)


@dataclass(frozen=True, slots=True)
class Shaper:
    """curves: (3, 65536) linear light of each 16-bit value. matrix: (3, 3) from that to linear sRGB. black: is
    subtracted from that, so that black is black (black point compensation, as lcms does it)."""

    curves: NDArray[np.float32]
    matrix: NDArray[np.float32]
    black: float

    def to_srgb(self, values: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """(rows, width, 3) -> the same in sRGB of 8 bits."""
        light = np.stack([curve[values[..., channel]] for channel, curve in enumerate(self.curves)], axis=-1)
        light = light @ self.matrix.T
        light -= self.black
        light *= _LEVELS - 1
        light += 0.5
        np.clip(light, 0, _LEVELS - 1, out=light)
        return _encoded()[light.astype(np.uint16)]


@cache
def _encoded() -> NDArray[np.uint8]:
    """sRGB in 8 bits of each level of light; computed for the first picture with such a profile."""
    return np.rint(encode_srgb(np.linspace(0.0, 1.0, _LEVELS)) * 255).astype(np.uint8)


def read_shaper(profile: bytes, from_xyz: Floats) -> Shaper | None:
    """None for a profile of another kind, or whose curves or matrix are damaged. from_xyz: (3, 3), D50 to sRGB."""
    tags = _tags(profile)
    if profile[16:24] != b"RGB XYZ " or any(table in tags for table in _TABLES):
        return None
    try:
        curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
        columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    except (KeyError, struct.error, ValueError):
        return None
    to_xyz = np.array(columns).T / 65536
    black = min(max(float(to_xyz[1] @ [curve[0] for curve in curves]), 0.0), _LIGHTEST_BLACK)
    matrix = from_xyz @ to_xyz / (1 - black)
    return Shaper(np.stack(curves), matrix.astype(np.float32), black / (1 - black))


def _tags(profile: bytes) -> Mapping[bytes, bytes]:
    count = int.from_bytes(profile[128:132])
    tags: dict[bytes, bytes] = {}
    for position in range(132, min(132 + 12 * count, len(profile) - 11), 12):
        name, offset, length = struct.unpack_from(">4sII", profile, position)
        tags.setdefault(name, profile[offset : offset + length])
    return tags


def _curve(tag: bytes) -> NDArray[np.float32]:
    """Raises ValueError or struct.error."""
    levels = np.linspace(0.0, 1.0, _LEVELS)
    kind, size = tag[:4], int.from_bytes(tag[8:12])
    if kind == b"para":
        curve = _parametric(levels, tag)
    elif kind != b"curv":
        raise ValueError("no curve")
    elif size == 0:
        curve = levels
    elif size == 1:
        curve = levels ** (struct.unpack_from(">H", tag, 12)[0] / 256)
    else:
        points = np.frombuffer(tag, ">u2", size, 12) / 65535
        curve = np.interp(levels, np.linspace(0.0, 1.0, size), points)
    return np.clip(np.nan_to_num(curve), 0.0, 1.0).astype(np.float32)


def _parametric(levels: Floats, tag: bytes) -> Floats:
    kind = int.from_bytes(tag[8:10])
    if kind >= len(_PARAMETERS):
        raise ValueError("no curve of a known kind")
    numbers = [number / 65536 for number in struct.unpack_from(f">{_PARAMETERS[kind]}i", tag, 12)]
    gamma, scale, shift, slope, start, lift, low_lift = numbers + [1.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(numbers) - 1 :]
    if kind in (1, 2):
        start, slope, lift, low_lift = (-shift / scale if scale else 0.0), 0.0, slope, slope
    bright = np.maximum(scale * levels + shift, 0.0) ** gamma + lift
    curve: Floats = np.where(levels >= start, bright, slope * levels + low_lift)
    return curve
