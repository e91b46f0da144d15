"""The frames of a GIF as parts (GIF89a specification, sections 18 to 23)."""

from __future__ import annotations

import struct
from functools import partial

from .frame_parts import CLEAR, KEEP, RESTORE, FramePart

_MAX_BLOCKS = 100_000
_DISPOSALS = {2: CLEAR, 3: RESTORE, 4: RESTORE}  # others leave the part; 4 as browsers understand it
_NO_CONTROL = b"\0\0\0\0"


def gif_parts(data: bytes, most: int) -> tuple[tuple[int, int], list[FramePart]]:
    """Width and height of the canvas, and at most `most` frames. A first frame beyond the canvas enlarges it."""
    parts: list[FramePart] = []
    size: tuple[int, int] = struct.unpack_from("<HH", data, 6)
    position, control = 13 + table_bytes(data, 10), _NO_CONTROL
    for _ in range(_MAX_BLOCKS):
        kind, start = data[position : position + 1], position
        if kind == b"!":
            if data[position + 1 : position + 3] == b"\xf9\x04":
                control = data[position + 3 : position + 7].ljust(4, b"\0")
            position += 2
        elif kind == b"," and position + 10 < len(data) and len(parts) < most:
            position += 11 + table_bytes(data, position + 9)
        else:
            break
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
        if kind == b",":
            parts.append(_part(data, start, position, control))
            control = _NO_CONTROL
    else:
        return size, []
    if parts:
        size = max(size[0], parts[0].left + parts[0].width), max(size[1], parts[0].top + parts[0].height)
    return size, parts


def _part(data: bytes, start: int, end: int, control: bytes) -> FramePart:
    """control: flags, delay and transparent index of the graphic control extension before the frame."""
    left, top, width, height = struct.unpack_from("<4H", data, start + 1)
    delay = int.from_bytes(control[1:3], "little")
    disposal = _DISPOSALS.get(control[0] >> 2 & 7, KEEP)
    return FramePart(left, top, width, height, 10 * delay, disposal, True, partial(_still, data, start, end, control))


def _still(data: bytes, start: int, end: int, control: bytes) -> bytes:
    """A GIF of one frame that fills its canvas, with the one colour table that it uses."""
    size, screen = data[start + 5 : start + 9], data[10 : 13 + table_bytes(data, 10)]
    if table_bytes(data, start + 9):
        screen = bytes(3)
    return b"GIF89a" + size + screen + b"!\xf9\x04" + control + b"\0," + bytes(4) + size + data[start + 9 : end] + b";"


def table_bytes(data: bytes, position: int) -> int:
    """The size of the colour table that the flags at this position announce."""
    flags = data[position] if position < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
