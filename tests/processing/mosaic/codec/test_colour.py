"""Colour: what a file says about it is honoured as Chromium (156) does, to 3 of 255."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from processing.mosaic.codec.decode import decode
from processing.mosaic.colour.srgb import encode_srgb
from processing.mosaic.progress import Progress
from tests.processing.mosaic.codec.files import (
    black_ink_profile,
    deep_png,
    linear_grey_profile,
    linear_profile,
    png,
    png_chunk,
    saved,
)

COLOUR, GREY = (128, 90, 200), 128
LIGHT = [188, 160, 229]
"""COLOUR if its numbers are light."""
P3 = (0.3127, 0.3290, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
PROPHOTO = (0.3457, 0.3585, 0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001)
RGB = Image.new("RGB", (4, 4), COLOUR)


def pixel(data: bytes, **options: object) -> list[int]:
    return decode(data, Progress(), **options).image.getpixel((0, 0))


def gamma(value: int) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", value))


def chroma(numbers: tuple[float, ...]) -> bytes:
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(number * 100_000) for number in numbers)))


def cicp(primaries: int, transfer: int, *, matrix: int = 0, full: int = 1) -> bytes:
    return png_chunk(b"cICP", bytes((primaries, transfer, matrix, full)))


def light(peak_nits: int) -> bytes:
    return png_chunk(b"cLLI", struct.pack(">II", peak_nits * 10_000, 0))


def graded_for(peak_nits: int) -> bytes:
    return png_chunk(b"mDCV", bytes(16) + struct.pack(">II", peak_nits * 10_000, 1))


def icc(profile: bytes) -> bytes:
    return png_chunk(b"iCCP", b"x\0\0" + zlib.compress(profile))


SRGB_CHUNK = png_chunk(b"sRGB", b"\0")
EXPECTED = {
    "nothing": ((), COLOUR),
    "gAMA 1": ((gamma(100_000),), LIGHT),
    "gAMA of sRGB": ((gamma(45_455),), COLOUR),
    "gAMA 0.55": ((gamma(55_556),), (146, 109, 210)),
    "gAMA 0.35": ((gamma(35_000),), (104, 64, 187)),
    "gAMA 5": ((gamma(500_000),), (240, 233, 250)),
    "gAMA 0": ((gamma(0),), COLOUR),
    "gAMA too large": ((gamma(2**31),), (255, 255, 255)),
    "gAMA too small": ((gamma(1_000),), (0, 0, 0)),
    "cHRM alone": ((chroma(P3),), COLOUR),
    "gAMA and cHRM": ((gamma(45_455), chroma(P3)), (136, 87, 208)),
    "gAMA 1 and cHRM": ((gamma(100_000), chroma(SRGB)), LIGHT),
    "cHRM with imaginary primaries": ((gamma(100_000), chroma(PROPHOTO)), (191, 153, 238)),
    "cHRM of zeros": ((gamma(100_000), chroma((0.0,) * 8)), COLOUR),
    "sRGB before gAMA": ((SRGB_CHUNK, gamma(100_000), chroma(P3)), COLOUR),
    "iCCP before gAMA and sRGB": ((icc(linear_profile()), SRGB_CHUNK, gamma(45_455)), LIGHT),
    "gAMA where iCCP is damaged": ((icc(b"x" * 200), gamma(100_000)), LIGHT),
    "gAMA where iCCP is not compressed": ((png_chunk(b"iCCP", b"x\0\0?"), gamma(100_000)), LIGHT),
    "cICP before iCCP": ((cicp(1, 13), icc(linear_profile())), COLOUR),
    "cICP Display P3": ((cicp(12, 13),), (135, 88, 207)),
    "cICP linear": ((cicp(1, 8),), LIGHT),
    "cICP BT.2020": ((cicp(9, 1),), (131, 72, 205)),
    "cICP BT.601": ((cicp(6, 6),), (121, 85, 197)),
    "cICP gamma 2.8": ((cicp(1, 5),), (106, 66, 189)),
    "cICP SMPTE 240": ((cicp(7, 7),), (141, 109, 207)),
    "cICP XYZ": ((cicp(10, 17),), (115, 0, 213)),
    "cICP DCI": ((cicp(11, 17),), (123, 73, 207)),
    "cICP PQ": ((cicp(9, 16),), (52, 0, 255)),
    "cICP HLG": ((cicp(9, 18),), (102, 63, 188)),
    "cICP PQ, graded for 4,000 cd/m2": ((cicp(9, 16), graded_for(4_000)), (46, 0, 243)),
    "cICP PQ, brightest 4,000, graded for 300": ((cicp(9, 16), light(4_000), graded_for(300)), (46, 0, 243)),
    "cICP HLG, brightest 300 cd/m2": ((cicp(9, 18), light(300)), (133, 83, 241)),
    "cICP HLG, no brighter than diffuse white": ((cicp(9, 18), light(150)), (141, 88, 255)),
    "cICP not specified": ((cicp(2, 2), gamma(100_000)), LIGHT),
    "cICP of a narrow range": ((cicp(12, 13, full=0),), COLOUR),
}


@pytest.mark.parametrize("name", list(EXPECTED))
def test_the_colour_chunks_of_a_png(name: str) -> None:
    chunks, expected = EXPECTED[name]

    assert pixel(png(RGB, *chunks)) == pytest.approx(expected, abs=3)


def test_chunks_after_the_pixels_count_for_nothing() -> None:
    assert pixel(png(RGB, after=(gamma(100_000),))) == COLOUR


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1", "I;16"])
def test_gamma_is_honoured_in_every_mode(mode: str) -> None:
    grey = Image.new("L", (4, 4), 255 if mode == "1" else GREY)
    image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else grey.convert(mode)

    assert pixel(png(image, gamma(100_000)))[1] == pytest.approx(255 if mode == "1" else 188, abs=2)


@pytest.mark.parametrize("profile", [linear_grey_profile(), linear_profile()], ids=["grey", "colour"])
@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_profiles_of_grey_pictures(format: str, profile: bytes) -> None:
    image = Image.new("L", (8, 8), GREY)

    assert pixel(saved(image, format, icc_profile=profile)) == pytest.approx((188, 188, 188), abs=2)


@pytest.mark.parametrize("profile", [linear_grey_profile(), linear_profile()], ids=["grey", "colour"])
def test_profiles_of_grey_pictures_with_transparency(profile: bytes) -> None:
    half = Image.new("LA", (4, 4), (GREY, 255))
    clear = png(Image.new("L", (4, 4), 5), icc(profile), png_chunk(b"tRNS", b"\0\x05"))

    assert pixel(png(half, icc(profile))) == pytest.approx((188, 188, 188), abs=2)
    assert pixel(clear, background="#0000ff") == (0, 0, 255)


def test_dark_greys_of_a_profile_are_exact() -> None:
    ramp = png(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), icc(linear_grey_profile()))
    expected = np.rint(encode_srgb(np.arange(256) / 255) * 255)

    assert np.abs(np.asarray(decode(ramp, Progress()).image)[0, :, 0] - expected).max() <= 1


def test_a_grey_profile_of_a_coloured_picture_counts_for_nothing() -> None:
    assert pixel(png(RGB, icc(linear_grey_profile()))) == COLOUR


def test_a_profile_is_judged_by_what_it_does_and_not_by_its_name() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = srgb.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))

    assert pixel(png(RGB, icc(linear_profile()))) == pytest.approx(LIGHT, abs=2)
    assert pixel(png(RGB, icc(renamed))) == COLOUR


@pytest.mark.parametrize("low", [0x00, 0x7F, 0xBC])
def test_16_bit_colour_keeps_its_transparency(low: int) -> None:
    key = (0x1200 + low, 0x5600 + low, 0x9A00 + low)
    values = np.array([[key, (key[0] ^ 1, *key[1:])]], np.uint16)

    data = deep_png(values, png_chunk(b"tRNS", struct.pack(">3H", *key)))
    pixels = np.asarray(decode(data, Progress(), background="#00ff00").image)

    assert pixels[0, 0].tolist() == [0, 255, 0]
    assert pixels[0, 1].tolist() == pytest.approx((values[0, 1] / 257).tolist(), abs=1)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_transparent_grey_of_few_bits(depth: int) -> None:
    header = struct.pack(">IIBBBBB", 2, 1, depth, 0, 0, 0, 0)
    row = bytes((0, (1 << 8 - depth) & 255))  # the greys 1 and 0
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"tRNS", b"\0\x01")
    data += png_chunk(b"IDAT", zlib.compress(row)) + png_chunk(b"IEND", b"")

    pixels = np.asarray(decode(data, Progress(), background="#ff0000").image)

    assert pixels.tolist() == [[[255, 0, 0], [0, 0, 0]]]


def test_a_gif_is_transparent_beside_its_first_frame() -> None:
    frame = saved(Image.new("P", (8, 8), 1), "GIF")
    wider = frame[:6] + struct.pack("<HH", 16, 16) + frame[10:]

    pixels = np.asarray(decode(wider, Progress(), background="#ff00ff").image)

    assert pixels.shape == (16, 16, 3)
    assert (pixels[:8, :8] != (255, 0, 255)).any(axis=2).all()
    assert (pixels[8:] == (255, 0, 255)).all()
    assert (pixels[:, 8:] == (255, 0, 255)).all()


def test_a_high_range_keeps_its_transparency() -> None:
    half = RGB.copy()
    half.putalpha(128)

    source = decode(png(half, cicp(9, 16)), Progress(), background=None)

    assert source.image.getpixel((0, 0)) == pixel(png(RGB, cicp(9, 16)))
    assert source.alpha is not None
    assert source.alpha.getextrema() == (128, 128)


def test_the_profile_of_a_cmyk_picture_says_what_its_inks_look_like() -> None:
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))

    assert pixel(saved(cyan, "JPEG")) == pytest.approx([0, 255, 255], abs=3)
    assert pixel(saved(cyan, "JPEG", icc_profile=black_ink_profile())) == pytest.approx([255, 255, 255], abs=3)


@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"iCCP", b"x\0\0no zlib"),
        chroma((0.3127, 0.329, 0.3, 0.3, 0.3, 0.30001, 0.3, 0.3001)),
        chroma((0.3127, 0.329, *[0.3, 0.3] * 3)),
    ],
    ids=["a damaged profile", "nearly equal primaries", "equal primaries"],
)
def test_what_says_nothing_that_can_be_computed_is_passed_over(chunk: bytes) -> None:
    assert pixel(png(RGB, gamma(45_455), chunk)) == COLOUR


def test_a_gif_is_transparent_in_its_first_frame_and_beside_it() -> None:
    image = Image.new("P", (8, 8), 1)
    image.paste(0, (0, 0, 4, 8))
    frame = saved(image, "GIF", transparency=0)
    wider = frame[:6] + struct.pack("<HH", 16, 16) + frame[10:]

    pixels = np.asarray(decode(wider, Progress(), background="#ff00ff").image)

    assert (pixels[:8, :4] == (255, 0, 255)).all()
    assert (pixels[:8, 4:8] != (255, 0, 255)).any(axis=2).all()
    assert (pixels[8:] == (255, 0, 255)).all()
