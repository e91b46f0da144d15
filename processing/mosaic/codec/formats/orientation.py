"""Orientation: the only place that decides how a file is turned.

The rule follows the formats' standards, as browsers do: JPEG by the first APP1 segment with EXIF, PNG by the first
`eXIf` chunk before the pixels, WebP by its `EXIF` chunk. The tag must be one SHORT from 1 to 8. Orientation in XMP or
in a text chunk is ignored. HEIF and AVIF are turned by the properties `irot` and `imir`; EXIF in them is ignored.

Chromium ignores the EXIF of WebP. Coordinates that a person draws must therefore refer to pixels of this decoder, or
to pixels stored in a file without orientation.
"""

from __future__ import annotations

import struct

from .jpeg import segments
from .png import PngFile

_ORIENTATION, _SHORT = 274, 3
_APP1 = 0xE1


def jpeg_orientation(data: bytes) -> int:
    for segment in segments(data):
        if segment.marker == _APP1 and data.startswith(b"Exif\0", segment.start):
            return _exif_orientation(data[segment.start + 6 : segment.end])  # the sixth byte pads
    return 1


def png_orientation(png: PngFile) -> int:
    return _exif_orientation(png.chunks.get(b"eXIf", b""))


def webp_orientation(data: bytes) -> int:
    position = 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if kind == b"EXIF":
            return _exif_orientation(data[position + 8 : position + 8 + length].removeprefix(b"Exif\0\0"))
        position += 8 + length + length % 2
    return 1


def _exif_orientation(exif: bytes) -> int:
    """Of the first directory. exif: a TIFF header and what follows (Exif 2.32, 4.6)."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return 1
    (directory,) = struct.unpack_from(order + "I", exif, 4)
    entries = exif[directory + 2 :] if directory + 2 <= len(exif) else b""
    count = struct.unpack_from(order + "H", exif, directory)[0] if entries else 0
    for entry in range(min(count, len(entries) // 12)):
        tag, kind, values, value = struct.unpack_from(order + "HHIH", entries, 12 * entry)
        if tag == _ORIENTATION:
            return value if kind == _SHORT and values == 1 and 1 <= value <= 8 else 1
    return 1
