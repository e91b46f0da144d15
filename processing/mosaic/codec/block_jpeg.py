"""A JPEG of square blocks whose side is a multiple of 8, written without going through its pixels.

A flat 8 x 8 block is its DC coefficient and nothing else, so the file is a row of differences and end-of-block
codes (ITU-T T.81, annex F.1.2). Every row of 8 x 8 blocks starts anew at a restart marker, so that rows which
repeat are the same bytes. No chroma subsampling; the quality sets the step of the DC coefficient as libjpeg does.
"""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Colours
from ..progress import Stage

_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
_OFFSET = np.array([128.0, 0.0, 0.0])

# Our Huffman code of DC differences, by their bit length 0 to 11: no difference is one bit, as is the end of a block.
_DC_ORDER = (0, 5, 4, 6, 3, 7, 2, 8, 1, 9, 10, 11)
_DC_COUNTS = (1, 0, 0, 6, 2, 3)  # codes of 1 to 6 bits
_WORD = 64  # bits; three codes have at most 54
_CHUNK = 1 << 16  # columns packed at once


def write_jpeg(colours: Colours, side: int, size: tuple[int, int], quality: int, stage: Stage) -> bytes:
    """colours: (rows, columns, 3) of blocks of `side` (a multiple of 8) pixels, cut to size (width, height).

    quality: 1 to 100. The colours are kept to about 1/255 at 90; lower ones are coarser.
    """
    width, height = size
    across, down = -(-width // 8), -(-height // 8)
    steps = [_dc_step(16, quality), _dc_step(17, quality)]
    levels = np.rint((colours @ _TO_YCC.T - _OFFSET) * 8 / [steps[0], steps[1], steps[1]]).astype(np.int64)
    scans = _intervals(levels, side // 8, across, stage)
    parts = [_head(width, height, steps, across)]
    for row in range(down):
        parts.append(scans[row * 8 // side])
        if row + 1 < down:
            parts.append(bytes((0xFF, 0xD0 + row % 8)))
    return b"".join(parts) + b"\xff\xd9"


def _dc_step(base: int, quality: int) -> int:
    """The quantisation of a DC coefficient in libjpeg's scaling of the standard's tables."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return min(255, max(1, (base * scale + 50) // 100))


def _intervals(levels: NDArray[np.int64], repeat: int, across: int, stage: Stage) -> list[bytes]:
    """One restart interval for each row of levels (rows, columns, 3); a column stands for `repeat` blocks."""
    columns = levels.shape[1]
    blocks = np.full(columns, repeat)
    blocks[-1] = across - repeat * (columns - 1)
    intervals, rows = [], max(1, _CHUNK // columns)
    for first in range(0, len(levels), rows):
        words, used = _words(levels[first : first + rows])
        intervals += _packed(words, used + 6 * (blocks - 1))  # a block that repeats the last is six zero bits
        stage(first / len(levels))
    return intervals


def _words(levels: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The code of each column's first block, (rows, columns), from the top bit down, and how many bits it has."""
    differences = np.diff(levels, axis=1, prepend=0)
    sizes = np.frexp(np.abs(differences))[1].astype(np.int64)  # bit lengths
    codes, lengths = _dc_code()
    values = np.where(differences < 0, differences + (1 << sizes) - 1, differences)
    symbols = (codes[sizes] << (sizes + 1) | values << 1).astype(np.uint64)  # the last bit ends the block
    widths = lengths[sizes] + sizes + 1
    words, used = symbols[..., 0], widths.sum(axis=-1)
    for component in (1, 2):
        words = words << widths[..., component].astype(np.uint64) | symbols[..., component]
    return words << (_WORD - used).astype(np.uint64), used


def _packed(words: NDArray[np.uint64], spans: NDArray[np.int64]) -> list[bytes]:
    """For each row the bits of its words in order, each followed by zeros up to its span, filled up with ones."""
    totals = spans.sum(axis=1)
    row_bytes = -(-totals // 8)
    ends = np.cumsum(row_bytes)
    places = (((ends - row_bytes) * 8)[:, None] + np.cumsum(spans, axis=1) - spans).ravel()
    index, shift, flat = places // _WORD, (places % _WORD).astype(np.uint64), words.ravel()
    stream = np.zeros(int(ends[-1]) // 8 + 2, np.uint64)
    np.add.at(stream, index, flat >> shift)  # bits never overlap, so that adding is joining
    np.add.at(stream, index + 1, flat << (_WORD - 1 - shift) << 1)
    packed = stream.astype(">u8").view(np.uint8)
    packed[ends - 1] |= ((1 << (row_bytes * 8 - totals)) - 1).astype(np.uint8)
    whole, cuts = packed.tobytes(), [0, *ends.tolist()]
    return [whole[left:right].replace(b"\xff", b"\xff\x00") for left, right in pairwise(cuts)]


def _dc_code() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Code and length of each bit length 0 to 11 (T.81 annex C)."""
    codes, lengths = np.zeros(12, np.int64), np.zeros(12, np.int64)
    symbols, code = iter(_DC_ORDER), 0
    for length, count in enumerate(_DC_COUNTS, start=1):
        for _ in range(count):
            symbol = next(symbols)
            codes[symbol], lengths[symbol] = code, length
            code += 1
        code <<= 1
    return codes, lengths


def _head(width: int, height: int, steps: list[int], across: int) -> bytes:
    """Everything before the entropy-coded data."""
    tables = b"".join(bytes((index, step)) + bytes([step] * 63) for index, step in enumerate(steps))
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes((1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1))
    dc = b"\x00" + bytes(_DC_COUNTS) + bytes(16 - len(_DC_COUNTS)) + bytes(_DC_ORDER)
    ac = b"\x10" + b"\x01" + bytes(15) + b"\x00"
    return (
        b"\xff\xd8"
        + _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
        + _segment(0xDB, tables)
        + _segment(0xC0, frame)
        + _segment(0xC4, dc + ac)
        + _segment(0xDD, struct.pack(">H", across))
        + _segment(0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0)))
    )


def _segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data
