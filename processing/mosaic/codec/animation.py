"""Animated GIF, WebP and PNG: their frames, one at a time, as images of the whole canvas."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator

from PIL import Image

from ..errors import DAMAGED, NotAPicture
from .png import SIGNATURE

MAX_FRAMES = 300
MAX_TOTAL_MEGAPIXELS = 60.0
"""Of all frames together. Beyond either limit an animation counts as its first picture."""

_DEFAULT_MS, _SHORTEST_MS = 100, 20  # as browsers show frames of less than that
_MAX_BLOCKS = 100_000


def frame_durations(data: bytes) -> list[int]:
    """Milliseconds of each frame; empty for a file that is not an animation, or one beyond the limits."""
    if data.startswith(b"GIF8") and len(data) > 13:
        size, durations = struct.unpack_from("<HH", data, 6), _gif_durations(data)
    elif data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X" and len(data) > 30:
        sides = int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        size, durations = sides, _webp_durations(data)
    elif data.startswith(SIGNATURE) and len(data) > 33:
        size, durations = struct.unpack_from(">II", data, 16), _png_durations(data)
    else:
        return []
    allowed = min(MAX_FRAMES, MAX_TOTAL_MEGAPIXELS * 1_000_000 // max(1, size[0] * size[1]))
    return [_DEFAULT_MS if ms < _SHORTEST_MS else ms for ms in durations] if 1 < len(durations) <= allowed else []


def read_frames(data: bytes, format: str, count: int, poll: Callable[[], None]) -> Iterator[Image.Image]:
    """The frames as RGBA, each a picture of its own. Raises NotAPicture for a frame that is damaged."""
    try:
        opened = Image.open(io.BytesIO(data), formats=(format,))
        for number in range(count):
            poll()
            opened.seek(number)
            frame = opened.convert("RGBA")
            yield frame
    except (OSError, EOFError, SyntaxError, ValueError, IndexError, MemoryError, struct.error) as error:
        raise NotAPicture(DAMAGED) from error


def _gif_durations(data: bytes) -> list[int]:
    durations: list[int] = []
    position, delay = 13 + _table_bytes(data[10]), 0
    for _ in range(_MAX_BLOCKS):
        kind = data[position : position + 1]
        if kind == b"!":
            if data[position + 1 : position + 3] == b"\xf9\x04":
                delay = 10 * int.from_bytes(data[position + 4 : position + 6], "little")
            position += 2
        elif kind == b"," and position + 10 < len(data):
            durations.append(delay)
            position += 11 + _table_bytes(data[position + 9])
            delay = 0
        else:
            return durations
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
    return []


def _webp_durations(data: bytes) -> list[int]:
    durations: list[int] = []
    position = 12
    while position + 24 <= len(data) and len(durations) <= MAX_FRAMES:
        kind, length = struct.unpack_from("<4sI", data, position)
        if kind == b"ANMF":
            durations.append(int.from_bytes(data[position + 20 : position + 23], "little"))
        position += 8 + length + length % 2
    return durations


def _png_durations(data: bytes) -> list[int]:
    """Empty if the default picture is not the first frame."""
    durations: list[int] = []
    position = len(SIGNATURE)
    while position + 12 <= len(data) and len(durations) <= MAX_FRAMES:
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IDAT" and not durations:
            return []
        if kind == b"fcTL" and length == 26 and position + 34 <= len(data):
            numerator, denominator = struct.unpack_from(">HH", data, position + 28)
            durations.append(1000 * numerator // (denominator or 100))
        position += 12 + length
    return durations


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
