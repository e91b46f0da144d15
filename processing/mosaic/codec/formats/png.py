"""The chunks of a PNG (W3C, Portable Network Graphics, third edition, sections 5 and 11)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import DAMAGED, Message, NotAPicture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 20_000

_PIXEL_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_BEFORE_PIXELS = {b"cICP", b"cLLI", b"mDCV", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type -> samples a pixel
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_INFLATE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PngFile:
    """A PNG taken apart.

    pixels: a PNG of the first picture alone, with the chunks that its pixels need and no others. chunks: the first
    chunk of each kind that stands before the pixels and says how to show them, by kind.
    """

    pixels: bytes
    chunks: Mapping[bytes, bytes]

    def has_all_rows(self) -> bool:
        """Whether the compressed data hold as many bytes as the header promises; inflates them once more."""
        missing = _filtered_bytes(self.pixels[16:29])
        inflate, position = zlib.decompressobj(), len(SIGNATURE)
        while missing > 0 and position + 8 <= len(self.pixels):
            length, kind = struct.unpack_from(">I4s", self.pixels, position)
            if kind == b"IDAT":
                part = self.pixels[position + 8 : position + 8 + length]
                while part and missing > 0:
                    missing -= len(inflate.decompress(part, _INFLATE_BYTES))
                    part = inflate.unconsumed_tail
            position += 12 + length
        return missing <= 0 or missing <= len(inflate.flush())

    @property
    def size(self) -> tuple[int, int]:
        width, height = struct.unpack_from(">II", self.pixels, 16)
        return width, height

    @property
    def interlaced(self) -> bool:
        return self.pixels[28] != 0

    @property
    def depth(self) -> int:
        return self.pixels[24]

    @property
    def colour_type(self) -> int:
        """0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
        return self.pixels[25]

    @property
    def readable(self) -> bytes:
        """`pixels`; grey and alpha of 16 bits, of which Pillow reads half the bytes, as RGBA of 8 bits, which has the
        same bytes: high and low of the grey, high and low of alpha."""
        if (self.depth, self.colour_type) != (16, 4):
            return self.pixels
        header = b"IHDR" + self.pixels[16:24] + b"\x08\x06" + self.pixels[26:29]
        return b"".join((self.pixels[:12], header, zlib.crc32(header).to_bytes(4), memoryview(self.pixels)[33:]))

    @property
    def grey_step(self) -> int:
        """The difference of two neighbouring greys of 2 or 4 bits, of 255; 1 for other pictures."""
        return {2: 85, 4: 17}.get(self.depth, 1) if self.colour_type == 0 else 1


def read_png(data: bytes) -> PngFile:
    """Raises NotAPicture for a chunk of the picture itself whose checksum is wrong; others are left out."""
    position, count, parts = len(SIGNATURE), 0, [SIGNATURE]
    chunks: dict[bytes, bytes] = {}
    view, has_pixels = memoryview(data), False
    while position + 12 <= len(data):
        count += 1
        if count > MAX_CHUNKS:
            raise NotAPicture(Message("the PNG has too many chunks"))
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if kind in _PIXEL_CHUNKS or (kind in _BEFORE_PIXELS and not has_pixels):
            intact = end <= len(data) and zlib.crc32(view[position + 4 : end - 4]) == int.from_bytes(
                data[end - 4 : end]
            )
            if kind in _PIXEL_CHUNKS:
                if not intact:
                    raise NotAPicture(DAMAGED)
                parts.append(data[position:end])
            elif intact:
                chunks.setdefault(kind, data[position + 8 : end - 4])
        has_pixels |= kind == b"IDAT"
        if kind == b"IEND":
            break
        position = end
    else:
        parts.append(b"\0\0\0\0IEND\xaeB`\x82")  # every pixel may be there without it
    if not has_pixels or parts[1][4:8] != b"IHDR" or len(parts[1]) != 25:
        raise NotAPicture(DAMAGED)
    return PngFile(b"".join(parts), chunks)


def _filtered_bytes(header: bytes) -> int:
    """How many bytes the rows of a picture have before they are compressed. header: the data of IHDR."""
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    depth, colour, interlace = header[8], header[9], header[12]
    bits = depth * _CHANNELS.get(colour, 1)
    if not interlace:
        return height * (1 + (width * bits + 7) // 8)
    total = 0
    for left, top, across, down in _PASSES:
        columns, rows = -((left - width) // across), -((top - height) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
