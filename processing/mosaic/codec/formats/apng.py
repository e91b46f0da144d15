"""The frames of an animated PNG as parts (PNG, third edition, 11.3.6: `acTL`, `fcTL`, `fdAT`)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ...errors import DAMAGED, Message, NotAPicture
from .frame_parts import CLEAR, KEEP, RESTORE, FramePart
from .png import MAX_CHUNKS, SIGNATURE

_DISPOSALS = {0: KEEP, 1: CLEAR, 2: RESTORE}
_SHARED = {b"PLTE", b"tRNS", b"cICP", b"cLLI", b"mDCV", b"iCCP", b"sRGB", b"gAMA", b"cHRM"}

_IHDR_END = 33
_CONTROL_BYTES = 26

PngChunk = tuple[bytes, int, int]
"""Kind, start and end of the data."""


def first_frame(data: bytes) -> FramePart | None:
    """The first frame of an animation whose default picture, the one that other readers show, is none of its frames.

    None for every other PNG. Browsers show the frame and never that picture.
    """
    frames = _frames(data, 1) if b"acTL" in data else []
    return frames[0].part if frames and frames[0].apart else None


def png_parts(data: bytes, most: int) -> list[FramePart]:
    """At most `most` frames; none of a PNG that is not animated, or whose control chunks contradict the standard."""
    return [frame.part for frame in _frames(data, most)]


@dataclass(frozen=True, slots=True)
class _Frame:
    """apart: its pixels are not those of the default picture."""

    part: FramePart
    apart: bool


def _frames(data: bytes, most: int) -> list[_Frame]:
    shared: list[PngChunk] = []
    controls: list[PngChunk] = []
    pixels: list[list[PngChunk]] = []
    announced, sequence, has_default = 0, 0, False
    for chunk in _chunks(data):
        kind, start, end = chunk
        if kind == b"acTL" and end - start == 8 and not has_default:
            announced = int.from_bytes(data[start : start + 4], signed=True)
            if announced < 1:  # neither 0 nor 2**31 and more is a number of frames
                return []
        elif kind in (b"fcTL", b"fdAT"):
            if len(controls) == min(announced, most) and kind == b"fcTL":
                break
            if int.from_bytes(data[start : start + 4]) != sequence or (kind == b"fdAT" and not controls):
                return []
            sequence += 1
            if kind == b"fcTL":
                controls.append(chunk)
                pixels.append([])
            else:
                pixels[-1].append(chunk)
        elif kind == b"IDAT":
            has_default = True
            if pixels:
                pixels[-1].append(chunk)
        elif kind in _SHARED and not has_default:
            shared.append(chunk)
    canvas: tuple[int, int] = struct.unpack_from(">II", data, 16)
    frames = []
    for control, own in zip(controls, pixels, strict=True):
        if not own or (part := _part(data, canvas, shared, control, own)) is None:
            return []
        frames.append(_Frame(part, apart=own[0][0] == b"fdAT"))
    return frames


def _part(
    data: bytes, canvas: tuple[int, int], shared: Sequence[PngChunk], control: PngChunk, pixels: Sequence[PngChunk]
) -> FramePart | None:
    """None for a part that is not on the canvas."""
    _, start, end = control
    if end - start != _CONTROL_BYTES:
        return None
    width, height, left, top, numerator, denominator, disposal, over = struct.unpack_from(">4I2H2B", data, start + 4)
    if not (0 < width <= canvas[0] - left and 0 < height <= canvas[1] - top):
        return None
    duration_ms = 1000 * numerator // (denominator or 100)
    file = partial(_still, data, (width, height), shared, pixels)
    return FramePart(left, top, width, height, duration_ms, _DISPOSALS.get(disposal, KEEP), over == 1, file)


def _still(data: bytes, size: tuple[int, int], shared: Sequence[PngChunk], pixels: Sequence[PngChunk]) -> bytes:
    """A PNG of one frame alone."""
    header = struct.pack(">II", *size) + data[24:29]
    parts = [SIGNATURE, _chunk(b"IHDR", header), *(data[start - 8 : end + 4] for _, start, end in shared)]
    for kind, start, end in pixels:
        if zlib.crc32(memoryview(data)[start - 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise NotAPicture(DAMAGED)
        parts.append(data[start - 8 : end + 4] if kind == b"IDAT" else _chunk(b"IDAT", data[start + 4 : end]))
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def _chunks(data: bytes) -> Iterator[PngChunk]:
    """Those after IHDR and before IEND. Raises NotAPicture for too many."""
    position = _IHDR_END
    for _ in range(MAX_CHUNKS):
        if position + 12 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IEND":
            return
        yield kind, position + 8, min(position + 8 + length, len(data) - 4)
        position += 12 + length
    raise NotAPicture(Message("the PNG has too many chunks"))
