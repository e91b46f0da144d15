"""A cheap look at the bytes before Pillow opens them: refuses files made to cost time.

Pillow walks markers and chunks in Python, and libjpeg decodes the whole picture once per scan; both can be had by
the thousand in a small file. Real photos have 1 to 14 scans and some dozens of segments.
"""

from __future__ import annotations

import re

from .errors import NotAPicture

MAX_SCANS = 100
MAX_SEGMENTS = 2_000
MAX_FILL_BYTES = 65_536
MAX_CHUNKS = 20_000

_JPEG_FILL = re.compile(rb"[\xff\x00]+")
_JPEG_SCAN = b"\xff\xda"
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def scan(data: bytes) -> None:
    """Raises NotAPicture when the structure alone would cost a server its time; says nothing about the rest."""
    if data.startswith(b"\xff\xd8\xff"):
        _scan_jpeg(data)
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        _scan_png(data)
    elif data.startswith(b"GIF8"):
        _scan_gif(data)


def _scan_jpeg(data: bytes) -> None:
    # Entropy-coded data cannot hold FF DA, so the count is an upper bound; embedded data can, so a high one is checked.
    walk_all = data.count(_JPEG_SCAN) > MAX_SCANS
    position, segments, fill, scans = 2, 0, 0, 0
    while position + 4 <= len(data):
        run = _JPEG_FILL.match(data, position)
        if run is None:
            return  # not a marker: Pillow will say so
        position = run.end()
        fill += len(run.group()) - 1
        segments += 1
        if segments > MAX_SEGMENTS or fill > MAX_FILL_BYTES:
            raise NotAPicture("the JPEG holds too many markers")
        kind = data[position] if position < len(data) else 0xD9
        if kind == 0xD9:
            return
        if kind == 0xDA:
            scans += 1
            if scans > MAX_SCANS:
                raise NotAPicture("the JPEG holds too many scans")
            if not walk_all:
                return
            found = _NEXT_MARKER.search(data, position + 1)
            if found is None:
                return
            position = found.start()
            continue
        standalone = 0xD0 <= kind <= 0xD8 or kind == 0x01
        position += 1 if standalone else 1 + int.from_bytes(data[position + 1 : position + 3], "big")


def _scan_png(data: bytes) -> None:
    position, chunks = 8, 0
    while position + 8 <= len(data):
        position += 12 + int.from_bytes(data[position : position + 4], "big")
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise NotAPicture("the PNG holds too many chunks")


def _scan_gif(data: bytes) -> None:
    """Walks the blocks before the first frame; what follows it is never read."""
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
                raise NotAPicture("the GIF holds too many blocks")
        position += 1
        blocks += 1
        if blocks > MAX_CHUNKS:
            raise NotAPicture("the GIF holds too many blocks")
