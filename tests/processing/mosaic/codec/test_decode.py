"""Whatever the source is, a style sees one upright RGB picture in sRGB; what is no picture is refused, and soon."""

from __future__ import annotations

import contextlib
import itertools
import struct
import sys
import zlib
from collections.abc import Iterator
from threading import Event

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from processing.mosaic import NotAPicture, TooManyPixels
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import encoded, noise, saved, scene


def decoded(data: bytes, **options: object) -> np.ndarray:
    return np.asarray(decode(data, Progress(), **options).image)


SCENE = Image.fromarray(scene(60, 40))


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF", "JPEG"])
def test_the_format_is_told_by_content(format: str) -> None:
    source = decode(saved(SCENE, format), Progress())

    assert source.image.mode == "RGB"
    assert (source.width, source.height) == (60, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_becomes_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.asarray(SCENE.convert("L")).astype(np.uint16) * 257)
    else:
        image = SCENE.convert(mode)
    expected = np.asarray((SCENE.convert("L") if mode in ("I;16", "LA") else image).convert("RGB"))

    assert np.abs(decoded(saved(image)).astype(int) - expected).max() == 0


@pytest.mark.requirement(14)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that each orientation undoes
    turned = SCENE if orientation == 1 else SCENE.transpose(Image.Transpose(back[orientation]))

    assert np.array_equal(decoded(saved(turned, exif=exif)), np.asarray(SCENE))


def test_exif_that_is_noise_does_not_fail_the_picture() -> None:
    damaged = saved(SCENE, exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(range(100)))

    assert np.array_equal(decoded(damaged), np.asarray(SCENE))


def test_transparency_shows_the_background() -> None:
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 128))

    assert decoded(saved(image), background="#0000ff")[0, 0].tolist() == [128, 0, 127]


def test_cmyk_becomes_rgb() -> None:
    error = np.abs(decoded(saved(SCENE.convert("CMYK"), "JPEG", quality=95)).astype(int) - np.asarray(SCENE))

    assert error.mean() < 3


def linear_profile(*, named: bool) -> bytes:
    """An ICC profile (version 2) with sRGB's primaries and no curve at all."""
    tags = {
        b"rXYZ": b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (0.4361, 0.2225, 0.0139))),
        b"gXYZ": b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (0.3851, 0.7169, 0.0971))),
        b"bXYZ": b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (0.1431, 0.0606, 0.7141))),
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061),
        **{name: b"curv" + bytes(8) for name in (b"rTRC", b"gTRC", b"bTRC")},
    }
    if named:
        tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 7) + b"linear\0" + bytes(79)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", 0, b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    head += bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    whole = head + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_an_embedded_profile_is_converted(format: str, named: bool) -> None:
    image = Image.new("RGB", (8, 8), (55, 55, 55))

    pixel = decoded(saved(image, format, icc_profile=linear_profile(named=named)))[0, 0]

    assert np.abs(pixel.astype(int) - 128).max() <= 2  # 55/255 of the light is 128 in sRGB


def test_the_profile_of_a_transparent_picture_is_converted_too() -> None:
    image = Image.new("RGBA", (8, 8), (55, 55, 55, 255))

    assert abs(int(decoded(saved(image, icc_profile=linear_profile(named=True)))[0, 0, 1]) - 128) <= 2


def test_srgb_said_again_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert np.array_equal(decoded(saved(SCENE, icc_profile=srgb)), np.asarray(SCENE))


def test_a_damaged_profile_is_passed_over() -> None:
    assert np.array_equal(decoded(saved(SCENE, icc_profile=b"no profile at all")), np.asarray(SCENE))


def test_only_the_first_frame_is_read() -> None:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]

    assert decoded(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))[0, 0].tolist() == [
        255,
        0,
        0,
    ]


def test_a_reduced_decode_says_by_how_much() -> None:
    source = decode(encoded(scene(803, 605), "JPEG"), Progress(), reduction_for=lambda _width, _height: 8)

    assert (source.width, source.height, source.reduction) == (803, 605, 8)
    assert source.image.size == (101, 76)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_truncated_file_is_refused(format: str, share: float) -> None:
    whole = encoded(noise(120, 90), format)

    with pytest.raises(NotAPicture):
        decode(whole[: int(len(whole) * share)], Progress())


def png_head(width: int, height: int, *, chunks: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"teSt", b"") * chunks + chunk(b"IDAT", zlib.compress(bytes(100)))


def deep_png(values: np.ndarray) -> bytes:
    """(height, width, 3 or 4) of 16-bit values as a PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = values.shape
    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colour_is_rounded_and_not_cut_off(channels: int) -> None:
    values = np.random.default_rng(4).integers(0, 65536, (90, 70, channels)).astype(np.uint16)
    values[0, :2] = (0,) * channels, (65535,) * channels
    values[..., 3:] = 65535

    pixels = decoded(deep_png(values))

    assert np.array_equal(pixels, np.rint(values[..., :3] / 257))


def test_a_transparent_grey_of_16_bits_shows_the_background() -> None:
    values = np.array([[0, 257 * 200, 65535]], np.uint16)

    pixels = decoded(saved(Image.fromarray(values), transparency=257 * 200), background="#ff0000")

    assert pixels.tolist() == [[[0, 0, 0], [255, 0, 0], [255, 255, 255]]]


def test_a_profile_with_multi_process_elements_is_passed_over() -> None:
    hostile = linear_profile(named=True).replace(b"desc", b"mpet")

    assert np.array_equal(decoded(saved(SCENE, icc_profile=hostile)), np.asarray(SCENE))


def many_scans() -> bytes:
    photo = encoded(scene(64, 64), "JPEG", progressive=True)
    start = photo.rindex(b"\xff\xda")
    return photo[:-2] + photo[start:-2] * 500 + b"\xff\xd9"


PHOTO = encoded(scene(64, 64), "JPEG")
HOSTILE = {
    "nothing": b"",
    "one byte": b"\xff",
    "text": b"<html>hello</html>",
    "magic only": b"\x89PNG\r\n\x1a\n",
    "zero by zero": png_head(0, 0),
    "no pixels": png_head(10, 10),
    "scans": many_scans(),
    "fill bytes": b"\xff\xd8" + b"\xff" * 2_000_000 + PHOTO[2:],
    "marker flood": b"\xff\xd8" + b"\xff\xe1\x00\x02" * 200_000 + PHOTO[2:],
    "chunk flood": png_head(8, 8, chunks=300_000),
    "gif comments": saved(SCENE, "GIF")[:13] + bytes(768) + b"\x21\xfe\x01a\x00" * 300_000,
    "gif extensions": saved(SCENE, "GIF")[:13] + bytes(768) + b"\x21\xfe\x00" * 300_000,
    "bmp": saved(SCENE, "BMP"),
    "tiff": saved(SCENE, "TIFF"),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_what_is_no_picture_or_made_to_cost_time_is_refused_at_once(name: str) -> None:
    """The floods have 200,000 parts or more, which take several calls each."""
    with pytest.raises(NotAPicture), counted_calls() as calls:
        decode(HOSTILE[name], Progress())

    assert 0 < next(calls) < 100_000


@contextlib.contextmanager
def counted_calls() -> Iterator[Iterator[int]]:
    """How many functions, built-in ones too, this thread calls: the work of a scan, on a busy machine too."""
    calls = itertools.count()
    sys.setprofile(lambda *_: next(calls))
    try:
        yield calls
    finally:
        sys.setprofile(None)


def test_the_fields_of_the_header_decide_before_any_pixel_is_decoded() -> None:
    for side in (7_100, 9_400, 13_000, 30_000):
        with pytest.raises(TooManyPixels):
            decode(png_head(side, side), Progress())


def test_the_limit_on_pixels_is_exact() -> None:
    data = encoded(noise(100, 100))

    assert decode(data, Progress(), megapixels=0.01).width == 100
    with pytest.raises(TooManyPixels):
        decode(data, Progress(), megapixels=0.009_999)


def test_what_progress_raises_while_decoding_is_not_taken_for_damage() -> None:
    class Stop(Exception):
        pass

    def stop(_fraction: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        decode(encoded(noise(200, 200)), Progress(stop))


LONG = {
    "libwebp": encoded(noise(90, 70), "WEBP"),
    "lcms": encoded(noise(90, 70), "JPEG", icc_profile=linear_profile(named=False)),
    "reading 16 bits": deep_png(noise(90, 70).astype(np.uint16)),
}


@pytest.mark.parametrize("name", list(LONG))
def test_what_comes_after_the_file_is_read_can_be_stopped(name: str, polled: Event) -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.999:
            polled.set()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        decode(LONG[name], Progress(stop))


def test_a_turned_jpeg_is_not_reduced_if_its_edge_would_move() -> None:
    exif = Image.Exif()
    exif[274] = 6
    even, odd = (encoded(scene(side, 64), "JPEG", exif=exif) for side in (80, 81))

    assert decode(even, Progress(), reduction_for=lambda *_: 2).reduction == 2
    assert decode(odd, Progress(), reduction_for=lambda *_: 2).reduction == 1
