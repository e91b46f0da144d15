"""Small animations, written byte by byte."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from PIL import Image

from tests.processing.mosaic.codec.files import png_chunk, saved

KEEP, CLEAR, RESTORE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A square in one colour at a place of its canvas."""

    colour: tuple[int, ...]
    left: int = 0
    top: int = 0
    side: int = 8
    disposal: int = KEEP
    over: bool = False

    @property
    def pixels(self) -> bytes:
        return zlib.compress((b"\0" + bytes(self.colour) * self.side) * self.side)


def apng(*frames: Frame, apart: Frame | None = None, chunks: bytes = b"", sequence: int = 0, side: int = 8) -> bytes:
    """Of side x side pixels, RGB or RGBA. apart: the default picture where it is none of the frames; else the first
    frame is. chunks: before the pixels. sequence: the number of the first chunk, which should be 0."""
    kind = {3: 2, 4: 6}[len(frames[0].colour)]
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, kind, 0, 0, 0))
    parts = [header, chunks, png_chunk(b"acTL", struct.pack(">II", len(frames), 0))]
    parts += [png_chunk(b"IDAT", apart.pixels)] if apart is not None else []
    for number, frame in enumerate(frames):
        place = (frame.side, frame.side, frame.left, frame.top, 1, 10, frame.disposal, frame.over)
        parts.append(png_chunk(b"fcTL", struct.pack(">5I2H2B", sequence, *place)))
        sequence += 1
        if number == 0 and apart is None:
            parts.append(png_chunk(b"IDAT", frame.pixels))
        else:
            parts.append(png_chunk(b"fdAT", struct.pack(">I", sequence) + frame.pixels))
            sequence += 1
    return b"\x89PNG\r\n\x1a\n" + b"".join([*parts, png_chunk(b"IEND", b"")])


def gif(*frames: Frame, side: int = 8) -> bytes:
    """Of side x side pixels. The first frame has the colour table of the whole file, each other one its own."""
    parts = []
    for frame in frames:
        image = Image.new("P", (frame.side, frame.side), 1)
        image.putpalette([0, 0, 0, *frame.colour, 2, 2, 2, 3, 3, 3])
        still = saved(image, "GIF", optimize=False)
        flags, table = still[10:11], still[13 : 13 + (3 << ((still[10] & 7) + 1))]
        pixels = still[still.index(b",", 13 + len(table)) + 10 : -1]
        own = flags + table if parts else b"\0"
        if not parts:
            parts.append(b"GIF89a" + struct.pack("<HH", side, side) + flags + bytes(2) + table)
        parts.append(b"!\xf9\x04" + struct.pack("<BHBB", (frame.disposal + 1) << 2, 10, 0, 0))
        parts.append(b"," + struct.pack("<4H", frame.left, frame.top, frame.side, frame.side) + own + pixels)
    return b"".join(parts) + b";"
