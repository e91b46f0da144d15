"""PNG and JPEG written strip by strip, so that a poster is never in memory as a whole.

PNG: filter Up, one IDAT chunk for each strip (PNG specification, section 9). JPEG: each strip is encoded as a picture
of its own, and their entropy-coded data are joined by restart markers, at which a decoder resets (ITU-T T.81,
B.2.1).
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Protocol

import numpy as np
from PIL import Image

from ..colour.pixels import pixels
from .encode import encode_jpeg
from .png import SIGNATURE

STRIP_ROWS = 128
"""Of all strips but the last: 16 rows of 8 x 8 blocks, whose number, the restart interval, must be below 65,536."""

_COLOUR_TYPES = {"RGB": 2, "RGBA": 6}
_PNG_LEVEL = 1


class StripEncoder(Protocol):
    """Takes the strips of a picture from top to bottom."""

    def add(self, strip: Image.Image) -> None: ...

    def finish(self) -> bytes:
        """The file; called once, after the last strip."""
        ...


class PngStrips:
    """mode: RGB or RGBA."""

    def __init__(self, size: tuple[int, int], mode: str) -> None:
        self._file, self._mode = io.BytesIO(), mode
        self._deflate = zlib.compressobj(_PNG_LEVEL)
        self._above = np.zeros((1, size[0], len(mode)), np.uint8)
        self._file.write(SIGNATURE)
        self._write_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, _COLOUR_TYPES[mode], 0, 0, 0))

    def add(self, strip: Image.Image) -> None:
        rows = pixels(strip)[..., : len(self._mode)]
        filtered = np.empty((len(rows), 1 + rows[0].size), np.uint8)
        filtered[:, 0] = 2
        differences = filtered[:, 1:].reshape(rows.shape)
        np.subtract(rows[:1], self._above, out=differences[:1])
        np.subtract(rows[1:], rows[:-1], out=differences[1:])
        self._above = rows[-1:].copy()
        self._write_chunk(b"IDAT", self._deflate.compress(filtered.data))

    def finish(self) -> bytes:
        self._write_chunk(b"IDAT", self._deflate.flush())
        self._write_chunk(b"IEND", b"")
        return self._file.getvalue()

    def _write_chunk(self, kind: bytes, body: bytes) -> None:
        self._file.write(struct.pack(">I", len(body)) + kind)
        self._file.write(body)
        self._file.write(struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))))


class JpegStrips:
    """Equal to what `encode_jpeg` writes, but for the restart markers."""

    def __init__(self, size: tuple[int, int], quality: int) -> None:
        self._file, self._size, self._quality, self._count = io.BytesIO(), size, quality, 0

    def add(self, strip: Image.Image) -> None:
        head, scan = _split_jpeg(encode_jpeg(strip, self._quality))
        if self._count == 0:
            self._file.write(self._with_restarts(head))
        else:
            self._file.write(bytes((0xFF, 0xD0 + (self._count - 1) % 8)))
        self._file.write(scan)
        self._count += 1

    def finish(self) -> bytes:
        self._file.write(b"\xff\xd9")
        return self._file.getvalue()

    def _with_restarts(self, head: bytes) -> bytes:
        """The first strip's head with the height of the whole picture and the restart interval."""
        frame = head.index(b"\xff\xc0")
        height_at, start_of_scan = frame + 5, head.rindex(b"\xff\xda")
        interval = -(-self._size[0] // 8) * (STRIP_ROWS // 8)
        restarts = struct.pack(">HHH", 0xFFDD, 4, interval)
        resized = head[:height_at] + struct.pack(">H", self._size[1]) + head[height_at + 2 :]
        return resized[:start_of_scan] + restarts + resized[start_of_scan:]


def _split_jpeg(data: bytes) -> tuple[bytes, memoryview]:
    """Everything up to and with the start of scan, and the entropy-coded data, without the end marker."""
    position = 2
    while data[position + 1] != 0xDA:
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return data[:position], memoryview(data)[position:-2]
