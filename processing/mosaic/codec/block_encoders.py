"""A PNG of square blocks, written without going through its pixels.

The first row of each row of blocks is zero but for the blocks' first pixels (filter Sub); the rows below repeat it
(filter Up: all zero), so that their compressed form is one ready-made fragment. The fragments end in full flushes,
which make each of them independent of what stands before it (RFC 1950, RFC 1951; PNG specification, section 9).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from ..colour.srgb import Colours
from ..progress import Stage

_SUB, _UP = b"\x01", b"\x02"
_ADLER = 65_521


def write_png(colours: Colours, side: int, size: tuple[int, int], stage: Stage) -> bytes:
    """colours: (rows, columns, 3) of blocks of `side` pixels, cut to size (width, height). 8-bit RGB, exact."""
    width, height = size
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    image = b"".join(_deflated(colours, side, size, stage))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", image) + _chunk(b"IEND", b"")


def _deflated(colours: Colours, side: int, size: tuple[int, int], stage: Stage) -> Iterator[bytes]:
    width, height = size
    steps = colours.copy()
    steps[:, 1:] -= colours[:, :-1]  # wraps, as the filter does
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15, strategy=zlib.Z_RLE)  # a row is runs of zeros
    checksum, fills = 1, {}
    yield b"\x78\x9c"
    for index, row in enumerate(steps):
        line = np.zeros((width, 3), np.uint8)
        line[::side] = row
        raw = _SUB + line.tobytes()
        checksum = zlib.adler32(raw, checksum)
        yield deflate.compress(raw) + deflate.flush(zlib.Z_FULL_FLUSH)
        below = min(side, height - index * side) - 1
        if below not in fills:
            fills[below] = _fill(width, below)
        fragment, fill_sum, fill_size = fills[below]
        checksum = _joined(checksum, fill_sum, fill_size)
        yield fragment
        stage((index + 1) / len(steps))
    yield deflate.flush(zlib.Z_FINISH) + struct.pack(">I", checksum)


def _fill(width: int, rows: int) -> tuple[bytes, int, int]:
    """Rows that repeat the one above: their compressed form, checksum and length."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    line, parts, checksum = _UP + bytes(3 * width), [], 1
    for _ in range(rows):
        parts.append(deflate.compress(line))
        checksum = zlib.adler32(line, checksum)
    return b"".join(parts) + deflate.flush(zlib.Z_FULL_FLUSH), checksum, rows * len(line)


def _joined(first: int, second: int, length: int) -> int:
    """The Adler-32 of two strings from theirs; length: of the second one, in bytes."""
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return (high % _ADLER) << 16 | low % _ADLER


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
