"""A cheap check of a file's structure before Pillow opens it: rejects files made to cost processor time.

Pillow walks markers and chunks in Python, and libjpeg decodes the whole image once per scan; a small file can hold
thousands of either. Real photos have 1 to 14 scans and some dozens of segments.
"""

from __future__ import annotations

import re

from ..errors import NotAPicture

MAX_SCANS = 32
MAX_SEGMENTS = 2_000
MAX_FILL_BYTES = 65_536
MAX_CHUNKS = 20_000

_JPEG_FILL = re.compile(rb"[\xff\x00]+")
_JPEG_SCAN = b"\xff\xda"
_NEXT_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ARITHMETIC = range(0xC9, 0xD0)  # browsers do not support it, and some bytes can encode a whole slow scan
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}


def check_structure(data: bytes) -> None:
    """Raises NotAPicture if the structure alone would be expensive to read. Does not validate anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        _check_jpeg(data)
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        _check_png(data)
    elif data.startswith(b"GIF8"):
        _check_gif(data)


def _check_jpeg(data: bytes) -> None:
    position, segments, fill, many_scans, components = 2, 0, 0, False, 0
    while (run := _JPEG_FILL.match(data, position)) is not None:  # no match: not a marker, which Pillow will reject
        position = run.end()
        fill += position - run.start() - 1
        segments += 1
        if segments > MAX_SEGMENTS or fill > MAX_FILL_BYTES:
            raise NotAPicture("the JPEG has too many markers")
        kind, body = data[position : position + 1], data[position + 1 : position + 9]
        if kind in (b"", b"\xd9") or len(body) < 8:
            return
        if kind == b"\xda":
            if many_scans or body[2] < components:  # libjpeg's own condition for reading on after the first scan
                _count_scans(data, position - 1)
            return
        if kind[0] in _ARITHMETIC:
            raise NotAPicture("the JPEG uses arithmetic coding")
        if kind[0] in _FRAMES:
            many_scans, components = kind[0] in _PROGRESSIVE, body[7]
        position += 1 if kind[0] in _STANDALONE else 1 + int.from_bytes(body[:2], "big")


def _count_scans(data: bytes, position: int) -> None:
    # Entropy-coded data cannot contain FF DA, but segments between scans can: only a high count is parsed exactly.
    if data.count(_JPEG_SCAN, position) <= MAX_SCANS:
        return
    scans = segments = 0
    while (marker := _NEXT_MARKER.search(data, position)) is not None:
        kind, position = data[marker.end() - 1], marker.end()
        scans, segments = scans + (kind == 0xDA), segments + 1
        if kind == 0xD9:
            return
        if scans > MAX_SCANS or segments > MAX_SEGMENTS:
            raise NotAPicture("the JPEG has too many scans")
        position += int.from_bytes(data[position : position + 2], "big")


def _check_png(data: bytes) -> None:
    position, chunks = 8, 0
    while position + 8 <= len(data):
        position += 12 + int.from_bytes(data[position : position + 4], "big")
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise NotAPicture("the PNG has too many chunks")


def _check_gif(data: bytes) -> None:
    """Counts the blocks before the first frame; the rest of the file is not read."""
    if len(data) < 13:
        return
    position = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    blocks = 0
    while position + 2 < len(data) and data[position] == 0x21:
        position += 2
        while position < len(data) and data[position]:
            position += 1 + data[position]
            blocks += 1
            if blocks > MAX_CHUNKS:
                raise NotAPicture("the GIF has too many blocks")
        position += 1
        blocks += 1
        if blocks > MAX_CHUNKS:
            raise NotAPicture("the GIF has too many blocks")
