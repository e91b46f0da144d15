"""A cheap check of a JPEG's or GIF's structure before Pillow opens it: rejects files made to cost processor time.

Pillow walks markers and blocks in Python, and libjpeg decodes the whole image once per scan; a small file can hold
thousands of either. Real photos have 1 to 14 scans and some dozens of segments.
"""

from __future__ import annotations

import re

from ...errors import Message, NotAPicture
from .gif_parts import table_bytes
from .jpeg import FRAMES, PROGRESSIVE, STANDALONE
from .png import MAX_CHUNKS

MAX_SCANS = 32
MAX_SEGMENTS = 2_000
MAX_FILL_BYTES = 65_536
MAX_FRAME_BLOCKS = 200_000  # of a GIF: 51 MB in blocks of the length that encoders write

_JPEG_FILL = re.compile(rb"[\xff\x00]+")
_JPEG_SCAN = b"\xff\xda"
_NEXT_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
_ARITHMETIC = range(0xC9, 0xD0)  # browsers do not support it, and some bytes can encode a whole slow scan
_GIF_EXTENSION, _GIF_FRAME = 0x21, 0x2C


def check_jpeg(data: bytes) -> None:
    """Raises NotAPicture if the structure alone would be expensive to read. Does not validate anything else."""
    position, segments, fill, many_scans, components = 2, 0, 0, False, 0
    while (run := _JPEG_FILL.match(data, position)) is not None:  # no match: not a marker, which Pillow will reject
        position = run.end()
        fill += position - run.start() - 1
        segments += 1
        if segments > MAX_SEGMENTS or fill > MAX_FILL_BYTES:
            raise NotAPicture(Message("the JPEG has too many markers"))
        kind, body = data[position : position + 1], data[position + 1 : position + 9]
        if kind in (b"", b"\xd9") or len(body) < 8:
            return
        if kind == b"\xda":
            if many_scans or body[2] < components:  # libjpeg's own condition for reading on after the first scan
                _count_scans(data, position - 1)
            return
        if kind[0] in _ARITHMETIC:
            raise NotAPicture(Message("the JPEG uses arithmetic coding"))
        if kind[0] in FRAMES:
            many_scans, components = kind[0] in PROGRESSIVE, body[7]
        position += 1 if kind[0] in STANDALONE else 1 + int.from_bytes(body[:2], "big")


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
            raise NotAPicture(Message("the JPEG has too many scans"))
        position += int.from_bytes(data[position : position + 2], "big")


def first_frame_end(data: bytes) -> int:
    """Where the first frame of a GIF ends; the length of the data if it is incomplete. The rest is never decoded.

    Raises NotAPicture for too many blocks before it.
    """
    position = 13 + table_bytes(data, 10)
    blocks = 0
    while position + 2 < len(data) and data[position] in (_GIF_EXTENSION, _GIF_FRAME):
        is_frame = data[position] == _GIF_FRAME
        position += 11 + table_bytes(data, position + 9) if is_frame else 2
        while position < len(data) and data[position]:
            position += 1 + data[position]
            blocks += 1
            if blocks > MAX_FRAME_BLOCKS:
                return len(data)
            if blocks > MAX_CHUNKS and not is_frame:
                raise NotAPicture(Message("the GIF has too many blocks"))
        position += 1
        blocks += 1
        if blocks > MAX_CHUNKS and not is_frame:
            raise NotAPicture(Message("the GIF has too many blocks"))
        if is_frame:
            return min(position, len(data))
    return len(data)
