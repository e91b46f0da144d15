"""Hostile JPEGs, made from small valid ones."""

from __future__ import annotations

import functools
import io
import struct

from PIL import Image

SOI, EOI, SOS = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"
APP1, APP2, APP13, COM = 0xE1, 0xE2, 0xED, 0xFE


@functools.cache
def flat(side: int, *, progressive: bool = False, mode: str = "RGB", subsampling: int = 2) -> bytes:
    """A valid JPEG of one colour."""
    file = io.BytesIO()
    Image.new(mode, (side, side), "teal").save(
        file, "JPEG", quality=75, progressive=progressive, subsampling=subsampling
    )
    return file.getvalue()


def segment(marker: int, data: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def small(*segments: bytes) -> bytes:
    """A 64 x 64 image with these segments after its first marker."""
    return SOI + b"".join(segments) + flat(64)[2:]


def with_exif(data: bytes) -> bytes:
    return small(segment(APP1, b"Exif\0\0" + data))


def with_exif_in_parts(data: bytes) -> bytes:
    parts = [data[at : at + 65000] for at in range(0, len(data), 65000)]
    return small(*(segment(APP1, b"Exif\0\0" + part) for part in parts))


def with_xmp(data: bytes) -> bytes:
    return small(segment(APP1, b"http://ns.adobe.com/xap/1.0/\0" + data))


def with_profile(data: bytes) -> bytes:
    parts = [data[at : at + 65000] for at in range(0, len(data), 65000)]
    return small(*(segment(APP2, b"ICC_PROFILE\0" + bytes([i + 1, len(parts)]) + part) for i, part in enumerate(parts)))


def claim(width: int, height: int) -> bytes:
    """A small image with a large size in its header: libjpeg fills the rest with grey, slowly."""
    data = flat(64)
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def scans(side: int, count: int) -> bytes:
    """A progressive image that repeats its last scan: some 30 bytes each, but a pass over all blocks."""
    data = flat(side, progressive=True)[:-2]
    last = data[data.rindex(SOS) :]
    return data + last * (count - data.count(SOS)) + EOI


def scans_behind_a_comment(side: int, count: int) -> bytes:
    """The same with a comment before each scan, so that the scans are not one run of equal bytes."""
    data = flat(side, progressive=True)[:-2]
    last = segment(COM, b"scan") + data[data.rindex(SOS) :]
    return data + last * (count - data.count(SOS)) + EOI


def baseline_scans(side: int, count: int) -> bytes:
    """A baseline image with further scans after its first one, which is complete."""
    data = flat(side)[:-2]
    return data + data[data.rindex(SOS) :] * (count - 1) + EOI


def component_scans(side: int, count: int) -> bytes:
    """A baseline image with one component a scan, which repeats the first of them."""
    data = flat(side, mode="L", subsampling=0)[:-2]
    at = data.index(b"\xff\xc0")
    frame = data[at : at + 19]
    three = segment(0xC0, frame[4:9] + b"\3" + b"".join(bytes([i, 0x11, 0]) for i in (1, 2, 3)))
    data = data.replace(frame[:13], three)
    return data + data[data.rindex(SOS) :] * (count - 1) + EOI


def first_scan_only(side: int) -> bytes:
    """A progressive image that ends after its coarsest scan: libjpeg smooths all of it."""
    data = flat(side, progressive=True, subsampling=0)
    first = data.index(SOS)
    return data[: data.index(b"\xff\xc4", first)] + EOI


def arithmetic_scans(side: int, count: int) -> bytes:
    """Progressive with arithmetic coding (ITU-T T.81, annex D): browsers do not show it, libjpeg decodes it.

    A few bytes encode a whole scan, as zeros are read after their end, and unlike in a Huffman scan each block costs
    several decisions. The bytes were found by trial: they cost more than most.
    """
    frame = b"\x08" + struct.pack(">HH", side, side) + b"\3" + b"".join(bytes([i, 0x11, 0]) for i in (1, 2, 3))
    coarse = b"".join(segment(0xDA, bytes([1, i, 0, 0, 0, 0])) + bytes(4) for i in (1, 2, 3))
    fine = [segment(0xDA, bytes([1, i, 0, 1, 63, 0])) + b"\xef\x7f\x00\x7f" for i in (1, 2, 3)]
    head = SOI + segment(0xDB, b"\0" + b"\1" * 64) + segment(0xCA, frame)
    return head + coarse + b"".join(fine[i % 3] for i in range(count - 3)) + EOI


def fill_bytes(count: int) -> bytes:
    return SOI + b"\xff" * count + flat(64)[2:]


def marker_flood(count: int) -> bytes:
    return small(segment(APP1) * count)


def photoshop_flood(size_bytes: int) -> bytes:
    """Blocks of image resources, twelve bytes each, which Pillow walks in Python."""
    block = b"8BIM" + bytes(8)
    full = segment(APP13, b"Photoshop 3.0\0" + block * (65000 // len(block)))
    return small(full * (size_bytes // len(full)))


def multi_picture(count: int) -> bytes:
    """A multi-picture index (CIPA DC-007) that announces `count` pictures and describes none."""
    entries = struct.pack("<HHLL", 0xB001, 4, 1, count) + struct.pack("<HHLL", 0xB002, 7, 16, 8)
    return small(segment(APP2, b"MPF\0II*\0" + struct.pack("<LH", 8, 2) + entries + bytes(4)))


def without(marker: int) -> bytes:
    """The image without its segments of one kind (0xDB: quantisation, 0xC4: Huffman, 0xC0: frame)."""
    data, at, result = flat(64), 2, SOI
    while data[at + 1] != 0xDA:
        size = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        result += data[at : at + size] if data[at + 1] != marker else b""
        at += size
    return result + data[at:]


def frame_changed(old: int, new: int) -> bytes:
    """A frame header of another kind, or with another precision, than the data."""
    return flat(64).replace(bytes([0xFF, old]), bytes([0xFF, new]), 1)


def two_frames() -> bytes:
    """A second frame header, 60000 x 60000, after the first."""
    data = flat(64)
    at = data.index(b"\xff\xc0")
    frame = data[at : at + 19]
    return data[:at] + frame + frame[:5] + struct.pack(">HH", 60000, 60000) + frame[9:] + data[at + 19 :]


def garbled() -> bytes:
    """Invalid entropy-coded data."""
    data = flat(64)
    at = data.rindex(SOS) + 14
    return data[:at] + bytes(i * 73 % 255 for i in range(4000)) + EOI
