"""A picture is decoded in full or refused as damaged; a file whose every pixel is there opens."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import NotAPicture
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from tests.hostile.jpeg import component_scans
from tests.processing.mosaic.codec.files import jpeg, png, png_chunk, saved
from tests.processing.mosaic.pictures import encoded, noise, scene

CASES = Path(__file__).parents[5] / "shared" / "cases"
NOISE = Image.fromarray(noise(120, 90))
ROWS = b"".join(b"\0" + row.tobytes() for row in noise(120, 90))


def pixels(data: bytes, **options: object) -> np.ndarray:
    return np.asarray(decode(data, Progress(), **options).image)


def assert_damaged(data: bytes) -> None:
    with pytest.raises(NotAPicture, match="damaged"):
        decode(data, Progress())


def png_of(compressed: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", 120, 90, 8, 2, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", compressed) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_png_with_one_changed_byte_of_pixels_is_damaged() -> None:
    whole = saved(NOISE, "PNG")
    rng = np.random.default_rng(5)
    for position in rng.integers(41, len(whole) - 16, 200).tolist():
        assert_damaged(whole[:position] + bytes((whole[position] ^ 16,)) + whole[position + 1 :])


DAMAGED_PNG = {
    "rows are missing": png_of(zlib.compress(ROWS[: len(ROWS) // 2])),
    "the last row is missing": png_of(zlib.compress(ROWS[: len(ROWS) - 361])),
    "the stream is cut": png_of(zlib.compress(ROWS)[:20_000]),
    "the checksum of the stream is wrong": png_of(zlib.compress(ROWS)[:-4] + b"abcd"),
    "a filter does not exist": png_of(zlib.compress(ROWS[: 361 * 40] + b"\x09" + ROWS[361 * 40 + 1 :])),
}


@pytest.mark.parametrize("name", list(DAMAGED_PNG))
def test_a_png_without_all_its_pixels_is_damaged(name: str) -> None:
    assert_damaged(DAMAGED_PNG[name])


def test_a_png_that_is_black_below_opens() -> None:
    black = np.zeros((40, 30, 3), np.uint8)
    black[:10] = 200

    assert np.array_equal(pixels(saved(Image.fromarray(black), "PNG")), black)


def test_an_interlaced_png_without_its_last_pass_is_damaged() -> None:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)
    passes = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)]  # columns, rows
    rows = b"".join((b"\0" + bytes([90] * columns)) * count for columns, count in passes)
    head = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    whole, cut = (head + png_chunk(b"IDAT", zlib.compress(part)) for part in (rows, rows[:-36]))

    assert pixels(whole + png_chunk(b"IEND", b"")).min() == 90
    assert_damaged(cut + png_chunk(b"IEND", b""))


def test_a_png_opens_without_its_end_and_with_damaged_text() -> None:
    text = png_chunk(b"tEXt", b"Title\0x")
    expected = np.asarray(NOISE)

    assert np.array_equal(pixels(saved(NOISE, "PNG")[:-12]), expected)
    assert np.array_equal(pixels(png(NOISE, text[:-4] + b"abcd")), expected)
    assert np.array_equal(pixels(saved(NOISE, "PNG") + b"a trailer"), expected)


@pytest.mark.parametrize("format", ["JPEG", "GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_file_cut_in_the_middle_is_damaged(format: str, share: float) -> None:
    whole = encoded(noise(120, 90), format)

    assert_damaged(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restart", [0, 3])
def test_a_jpeg_cut_at_any_place_is_damaged(progressive: bool, restart: int) -> None:
    whole = encoded(scene(64, 48), "JPEG", progressive=progressive, restart_marker_blocks=restart)
    start = whole.index(b"\xff\xda") + 14

    for end in range(start, len(whole) - 40, 29):
        assert_damaged(whole[:end])


def test_a_sequential_jpeg_cut_and_closed_again_is_damaged() -> None:
    whole = encoded(noise(120, 90), "JPEG")

    assert_damaged(whole[: len(whole) // 2] + b"\xff\xd9")


def test_a_progressive_jpeg_cut_and_closed_again_is_damaged() -> None:
    whole = encoded(scene(64, 48), "JPEG", progressive=True)
    scans = [place for place in range(len(whole)) if whole.startswith(b"\xff\xda", place)]
    assert len(scans) > 5

    for end in [*range(scans[0] + 14, len(whole) - 8, 29), *scans[1:]]:
        assert_damaged(whole[:end] + b"\xff\xd9")


@pytest.mark.parametrize("wrong", [(0, 0, 0), (1, 63, 1)])
def test_a_jpeg_with_a_scan_for_each_component_and_wrong_parameters_opens(wrong: tuple[int, int, int]) -> None:
    data = bytearray(component_scans(24, 3))
    scans = [place for place in range(len(data)) if data.startswith(b"\xff\xda", place)]
    for component, scan in enumerate(scans, 1):
        data[scan + 5] = component
    expected = pixels(bytes(data))

    for scan in scans:
        data[scan + 7 : scan + 10] = wrong

    assert np.array_equal(pixels(bytes(data)), expected)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("fill", [0, 1, 5000])
def test_a_jpeg_in_one_colour_opens(progressive: bool, fill: int) -> None:
    """Also with the bytes 0xFF before its end that some cameras write."""
    whole = encoded(np.full((90, 120, 3), 77, np.uint8), "JPEG", progressive=progressive)

    assert pixels(whole[:-2] + b"\xff" * fill + b"\xff\xd9").tolist() == [[[77, 77, 77]] * 120] * 90


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (7, 40)])
def test_a_jpeg_smaller_than_a_square_of_the_encoder_opens(size: tuple[int, int], progressive: bool) -> None:
    image = Image.new("RGB", size, (77, 77, 77))

    assert pixels(saved(image, "JPEG", progressive=progressive)).shape == (size[1], size[0], 3)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_whose_every_pixel_is_there_opens(progressive: bool) -> None:
    whole = encoded(noise(120, 90), "JPEG", progressive=progressive)
    trailer = b"SEFH\x6b\0\0\0" * 40
    expected = pixels(whole)

    for data in (whole[:-2], whole[:-1], whole + trailer, whole[:-2] + trailer, whole + whole, whole[:-2] + whole):
        assert np.array_equal(pixels(data), expected)


def test_a_jpeg_without_its_end_opens_at_a_reduced_scale() -> None:
    whole = encoded(scene(800, 600), "JPEG")

    assert decode(whole[:-2], Progress(), reduction_for=lambda _width, _height: 8).image.size == (100, 75)
    assert_damaged(whole[: len(whole) * 3 // 4])


@pytest.mark.parametrize("wrong", [(0, 0, 0), (0, 63, 1), (1, 63, 0), (63, 63, 0), (0, 63, 16)])
def test_a_sequential_jpeg_with_wrong_parameters_of_its_scan_opens(wrong: tuple[int, int, int]) -> None:
    whole = jpeg(NOISE)
    scan = whole.rindex(b"\xff\xda")
    end = scan + 2 + int.from_bytes(whole[scan + 2 : scan + 4])

    assert np.array_equal(pixels(whole[: end - 3] + bytes(wrong) + whole[end:]), pixels(whole))


def test_a_gif_whose_first_frame_is_cut_does_not_read_on_in_the_second() -> None:
    frames = [Image.fromarray(noise(60, 50, seed=seed)) for seed in (1, 2)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    first = data.index(b"\x2c", 13 + 768)
    block = first + 10 + (768 if data[first + 9] & 0x80 else 0) + 1
    cut = data[:block] + b"\0" + data[block:]

    assert_damaged(cut)


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
def test_the_reported_files() -> None:
    assert_damaged((CASES / "damaged-idat-accepted-black.png").read_bytes())
    assert pixels((CASES / "jpeg-without-its-last-2-bytes-EOI.jpg").read_bytes()).shape == (240, 320, 3)
