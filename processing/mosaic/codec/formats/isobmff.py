"""The boxes of a HEIF or AVIF file (ISO/IEC 14496-12, 23008-12), read before any decoder gets it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ...errors import Message, NotAPicture, TooManyPixels

MAX_BOXES = 20_000
"""Of a file. A photo of 48 megapixels in tiles of 512 pixels has some hundred items, each with a few boxes."""

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1"}
_RARE_CODECS = {b"unci", b"mski", b"j2k1", b"vvc1", b"evc1", b"avc1"}  # no camera writes and no browser reads them
_FULL_BOXES = {b"meta": 4, b"iprp": 0, b"ipco": 0}


@dataclass(frozen=True, slots=True)
class CleanAperture:
    """The part of a picture that is shown (ISO/IEC 14496-12, 12.1.4). x, y: from the picture's centre to its own."""

    width: Fraction
    height: Fraction
    x: Fraction
    y: Fraction

    def box(self, width: int, height: int) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom in a picture of that size; None unless they are pixels inside it."""
        left, top = (width - self.width) / 2 + self.x, (height - self.height) / 2 + self.y
        sides = (left, top, left + self.width, top + self.height)
        inside = 0 <= left < sides[2] <= width and 0 <= top < sides[3] <= height
        if not inside or any(side.denominator != 1 for side in sides):
            return None
        return int(sides[0]), int(sides[1]), int(sides[2]), int(sides[3])


@dataclass(frozen=True, slots=True)
class HeifFile:
    """format: HEIF or AVIF. pixels: of its largest picture. cicp: primaries and transfer characteristics (H.273), None
    where they are not stated. aperture: what is shown, None for all. peak_nits: the brightest light of the picture; 0
    where that is not stated."""

    format: str
    pixels: int
    cicp: tuple[int, int] | None
    aperture: CleanAperture | None = None
    peak_nits: float = 0.0


Box = tuple[bytes, int, int]
"""Kind, start and end of the content."""


def brand_format(head: bytes) -> str:
    """HEIF, AVIF, or "" for another file, by its first bytes."""
    if head[4:8] != b"ftyp":
        return ""
    end = min(int.from_bytes(head[:4]), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else ""


def read_heif(data: bytes, megapixels: float) -> HeifFile:
    """Raises NotAPicture for a file without a still picture or with an unsupported codec, and TooManyPixels."""
    boxes: list[Box] = []
    pixels = 0
    for box in _boxes(data, 0, len(data)):
        kind, start, end = box
        boxes.append(box)
        if len(boxes) > MAX_BOXES:
            raise NotAPicture(Message("the HEIF file has too many boxes"))
        if kind == b"ispe" and end - start >= 12:
            width, height = struct.unpack_from(">II", data, start + 4)
            pixels = max(pixels, width * height)
        if kind == b"infe" and data[start + 8 : start + 12] in _RARE_CODECS | {b""}:
            raise NotAPicture(Message("it is a HEIF file of a kind that is not supported"))
    if not any(kind == b"pitm" for kind, _, _ in boxes):
        raise NotAPicture(Message("it is a sequence of pictures without a still picture"))
    if pixels > megapixels * 1_000_000:
        raise TooManyPixels(megapixels)
    own = _primary_properties(data, boxes)
    return HeifFile(
        brand_format(data[:256]), pixels, _cicp(data, own) or _cicp(data, boxes), _aperture(data, own), _peak(data, own)
    )


def _primary_properties(data: bytes, boxes: list[Box]) -> list[Box]:
    """What is said of the picture that is shown, not of its thumbnails, gain maps and other renditions."""
    first = {kind: (start, end) for kind, start, end in reversed(boxes)}
    start, end = first.get(b"ipco", (0, 0))
    properties = list(_boxes(data, start, end))
    start, _ = first[b"pitm"]
    primary = int.from_bytes(data[start + 4 : start + (6 if data[start : start + 1] == b"\0" else 8)])
    numbers = [
        number
        for kind, start, end in boxes
        if kind == b"ipma"
        for item, number in _associations(data[start:end])
        if item == primary
    ]
    return [properties[number - 1] for number in numbers if 0 < number <= len(properties)]


def _associations(content: bytes) -> Iterator[tuple[int, int]]:
    """Items and the numbers of their properties, counted from 1. content: of a box `ipma`."""
    id_bytes, number_bytes = (4 if content[:1] != b"\0" else 2), (2 if content[3:4] and content[3] & 1 else 1)
    position = 8
    while position + id_bytes < len(content):
        item = int.from_bytes(content[position : position + id_bytes])
        count, position = content[position + id_bytes], position + id_bytes + 1
        for _ in range(count):
            number = int.from_bytes(content[position : position + number_bytes])
            yield item, number & (1 << 8 * number_bytes - 1) - 1  # the first bit says whether it is essential
            position += number_bytes


def _cicp(data: bytes, boxes: list[Box]) -> tuple[int, int] | None:
    """None where the boxes do not tell, or contradict each other."""
    codes = {
        struct.unpack_from(">HH", data, start + 4)
        for kind, start, end in boxes
        if kind == b"colr" and data[start : start + 4] == b"nclx" and end - start >= 10
    }
    return codes.pop() if len(codes) == 1 else None


def _aperture(data: bytes, boxes: list[Box]) -> CleanAperture | None:
    for kind, start, end in boxes:
        if kind == b"clap" and end - start >= 32:
            numbers = struct.unpack_from(">IIIIiIiI", data, start)
            if all(numbers[1::2]):
                return CleanAperture(*map(Fraction, numbers[::2], numbers[1::2]))
    return None


def _peak(data: bytes, boxes: list[Box]) -> float:
    """Of the content; Chromium takes nothing from the display that it was graded on (`mdcv`)."""
    return next((float(int.from_bytes(data[start : start + 2])) for kind, start, _ in boxes if kind == b"clli"), 0.0)


def _boxes(data: bytes, position: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each box, those in `meta` included."""
    while position + 8 <= stop:
        size, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if size == 1 and start + 8 <= stop:
            size, start = int.from_bytes(data[start : start + 8]), start + 8
        end = stop if size == 0 else min(position + size, stop)
        if end < start:
            return
        yield kind, start, end
        if kind in _FULL_BOXES:
            yield from _boxes(data, start + _FULL_BOXES[kind], end)
        elif kind == b"iinf":
            yield from _boxes(data, start + (6 if data[start : start + 1] == b"\0" else 8), end)
        position = end
