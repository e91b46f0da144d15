"""Hostile EXIF, XMP and colour profiles, for any of the formats."""

from __future__ import annotations

import struct

ORIENTATION, GPS_IFD, EXIF_IFD, MAKER_NOTE = 0x0112, 0x8825, 0x8769, 0x927C
SHORT, LONG, UNDEFINED = 3, 4, 7

Entry = tuple[int, int, int, int]  # tag, type, count, value or offset


def exif(entries: list[Entry], tail: bytes = b"", next_ifd: int = 0) -> bytes:
    """A little-endian TIFF with one directory; `tail` begins right behind it."""
    directory = b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<LH", 8, len(entries)) + directory + struct.pack("<L", next_ifd) + tail


def orientation(value: int) -> bytes:
    return exif([(ORIENTATION, SHORT, 1, value)])


def gps() -> bytes:
    """48°51'30" north, 2°17'40" east."""
    position = struct.pack("<HHHLL", 2, 1, 2, 2, ord("N")) + struct.pack("<HHLL", 2, 5, 3, 26 + 8 + 30)
    degrees = struct.pack("<6L", 48, 1, 51, 1, 30, 1)
    return exif([(GPS_IFD, LONG, 1, 26)], position + struct.pack("<L", 0) + degrees)


def exif_loop() -> bytes:
    """A directory that refers to itself as the next directory and as its own sub-directory."""
    return exif([(EXIF_IFD, LONG, 1, 8), (GPS_IFD, LONG, 1, 8), (ORIENTATION, SHORT, 1, 6)], next_ifd=8)


def exif_overlap(tags: int, size_bytes: int) -> bytes:
    """Every tag refers to the same `size_bytes` bytes: `tags` times as many if each is copied."""
    return exif([(tag, UNDEFINED, size_bytes, 0) for tag in range(1, tags)], bytes(size_bytes))


def exif_many_tags() -> bytes:
    return exif([(tag, SHORT, 1, 1) for tag in range(65535)])


def xmp_laughs() -> bytes:
    """A billion laughs: nested entities that an XML parser would expand."""
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'
    return (head + '<x:xmpmeta xmlns:x="adobe:ns:meta/">&l9;</x:xmpmeta>').encode()


def profile(tags: dict[bytes, bytes], space: bytes = b"RGB ", connection: bytes = b"XYZ ") -> bytes:
    """An ICC profile, version 4.3, of a monitor. Equal tags share their bytes."""
    offset, table, body = 132 + 12 * len(tags), b"", b"".join(dict.fromkeys(tags.values()))
    for name, data in tags.items():
        table += name + struct.pack(">LL", offset + body.index(data), len(data))
    head = struct.pack(">L4sL4s4s4s", offset + len(body), b"lcms", 0x04300000, b"mntr", space, connection)
    head += struct.pack(">6H4s4s", 2026, 1, 1, 0, 0, 0, b"acsp", b"MSFT").ljust(44, b"\0")
    head += struct.pack(">3L", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + struct.pack(">L", len(tags)) + table + body


def profile_of_stages(count: int) -> bytes:
    """A chain of curves that share the same few bytes: small in the file, 4096 samples each in memory."""
    elements_at, curve_at = 16 + 8 * count, 12 + 3 * 8  # the second counts from the element's start
    segment = b"parf" + struct.pack(">LHH4f", 0, 0, 0, 1.01, 1.0, 0.0, 0.0)
    curve = b"curf" + struct.pack(">LHH", 0, 1, 0) + segment
    element = b"cvst" + struct.pack(">LHH", 0, 3, 3) + struct.pack(">LL", curve_at, len(curve)) * 3
    places = struct.pack(">LL", elements_at, len(element) + len(curve)) * count
    stages = b"mpet" + struct.pack(">LHHL", 0, 3, 3, count) + places + element + curve
    return profile({b"D2B0": stages, b"D2B1": stages})


def profile_of_table(grid: int) -> bytes:
    """A colour table of grid^3 points in an A2B0 tag of type mft2: 6 bytes a point."""
    identity = struct.pack(">9l", *(65536 * (i % 4 == 0) for i in range(9)))
    head = struct.pack(">4sLBBBB", b"mft2", 0, 3, 3, grid, 0) + identity
    ramp = struct.pack(">2H", 0, 65535) * 3
    table = head + struct.pack(">HH", 2, 2) + ramp + bytes(6 * grid**3) + ramp
    return profile({b"A2B0": table, b"A2B1": table}, connection=b"Lab ")
