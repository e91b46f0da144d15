"""The properties of a HEIF or AVIF: those of the picture that is shown count, and no others."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.codec.decode import decode
from processing.mosaic.codec.formats.isobmff import read_heif
from processing.mosaic.progress import Progress
from tests.processing.mosaic.codec.files import exif, saved
from tests.processing.mosaic.codec.test_heif import IMAGE, QUARTERS, avif, heic, pixels

COLOUR = (128, 90, 200)
FLAT = Image.new("RGB", (64, 64), COLOUR)
SRGB = b"nclx\0\x01\0\x0d"


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def nclx(primaries: int, transfer: int) -> bytes:
    return b"nclx" + struct.pack(">HH", primaries, transfer)


def with_property(whole: bytes, added: bytes, *, named: bool = True) -> bytes:
    """An AVIF with one more property, a box. named: the picture has it; else it would be that of another item."""
    places = {kind: whole.index(kind) - 4 for kind in (b"meta", b"iprp", b"ipco", b"ipma", b"mdat")}
    offset, more = struct.pack(">I", places[b"mdat"] + 8), len(added) + named
    assert whole.count(offset) == 1
    grown = bytearray(whole.replace(offset, struct.pack(">I", places[b"mdat"] + 8 + more)))
    if named:
        item = places[b"ipma"] + 18  # how many properties the first item has
        grown[item] += 1
        grown.insert(item + 1, 0x80 | (property_count(whole, places) + 1))  # essential
    sizes = {b"meta": more, b"iprp": more, b"ipco": len(added), b"ipma": int(named)}
    for kind, growth in sizes.items():
        size = int.from_bytes(grown[places[kind] : places[kind] + 4]) + growth
        grown[places[kind] : places[kind] + 4] = struct.pack(">I", size)
    return bytes(grown[: places[b"ipma"]]) + added + bytes(grown[places[b"ipma"] :])


def property_count(whole: bytes, places: dict[bytes, int]) -> int:
    count, place = 0, places[b"ipco"] + 8
    while place < places[b"ipma"]:
        count, place = count + 1, place + int.from_bytes(whole[place : place + 4])
    return count


def aperture(*numbers: int) -> bytes:
    return box(b"clap", struct.pack(">8i", *numbers))


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_clean_aperture_of_an_avif_is_what_is_shown(orientation: int) -> None:
    """The right half of the lower half, before it is turned."""
    data = with_property(avif(IMAGE, exif=exif(orientation)), aperture(64, 1, 48, 1, 32, 1, 24, 1))

    source = decode(data, Progress())

    expected = {1: QUARTERS[48:, 64:], 6: np.rot90(QUARTERS[48:, 64:], -1)}[orientation]
    assert (source.height, source.width) == expected.shape[:2]
    assert np.abs(np.asarray(source.image).astype(int) - expected).mean() < 3


@pytest.mark.parametrize(
    "numbers", [(64, 1, 48, 1, 33, 1, 24, 1), (63, 1, 48, 1, 0, 1, 0, 1), (64, 0, 48, 1, 0, 1, 0, 1)]
)
def test_an_impossible_aperture_is_ignored(numbers: tuple[int, ...]) -> None:
    source = decode(with_property(avif(IMAGE), aperture(*numbers)), Progress())

    assert (source.width, source.height) == (128, 96)


COLOURS = {  # primaries, transfer -> as Chromium (156) shows COLOUR
    (1, 13): COLOUR,
    (1, 8): (188, 160, 229),
    (2, 8): (188, 160, 229),
    (1, 1): COLOUR,
    (1, 6): COLOUR,
    (2, 2): COLOUR,
    (12, 13): (135, 88, 207),
    (12, 2): (135, 88, 207),
    (12, 1): (135, 88, 207),
    (2, 18): (97, 70, 179),
    (9, 18): (102, 63, 188),
}


@pytest.mark.parametrize("codes", list(COLOURS), ids=str)
def test_the_code_points_of_an_avif_are_honoured(codes: tuple[int, int]) -> None:
    data = saved(FLAT, "AVIF", quality=100, subsampling="4:4:4").replace(SRGB, nclx(*codes))

    assert pixels(data)[32, 32] == pytest.approx(COLOURS[codes], abs=3)


def test_the_code_points_of_another_picture_in_the_file_count_for_nothing() -> None:
    """A gain map has its own, and so has the rendition that it makes of the picture."""
    for codes in ((9, 16), (1, 13)):
        data = saved(FLAT, "AVIF", quality=100, subsampling="4:4:4").replace(SRGB, nclx(9, 18))
        data = with_property(data, box(b"colr", nclx(*codes) + b"\0\x06\x80"), named=False)

        assert pixels(data)[32, 32] == pytest.approx(COLOURS[9, 18], abs=3)


def test_the_brightest_light_of_a_high_range_sets_the_curve() -> None:
    data = saved(FLAT, "AVIF", quality=100, subsampling="4:4:4").replace(SRGB, nclx(9, 18))
    light = box(b"clli", struct.pack(">HH", 300, 0))

    assert pixels(with_property(data, light))[32, 32] == pytest.approx((133, 83, 241), abs=3)
    assert pixels(with_property(data, light, named=False))[32, 32] == pytest.approx(COLOURS[9, 18], abs=3)


def test_wide_numbers_of_items_and_properties_are_understood() -> None:
    """Version 1 of the list of associations has items of 32 bits, and flag 1 properties of 16 bits."""
    whole = heic(IMAGE)
    start = whole.index(b"ipma") - 4
    size = int.from_bytes(whole[start : start + 4])
    content = whole[start + 8 : start + size]
    count = content[10]
    item = struct.pack(">IB", int.from_bytes(content[8:10]), count)
    item += b"".join(struct.pack(">H", (number & 128) << 8 | number & 127) for number in content[11 : 11 + count])
    wide = whole[:start] + box(b"ipma", b"\x01\0\0\x01" + struct.pack(">I", 1) + item) + whole[start + size :]

    assert read_heif(wide, megapixels=1) == read_heif(whole, megapixels=1)
    assert read_heif(whole, megapixels=1).cicp == (1, 13)
