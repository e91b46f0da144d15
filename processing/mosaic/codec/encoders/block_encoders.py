"""PNG and JPEG of flat square blocks, encoded without going through their pixels.

PNG: the first row of each row of blocks is zero except for the first pixel of each block (filter Sub); the rows below
repeat it (filter Up: all zero), so their compressed form is one precomputed fragment. Fragments end in full flushes,
which makes them independent of the data before them (RFC 1950, RFC 1951; PNG specification, section 9).

JPEG: a flat 8 x 8 block is its DC coefficient and nothing else, so the file is a sequence of differences and
end-of-block codes (ITU-T T.81, annex F.1.2). Every row of 8 x 8 blocks begins at a restart marker, so that repeated
rows are the same bytes. No chroma subsampling; the quality sets the step of the DC coefficient as libjpeg does.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...colour.srgb import Colours
from ...progress import Progress, pieces

_SUB, _UP = b"\x01", b"\x02"
_ADLER_MODULUS = 65_521

_RGB_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
_OFFSET = np.array([128.0, 0.0, 0.0])

# Our Huffman code of DC differences, by their bit length 0 to 11: no difference is one bit, as is the end of a block.
_DC_ORDER = (0, 5, 4, 6, 3, 7, 2, 8, 1, 9, 10, 11)
_DC_COUNTS = (1, 0, 0, 6, 2, 3)  # codes of 1 to 6 bits
_WORD_BITS = 64  # three codes have at most 54
_PIECE_BLOCKS = 1 << 16  # packed at once


def encode_block_png(colours: Colours, side: int, size: tuple[int, int], progress: Progress) -> bytes:
    """An 8-bit RGB PNG, exact.

    colours: (rows, columns, 3) of blocks of `side` pixels, cropped to size (width, height).
    """
    width, height = size
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    image = b"".join(_deflate_rows(colours, side, size, progress))
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", image) + _png_chunk(b"IEND", b"")


def _deflate_rows(colours: Colours, side: int, size: tuple[int, int], progress: Progress) -> Iterator[bytes]:
    width, height = size
    steps = colours.copy()
    steps[:, 1:] -= colours[:, :-1]  # wraps around, as the filter does
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15, strategy=zlib.Z_RLE)  # a row is runs of zeros
    checksum, repeats = 1, {}
    yield b"\x78\x9c"
    for index, row in enumerate(steps):
        pixels = np.zeros((width, 3), np.uint8)
        pixels[::side] = row
        raw = _SUB + pixels.tobytes()
        checksum = zlib.adler32(raw, checksum)
        yield deflate.compress(raw) + deflate.flush(zlib.Z_FULL_FLUSH)
        rows_below = min(side, height - index * side) - 1
        if rows_below not in repeats:
            repeats[rows_below] = _repeated_rows(width, rows_below)
        fragment, fragment_checksum, length = repeats[rows_below]
        checksum = _combine_adler32(checksum, fragment_checksum, length)
        yield fragment
        progress((index + 1) / len(steps))
    yield deflate.flush(zlib.Z_FINISH) + struct.pack(">I", checksum)


def _repeated_rows(width: int, rows: int) -> tuple[bytes, int, int]:
    """Rows that repeat the one above: their compressed form, Adler-32 and uncompressed length in bytes."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    raw, parts, checksum = _UP + bytes(3 * width), [], 1
    for _ in range(rows):
        parts.append(deflate.compress(raw))
        checksum = zlib.adler32(raw, checksum)
    return b"".join(parts) + deflate.flush(zlib.Z_FULL_FLUSH), checksum, rows * len(raw)


def _combine_adler32(first: int, second: int, length: int) -> int:
    """The Adler-32 of two concatenated strings from those of each. length: of the second one, in bytes."""
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return (high % _ADLER_MODULUS) << 16 | low % _ADLER_MODULUS


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def encode_block_jpeg(colours: Colours, side: int, size: tuple[int, int], quality: int, progress: Progress) -> bytes:
    """A JPEG of blocks whose side is a multiple of 8.

    colours: (rows, columns, 3) of blocks of `side` pixels, cropped to size (width, height). quality: 1 to 100; at 90
    the colours are accurate to about 1/255.
    """
    width, height = size
    columns, rows = -(-width // 8), -(-height // 8)
    steps = [_dc_step(16, quality), _dc_step(17, quality)]
    levels = np.rint((colours @ _RGB_TO_YCC.T - _OFFSET) * 8 / [steps[0], steps[1], steps[1]]).astype(np.int64)
    intervals = _restart_intervals(levels, side // 8, columns, progress)
    parts = [_jpeg_header(width, height, steps, columns)]
    for row in range(rows):
        parts.append(intervals[row * 8 // side])
        if row + 1 < rows:
            parts.append(bytes((0xFF, 0xD0 + row % 8)))
    return b"".join(parts) + b"\xff\xd9"


def _dc_step(base: int, quality: int) -> int:
    """The quantisation step of a DC coefficient, scaled from the standard's tables as libjpeg does."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return min(255, max(1, (base * scale + 50) // 100))


def _restart_intervals(levels: NDArray[np.int64], repeat: int, columns: int, progress: Progress) -> list[bytes]:
    """One restart interval for each row of levels (rows, n, 3); each level stands for `repeat` blocks in a row.

    columns: 8 x 8 blocks in a row; the last level stands for those that are left.
    """
    count = levels.shape[1]
    blocks = np.full(count, repeat)
    blocks[-1] = columns - repeat * (count - 1)
    intervals = []
    for piece in pieces(len(levels), max(1, _PIECE_BLOCKS // count)):
        words, used = _code_words(levels[piece])
        intervals += _pack_bits(words, used + 6 * (blocks - 1))  # a block that repeats the last is six zero bits
        progress(piece.start / len(levels))
    return intervals


def _code_words(levels: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The code of the first block of each level, (rows, n), from the top bit down, and the number of its bits."""
    differences = np.diff(levels, axis=1, prepend=0)
    sizes = np.frexp(np.abs(differences))[1].astype(np.int64)  # bit lengths
    codes, lengths = _dc_huffman_table()
    values = np.where(differences < 0, differences + (1 << sizes) - 1, differences)
    symbols = (codes[sizes] << (sizes + 1) | values << 1).astype(np.uint64)  # the last bit ends the block
    widths = lengths[sizes] + sizes + 1
    words, used = symbols[..., 0], widths.sum(axis=-1)
    for component in (1, 2):
        words = words << widths[..., component].astype(np.uint64) | symbols[..., component]
    return words << (_WORD_BITS - used).astype(np.uint64), used


def _pack_bits(words: NDArray[np.uint64], spans: NDArray[np.int64]) -> list[bytes]:
    """For each row the bits of its words, each padded with zeros to its span; the row padded with ones to a byte."""
    totals = spans.sum(axis=1)
    row_bytes = -(-totals // 8)
    ends = np.cumsum(row_bytes)
    positions = (((ends - row_bytes) * 8)[:, None] + np.cumsum(spans, axis=1) - spans).ravel()
    index, shift, flat = positions // _WORD_BITS, (positions % _WORD_BITS).astype(np.uint64), words.ravel()
    stream = np.zeros(int(ends[-1]) // 8 + 2, np.uint64)
    np.add.at(stream, index, flat >> shift)  # bits do not overlap, so addition concatenates them
    np.add.at(stream, index + 1, flat << (_WORD_BITS - 1 - shift) << 1)
    packed = stream.astype(">u8").view(np.uint8)
    packed[ends - 1] |= ((1 << (row_bytes * 8 - totals)) - 1).astype(np.uint8)
    whole, cuts = packed.tobytes(), [0, *ends.tolist()]
    return [whole[left:right].replace(b"\xff", b"\xff\x00") for left, right in pairwise(cuts)]


def _dc_huffman_table() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Code and code length for each bit length 0 to 11 (T.81 annex C)."""
    codes, lengths = np.zeros(12, np.int64), np.zeros(12, np.int64)
    symbols, code = iter(_DC_ORDER), 0
    for length, count in enumerate(_DC_COUNTS, start=1):
        for _ in range(count):
            symbol = next(symbols)
            codes[symbol], lengths[symbol] = code, length
            code += 1
        code <<= 1
    return codes, lengths


def _jpeg_header(width: int, height: int, steps: list[int], columns: int) -> bytes:
    """Everything before the entropy-coded data."""
    tables = b"".join(bytes((index, step)) + bytes([step] * 63) for index, step in enumerate(steps))
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes((1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1))
    dc = b"\x00" + bytes(_DC_COUNTS) + bytes(16 - len(_DC_COUNTS)) + bytes(_DC_ORDER)
    ac = b"\x10" + b"\x01" + bytes(15) + b"\x00"
    return (
        b"\xff\xd8"
        + _jpeg_segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
        + _jpeg_segment(0xDB, tables)
        + _jpeg_segment(0xC0, frame)
        + _jpeg_segment(0xC4, dc + ac)
        + _jpeg_segment(0xDD, struct.pack(">H", columns))
        + _jpeg_segment(0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0)))
    )


def _jpeg_segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data
