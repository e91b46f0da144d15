"""16 bits a channel: converted to sRGB before they are rounded to 8. lcms, given 16 bits, makes the expected values."""

from __future__ import annotations

import base64
import io
import struct
import tracemalloc
import zlib
from types import SimpleNamespace

import numpy as np
import pillow_heif
import pytest

from processing.mosaic.codec import heif_decoder
from processing.mosaic.codec.decode import decode
from processing.mosaic.colour.srgb import encode_srgb
from processing.mosaic.progress import Progress
from tests.processing.mosaic.codec.files import (
    deep_png,
    linear_grey_profile,
    linear_profile,
    png_chunk,
    table_profile,
)
from tests.processing.mosaic.codec.test_colour import cicp, gamma, icc, pixel

DARK = np.array([0, 64, 200, 257, 400, 700, 1500, 3000, 6000, 12_000, 32_768, 65_535], np.uint16)
FROM_LIGHT = np.rint(encode_srgb(DARK / 65535) * 255).astype(int)
"""What the values of DARK are if they are light: 0, 3, 10, 13, 18, 27 and so on; of 8 bits, 0, 0, 13, 13, 22, 28."""
COLOURED = np.stack([DARK, DARK // 2, DARK // 4], -1)[None]


def of_channels(channels: int) -> np.ndarray:
    """DARK in all of them, opaque."""
    values = np.repeat(DARK[None, :, None], channels, axis=-1)
    if channels in (2, 4):
        values[..., -1] = 65_535
    return values


def interlaced(values: np.ndarray, *chunks: bytes) -> bytes:
    """The passes of a picture of one row (PNG, third edition, 8.1)."""
    row = values[0].astype(">u2")
    parts = [row[0::8], row[4::8], row[2::4], row[1::2]]  # passes 1, 2, 4 and 6
    data = deep_png(values, *chunks, rows=b"".join(b"\0" + part.tobytes() for part in parts if len(part)))
    header = data[12:28] + b"\x01"
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


LINEAR = {"gAMA": gamma(100_000), "cICP": cicp(1, 8), "a colour profile": icc(linear_profile())}
GREY_LINEAR = {**LINEAR, "a grey profile": icc(linear_grey_profile())}
CASES = [(channels, name) for channels in (3, 4) for name in LINEAR]
CASES += [(channels, name) for channels in (1, 2) for name in GREY_LINEAR]


@pytest.mark.parametrize("writer", [deep_png, interlaced])
@pytest.mark.parametrize(("channels", "name"), CASES)
def test_linear_light_keeps_its_darkest_values(channels: int, name: str, writer: object) -> None:
    source = decode(writer(of_channels(channels), GREY_LINEAR[name]), Progress(), background=None)

    for channel in np.moveaxis(np.asarray(source.image).astype(int), -1, 0):
        assert np.abs(channel[0] - FROM_LIGHT).max() <= 1
    assert source.alpha is None


def test_a_transparent_colour_is_compared_before_the_conversion() -> None:
    values = np.array([[[700, 350, 175], [700, 350, 176]]], np.uint16)
    data = deep_png(values, gamma(100_000), png_chunk(b"tRNS", struct.pack(">3H", *values[0, 0])))

    pixels = np.asarray(decode(data, Progress(), background="#00ff00").image)

    assert pixels[0].tolist() == [[0, 255, 0], pytest.approx([27, 17, 9], abs=1)]


@pytest.mark.parametrize("channels", [1, 2])
def test_grey_is_rounded_to_the_nearest_and_keeps_its_transparency(channels: int) -> None:
    values = np.array([[[0x12FE, 0x80FF][:channels], [0x12FF, 0x7F00][:channels]]], np.uint16)
    chunks = [png_chunk(b"tRNS", struct.pack(">H", 0x12FE))] if channels == 1 else []

    source = decode(deep_png(values, *chunks), Progress(), background=None)

    assert source.image.getpixel((1, 0)) == (19, 19, 19)
    assert source.alpha is not None
    assert np.asarray(source.alpha).tolist() == [[0, 255] if channels == 1 else [128, 127]]


@pytest.mark.parametrize(
    ("transfer", "expected"),
    [
        (16, [0, 0, 0, 0, 0, 0, 2, 6, 14, 45, 131, 235, 255]),
        (18, [0, 0, 0, 0, 0, 1, 7, 17, 27, 55, 99, 158, 255]),
    ],
)
def test_high_range_of_16_bits(transfer: int, expected: list[int]) -> None:
    """The expected values are Chromium's (150)."""
    values = np.array([64, 200, 700, 1500, 2000, 3000, 6000, 9000, 12_000, 20_000, 32_768, 45_000, 65_535])
    pixels = np.asarray(
        decode(deep_png(np.repeat(values[None, :, None], 3, axis=-1), cicp(9, transfer)), Progress()).image
    )

    assert pixels[0, :, 0].tolist() == pytest.approx(expected, abs=1)


def test_a_profile_with_tables_is_applied_to_8_bits() -> None:
    data = deep_png(np.full((4, 4, 3), 128 * 257), icc(table_profile()))

    assert pixel(data) == (7, 7, 7)


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("mode", ["RGB;16", "RGBA;16", "L;16"])
def test_a_heic_of_10_or_12_bits_keeps_its_darkest_values(
    bits: int, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", bits == 12)
    channels = {"RGB;16": 3, "RGBA;16": 4, "L;16": 1}[mode]
    values = of_channels(channels).repeat(64, axis=0).repeat(16, axis=1)
    file = pillow_heif.from_bytes(mode, (values.shape[1], 64), values.astype(np.uint16).tobytes())
    file.info["icc_profile"] = linear_profile()
    target = io.BytesIO()
    file.save(target, quality=-1, chroma=444)

    row = np.asarray(decode(target.getvalue(), Progress()).image)[32, 8::16].astype(int)

    step = DARK >> 16 - bits << 16 - bits
    expected = np.rint(encode_srgb(step / 65535) * 255)
    assert np.abs(row - expected[:, None]).max() <= 3
    assert row[-1].tolist() == [255, 255, 255]


LINEAR_AVIF = {  # DARK in 10 and 12 bits, linear light, 4:4:4, each value eight pixels wide and high
    10: (
        "c-muNU{FXasVqn=%S>Yc0uY^>nP!-qnV9D5Xy^zO`jnemlE?r78W|}$MNl?FL1uCZ0}{x|OoAE1SCCnf3l?MqV!6zm{A3Wv1;l5B"
        "h%!n6>2i>nnVETMaJ5oEPAU_Wmsn<C=$xOE54JKZv!JK|NPA}%B<BNZk<8+PRH)SnK+FNe0tJ~BnIHjXE-o%0#gkZO=-jB_01^^T"
        "&d({zOU|hPnhaFi02C6>EXaj<4d^fyMy6&KAhSL<C9y<^fs4aJV*NJ*fd)>aOaTUlr<>mFc=MR4Wo2{?*E|mkmV7>6*LO?8T3#<>"
        "{`2!+;}Z6Br&!YN{}6jQ%X(u1ug3a&`N^ACt-87E`utA)T`@}2AKM5;+;A0N6X)p8(d&@V9X;cMXrY+IP4kJrui71+8@RsgO4D8m"
        "0ROdTQv"
    ),
    12: (
        "c-muNV30{GsVqn=%S>Yc0uY^>nP!-qnF!*4%1tdvWPkvTjFg-rD4U@mGr5ET3FKrZ!HnQ5$SlbP3o-(+TxL#wGKk{>;xj@-8O4Bf"
        "7s$-a%)B(XS}7nWl?lpAEHf~4&d<pQTbY$vP*eb<y)z4v^MSNTW^q9()anEv<^W=Wg3O9ckN`6e4-b&yNh~vTZgc=iGYBW==M?27"
        "=Trbq2C8iU3W;YH<iflLbQlXGQ!@*YIVm?Ku|$Z0i!(xE{WlX91ttZfY5@j@r<>mFxL=o`!}~ON5l>Xyf?IVv!nrcq%rob)u05EX"
        "yJPmT`MOtE>2oxHN$FbSBJp7VqQ@0mt$LIM`ov<GKi6(jV!czI`Oc`+Y_pAIqgQ}>YTzzKv9D_**zNrfbv}Jxqp_FgEQ8kVpuFVu"
        "*M5Kfxjke`Ucs_88yWzSPHpo"
    ),
}
"""What Pillow cannot write."""


def linear_avif(bits: int) -> bytes:
    return zlib.decompress(base64.b85decode(LINEAR_AVIF[bits]))


@pytest.mark.parametrize("bits", [10, 12])
def test_an_avif_of_10_or_12_bits_keeps_its_darkest_values(bits: int) -> None:
    row = np.asarray(decode(linear_avif(bits), Progress()).image)[4, 4::8].astype(int)

    assert np.abs(row - FROM_LIGHT[:, None]).max() <= 1


def another_version(_: str) -> SimpleNamespace:
    return SimpleNamespace(avifVersion=lambda: b"2.0.0")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("_avif", SimpleNamespace(__file__="/nowhere")),
        ("ctypes", SimpleNamespace(CDLL=another_version, c_char_p=None)),
    ],
    ids=["elsewhere", "another version"],
)
def test_an_avif_is_read_in_8_bits_where_libavif_is_another_one(
    name: str, other: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = linear_avif(10)
    deep = heif_decoder.decode("AVIF", 96 * 8, data)
    monkeypatch.setattr(heif_decoder, name, other)

    shallow = heif_decoder.decode("AVIF", 96 * 8, data)

    assert (deep.bits, deep.mode, shallow.bits, shallow.mode) == (16, "RGB", 8, "RGB")


def test_a_picture_of_16_bits_takes_little_memory_beside_its_pixels() -> None:
    """12 bytes a pixel, of which Pillow, whose pictures tracemalloc does not count, takes 8."""
    values = np.zeros((3000, 1000, 3), np.uint16)
    data = deep_png(values, gamma(100_000))

    tracemalloc.start()
    try:
        decode(data, Progress())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 60 << 20, f"{peak / 2**20:.0f} MiB"
