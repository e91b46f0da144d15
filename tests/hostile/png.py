"""Hostile PNGs."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

MAGIC = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))


def header(width: int, height: int, *, depth: int = 8, colour: int = RGB, interlaced: bool = False) -> bytes:
    return chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, interlaced))


END = chunk(b"IEND")
SMALL_DATA = zlib.compress(bytes(8 * (1 + 8 * 3)))


def small(before: bytes = b"", after: bytes = b"") -> bytes:
    """An 8 x 8 black RGB image with these chunks before and after its data."""
    return MAGIC + header(8, 8) + before + chunk(b"IDAT", SMALL_DATA) + after + END


def claim(width: int, height: int, *, depth: int = 8, colour: int = RGB) -> bytes:
    """A size in the header, and too little data."""
    return MAGIC + header(width, height, depth=depth, colour=colour) + chunk(b"IDAT", SMALL_DATA) + END


def black(width: int, height: int, *, depth: int = 8, colour: int = RGB, interlaced: bool = False) -> bytes:
    """A complete image of zeros, which deflate shrinks a thousandfold."""
    row = 1 + (width * depth * _SAMPLES[colour] + 7) // 8
    size = row * height + (row * height // 4 if interlaced else 0)
    palette = chunk(b"PLTE", bytes(3)) if colour == PALETTE else b""
    head = header(width, height, depth=depth, colour=colour, interlaced=interlaced)
    return MAGIC + head + palette + chunk(b"IDAT", zeros(size)) + END


def zeros(size_bytes: int) -> bytes:
    """`size_bytes` zeros, deflated a megabyte at a time."""
    packer, block = zlib.compressobj(1), bytes(1 << 20)
    pieces = [packer.compress(block) for _ in range(size_bytes >> 20)]
    return b"".join([*pieces, packer.compress(bytes(size_bytes & 0xFFFFF)), packer.flush()])


def text_bomb(kind: bytes, size_bytes: int) -> bytes:
    """A zTXt, iTXt or iCCP chunk that inflates to `size_bytes`."""
    head = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\1\0\0\0", b"iCCP": b"k\0\0"}[kind]
    return small(chunk(kind, head + zeros(size_bytes)))


def text_bombs(count: int, size_bytes: int) -> bytes:
    data = zeros(size_bytes)
    return small(b"".join(chunk(b"zTXt", b"k%d\0\0" % i + data) for i in range(count)))


def chunk_flood(count: int) -> bytes:
    return small(chunk(b"tEXt", b"k\0v") * count)


def tail_flood(count: int) -> bytes:
    return small(after=chunk(b"tEXt", b"k\0v") * count)


def single_byte_data(padding: int) -> bytes:
    """Each byte of the data in a separate chunk, after `padding` empty ones."""
    data = b"".join(chunk(b"IDAT", bytes([byte])) for byte in SMALL_DATA)
    return MAGIC + header(8, 8) + chunk(b"IDAT") * padding + data + END


def second_header() -> bytes:
    """8 x 8 when opened, 30000 x 30000 when decoded."""
    return MAGIC + header(8, 8) + header(30000, 30000) + chunk(b"IDAT", SMALL_DATA) + END


def false_length() -> bytes:
    return MAGIC + header(8, 8) + b"\xff\xff\xff\xffIDAT" + SMALL_DATA


def wrong_crc() -> bytes:
    return MAGIC + header(8, 8) + chunk(b"IDAT", SMALL_DATA)[:-4] + b"\0\0\0\0" + END


def profiled(data: bytes, side: int = 8) -> bytes:
    head = MAGIC + header(side, side) + chunk(b"iCCP", b"k\0\0" + zlib.compress(data, 9))
    return head + chunk(b"IDAT", zeros(side * (1 + 3 * side))) + END


def animation(frames: Iterable[bytes], claimed: int, side: int = 8) -> bytes:
    """APNG of complete frames, each the deflated data of side x side RGB. claimed: frames in the header."""
    body, number = b"", 0
    for index, data in enumerate(frames):
        control = struct.pack(">5L2H2B", number, side, side, 0, 0, 1, 10, 0, 0)
        body += chunk(b"fcTL", control)
        number += 1
        body += chunk(b"IDAT", data) if index == 0 else chunk(b"fdAT", struct.pack(">L", number) + data)
        number += index > 0
    return MAGIC + header(side, side) + chunk(b"acTL", struct.pack(">LL", claimed, 0)) + body + END
