"""Animated GIF, WebP and PNG: how many frames a file has and how long each is shown."""

from __future__ import annotations

import struct

from .formats.apng import png_parts
from .formats.frame_parts import FramePart
from .formats.gif_parts import gif_parts
from .formats.png import SIGNATURE

MAX_FRAMES = 300
MAX_TOTAL_MEGAPIXELS = 60.0
"""Of all frames together. Beyond either limit an animation counts as its first picture."""

_DEFAULT_MS, _SHORTEST_MS = 100, 20  # as browsers show frames of less than that


def frame_durations(data: bytes) -> list[int]:
    """Milliseconds of each frame; empty for a file that is not an animation, or one beyond the limits."""
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X" and len(data) > 30:
        size = int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        durations = _webp_durations(data)
        pixels = len(durations) * size[0] * size[1]
    else:
        size, parts = frame_parts(data)
        durations = [part.duration_ms for part in parts]
        pixels = sum(max(size[0] * size[1], part.width * part.height) for part in parts)
    if not 1 < len(durations) <= MAX_FRAMES or pixels > MAX_TOTAL_MEGAPIXELS * 1_000_000:
        return []
    return [_DEFAULT_MS if ms < _SHORTEST_MS else ms for ms in durations]


def frame_parts(data: bytes) -> tuple[tuple[int, int], list[FramePart]]:
    """Width and height of the canvas of a GIF or PNG, and its frames, at most one more than MAX_FRAMES; none of a file
    that is not an animation."""
    if data.startswith(b"GIF8") and len(data) > 13:
        return gif_parts(data, MAX_FRAMES + 1)
    if data.startswith(SIGNATURE) and len(data) > 33:
        width, height = struct.unpack_from(">II", data, 16)
        return (width, height), png_parts(data, MAX_FRAMES + 1)
    return (0, 0), []


def _webp_durations(data: bytes) -> list[int]:
    durations: list[int] = []
    position = 12
    while position + 24 <= len(data) and len(durations) <= MAX_FRAMES:
        kind, length = struct.unpack_from("<4sI", data, position)
        if kind == b"ANMF":
            durations.append(int.from_bytes(data[position + 20 : position + 23], "little"))
        position += 8 + length + length % 2
    return durations
