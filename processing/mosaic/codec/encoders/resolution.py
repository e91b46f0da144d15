"""The print resolution, written into a finished file. The pixels stay as they are."""

from __future__ import annotations

import re
import struct
import zlib

from ...units import MM_PER_INCH

_PNG_HEADER_END = 33  # the signature and IHDR, always the first chunk
_JFIF = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"  # as libjpeg and our own encoder begin a file
_JFIF_UNIT = 13


def write_resolution(data: bytes, format: str, dpi: int) -> bytes:
    """The file with the resolution in dots per inch: pHYs of a PNG, JFIF density of a JPEG, size in mm of an SVG.

    A WebP has no field for it and stays unchanged.
    """
    if format == "png":
        per_metre = round(dpi / MM_PER_INCH * 1000)
        body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        if data.startswith(chunk, _PNG_HEADER_END):  # a large file need not be copied
            return data
        return b"".join((data[:_PNG_HEADER_END], chunk, memoryview(data)[_PNG_HEADER_END:]))
    if format == "jpeg" and data.startswith(_JFIF):
        density = struct.pack(">BHH", 1, dpi, dpi)
        if data.startswith(density, _JFIF_UNIT):
            return data
        return b"".join((data[:_JFIF_UNIT], density, memoryview(data)[_JFIF_UNIT + len(density) :]))
    if format == "svg":
        return re.sub(rb' (width|height)="(\d+)"', lambda side: _in_mm(side, dpi), data, count=2)
    return data


def _in_mm(side: re.Match[bytes], dpi: int) -> bytes:
    length = int(side[2]) / dpi * MM_PER_INCH
    return b' %s="%.2fmm"' % (side[1], length)
