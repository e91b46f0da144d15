"""PNG, JPEG and WebP written strip by strip, so that no poster's pixels are in memory as a whole.

JPEG: each strip is encoded as a picture of its own, and the entropy-coded data of rows of 8 x 8 blocks are joined by
restart markers, at which a decoder resets (ITU-T T.81, B.2.1). PNG: see png.py; WebP: webp.py.
"""

from __future__ import annotations

import re
import struct
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...colour.pixels import pixels
from .encode import encode_jpeg
from .file_buffer import FileBuffer
from .png import PngStrips
from .resolution import write_resolution
from .webp import WebpStrips

STRIP_ROWS = 128
"""Of all strips but the last: 16 rows of 8 x 8 blocks."""
BLOCK = 8
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_COMPARED_STEP = 997


class StripEncoder(Protocol):
    """Takes the strips of a picture from top to bottom."""

    def add(self, strip: Image.Image) -> None: ...

    def finish(self) -> bytes:
        """The file; called once, after the last strip."""
        ...


def strip_encoder(size: tuple[int, int], mode: str, format: str, quality: int, dpi: int | None) -> StripEncoder:
    """format: jpeg, png or webp. mode: RGB or RGBA."""
    if format == "webp":
        return WebpStrips(size, mode, quality)
    return JpegStrips(size, quality, dpi) if format == "jpeg" else PngStrips(size, mode, dpi)


class JpegStrips:
    """Equal to what `encode_jpeg` writes, but for the restart markers, one after each row of blocks: a row that equals
    the one above, as inside large cells, is the same bytes again."""

    def __init__(self, size: tuple[int, int], quality: int, dpi: int | None = None) -> None:
        self._file, self._size, self._quality, self._dpi, self._count = FileBuffer(size), size, quality, dpi, 0
        self._pixels_above: NDArray[np.uint8] | None = None
        self._row_above = b""

    def add(self, strip: Image.Image) -> None:
        self.add_rows(*self._distinct(strip))

    def add_rows(self, distinct: Image.Image | None, rows: NDArray[np.intp]) -> None:
        """distinct: rows of blocks; rows: for each row of the picture which of them it is, from 1; 0 is the last one
        that was added before."""
        parts: list[bytes] = []
        if distinct is not None:
            head, scan = _split_jpeg(encode_jpeg(distinct, self._quality, restarts=True))
            parts = _RESTART.split(scan)
            if self._count == 0:
                self._file.write(self._resized(head))
        parts = [self._row_above, *parts]
        for row in rows.tolist():
            if self._count:
                self._file.write(bytes((0xFF, 0xD0 + (self._count - 1) % 8)))
            self._file.write(parts[row])
            self._count += 1
        self._row_above = parts[-1]

    def finish(self) -> bytes:
        self._file.write(b"\xff\xd9")
        return self._file.finish()

    def _distinct(self, strip: Image.Image) -> tuple[Image.Image | None, NDArray[np.intp]]:
        """The strip without rows of blocks that equal the one above; see `add_rows`."""
        blocks, width = -(-strip.height // BLOCK), strip.width
        values = pixels(strip).reshape(-1, BLOCK * width * 4) if strip.height % BLOCK == 0 else None
        if values is None:
            return strip, np.arange(1, blocks + 1)
        above = np.zeros_like(values[:1]) if self._pixels_above is None else self._pixels_above
        new = np.append((values[:1] != above).any() or self._count == 0, _differ(values[1:], values[:-1]))
        self._pixels_above = values[-1:].copy()
        rows = np.cumsum(new)
        if new.all():
            return strip, rows
        if not new.any():
            return None, rows
        remaining = values[new]
        size, mode = (width, BLOCK * len(remaining)), {"RGB": "RGBX"}.get(strip.mode, strip.mode)
        return Image.frombuffer(mode, size, remaining, "raw", mode, 0, 1), rows

    def _resized(self, head: bytes) -> bytes:
        """The JPEG header of the first strip, changed to state the height of the whole picture and its resolution."""
        head = head if self._dpi is None else write_resolution(head, "jpeg", self._dpi)
        height_at = head.index(b"\xff\xc0") + 5
        return head[:height_at] + struct.pack(">H", self._size[1]) + head[height_at + 2 :]


def _differ(rows: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n,): whether two rows differ. Most do at one of some hundred places, which are compared first."""
    differ: NDArray[np.bool_] = (rows[:, ::_COMPARED_STEP] != others[:, ::_COMPARED_STEP]).any(axis=1)
    for row in np.flatnonzero(~differ).tolist():
        differ[row] = not np.array_equal(rows[row].view(np.uint32), others[row].view(np.uint32))
    return differ


def _split_jpeg(data: bytes) -> tuple[bytes, bytes]:
    """Everything up to and with the start of scan, and the entropy-coded data, without the end marker."""
    position = 2
    while data[position + 1] != 0xDA:
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return data[:position], data[position:-2]
