"""Which files are turned: EXIF where the format's standard puts it, and nothing else.

The expected values are Chromium's (156), but for WebP, which Chromium does not turn.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from tests.processing.mosaic.codec.files import (
    LONG,
    SSHORT,
    app1,
    exif,
    jpeg,
    png,
    png_chunk,
    raw_profile_chunk,
    webp,
    xmp,
    xmp_chunk,
    xmp_segment,
)

STORED = np.full((32, 48, 3), 128, np.uint8)
STORED[:16, :24], STORED[:16, 24:], STORED[16:, :24] = (250, 20, 20), (20, 250, 20), (20, 20, 250)
IMAGE = Image.fromarray(STORED)
UPRIGHT = {  # orientation -> what is seen
    1: STORED,
    2: STORED[:, ::-1],
    3: STORED[::-1, ::-1],
    4: STORED[::-1],
    5: STORED.transpose(1, 0, 2),
    6: np.rot90(STORED, -1),
    7: STORED[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(STORED),
}


def applied(data: bytes) -> int:
    """The orientation that decoding undid."""
    pixels = np.asarray(decode(data, Progress()).image).astype(int)
    (orientation,) = (
        number for number, seen in UPRIGHT.items() if seen.shape == pixels.shape and np.abs(pixels - seen).max() < 40
    )
    return orientation


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_where_the_standard_puts_it(orientation: int) -> None:
    assert applied(jpeg(IMAGE, app1(orientation))) == orientation
    assert applied(png(IMAGE, png_chunk(b"eXIf", exif(orientation)))) == orientation
    assert applied(webp(IMAGE, exif=exif(orientation))) == orientation


@pytest.mark.parametrize("orientation", range(1, 9))
def test_xmp_and_text_never_turn(orientation: int) -> None:
    assert applied(jpeg(IMAGE, xmp_segment(orientation))) == 1
    assert applied(png(IMAGE, xmp_chunk(orientation))) == 1
    assert applied(png(IMAGE, raw_profile_chunk(orientation))) == 1
    assert applied(webp(IMAGE, xmp=xmp(orientation))) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_wins_where_others_contradict_it(orientation: int) -> None:
    other = orientation % 8 + 1

    assert applied(jpeg(IMAGE, xmp_segment(other), app1(orientation))) == orientation
    assert applied(png(IMAGE, raw_profile_chunk(other), xmp_chunk(other), png_chunk(b"eXIf", exif(orientation)))) == (
        orientation
    )
    assert applied(webp(IMAGE, exif=exif(orientation), xmp=xmp(other))) == orientation


UNUSUAL = {
    "big endian": (app1(6, order=">"), 6),
    "a padding byte of 255": (app1(6, prefix=b"Exif\0\xff"), 6),
    "LONG": (app1(6, kind=LONG), 1),
    "LONG, big endian": (app1(6, kind=LONG, order=">"), 1),
    "two values": (app1(6, count=2), 1),
    "SSHORT": (app1(6, kind=SSHORT), 1),
    "0": (app1(0), 1),
    "9": (app1(9), 1),
    "the first of two": (app1(6) + app1(3), 6),
    "noise first": (app1(6)[:10] + bytes(18) + app1(3), 1),
    "no directory": (app1(6)[:2] + b"\0\x10Exif\0\0II*\0\xff\xff\xff\xff", 1),
}


@pytest.mark.parametrize("name", list(UNUSUAL))
def test_unusual_exif_of_a_jpeg(name: str) -> None:
    segments, orientation = UNUSUAL[name]

    assert applied(jpeg(IMAGE, segments)) == orientation


def test_exif_after_the_frame_header_counts() -> None:
    data = jpeg(IMAGE)
    scan = data.index(b"\xff\xda")

    assert applied(data[:scan] + app1(6) + data[scan:]) == 6


def test_unusual_exif_of_a_png() -> None:
    chunk = png_chunk(b"eXIf", exif(6))

    assert applied(png(IMAGE, after=(chunk,))) == 1
    assert applied(png(IMAGE, chunk, png_chunk(b"eXIf", exif(3)))) == 6
    assert applied(png(IMAGE, chunk[:-4] + bytes(4))) == 1
    assert applied(png(IMAGE, png_chunk(b"eXIf", b"Exif\0\0" + exif(6)))) == 1


def test_exif_of_a_webp_may_have_the_prefix_of_a_jpeg() -> None:
    assert applied(webp(IMAGE, exif=b"Exif\0\0" + exif(6))) == 6
