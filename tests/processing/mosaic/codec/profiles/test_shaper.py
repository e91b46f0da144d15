"""Profiles of three curves and a matrix: lcms makes the same of 8 bits."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.codec.profiles.icc import shaper_of, transform
from tests.processing.mosaic.codec.files import matrix_profile, table_profile

LEVELS = np.linspace(0, 255, 9).round().astype(np.uint8)
COLOURS = np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS), -1).reshape(1, -1, 3)


def parametric(kind: int, *numbers: float) -> bytes:
    packed = struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + packed


def table(*values: int) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


CURVES = {
    "nothing": table(),
    "a gamma": table(round(1.8 * 256)),
    "two points": table(0, 65_535),
    "a table": table(*(round((level / 40) ** 2.4 * 65_535) for level in range(41))),
    "a power": parametric(0, 2.2),
    "a power from a point": parametric(1, 2.2, 1.1, -0.1),
    "a power with an offset": parametric(2, 2.2, 0.93162, 0.05, 0.04),
    "the curve of sRGB": parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "all seven numbers": parametric(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.02, 0.01),
}


@pytest.mark.parametrize("name", list(CURVES))
def test_every_kind_of_curve_does_what_lcms_does(name: str) -> None:
    profile = matrix_profile(CURVES[name])
    shaper = shaper_of(profile)
    assert shaper is not None

    ours = shaper.to_srgb(COLOURS.astype(np.uint16) * 257).astype(int)

    assert np.abs(ours - np.asarray(transform(Image.fromarray(COLOURS), profile))).max() <= 1


@pytest.mark.parametrize(
    "profile",
    [
        table_profile(),
        matrix_profile(b"rare\0\0\0\0" + bytes(8)),
        matrix_profile(parametric(5, 1.0)),
        matrix_profile(table(1, 2, 3)[:14]),
        matrix_profile(b""),
        matrix_profile(table()).replace(b"rXYZ", b"none"),
        b"",
    ],
    ids=["tables", "another curve", "another kind", "cut", "no curve", "no primary", "nothing"],
)
def test_other_profiles_are_left_to_lcms(profile: bytes) -> None:
    assert shaper_of(profile) is None
