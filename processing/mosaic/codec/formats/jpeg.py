"""The segments of a JPEG (ITU-T T.81, annex B), and whether its compressed data are complete."""

from __future__ import annotations

import io
import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from ...progress import Progress

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
STANDALONE = {0x01, *range(0xD0, 0xD9)}
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}

_METADATA = {*range(0xE1, 0xF0), 0xFE} - {0xEE}  # Adobe's APP14 tells the colour model
_PROFILE = b"ICC_PROFILE\0"
_BETWEEN_SCANS = {0xC4, START_OF_SCAN, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)}
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # neither a stuffed byte nor a restart marker
_FILL = re.compile(rb"[\xff\x00]+")
_FILL_STEP = 4096
_RANDOM_BYTES = random.Random(1).randbytes(1 << 12).replace(b"\xff", b"")
_NOISE = b"".join(_RANDOM_BYTES[64 * step : 64 * step + 64] + bytes((0xFF, 0xD0 + step % 8)) for step in range(32))


@dataclass(frozen=True, slots=True)
class Segment:
    """marker: the second byte of its marker. start, end: of its data, without the two bytes of the length."""

    marker: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CompressedData:
    """end: where the compressed data of the last scan stop. has_end: an end of image follows there. sequential: one
    scan holds every component, from top to bottom. all_scans: the scans add up to every bit of every coefficient."""

    end: int
    has_end: bool
    sequential: bool
    all_scans: bool = True


def segments(data: bytes) -> Iterator[Segment]:
    """From the start of a JPEG to its first scan, or to the first byte that is no marker."""
    position = 2
    while (run := _FILL.match(data, position)) is not None and run.end() + 3 <= len(data):
        position = run.end()
        marker = data[position]
        if marker in STANDALONE:
            position += 1
            continue
        if marker == END_OF_IMAGE:
            return
        length = int.from_bytes(data[position + 1 : position + 3])
        yield Segment(marker, position + 3, min(position + 1 + length, len(data)))
        if marker == START_OF_SCAN:
            return
        position += 1 + length


def without_metadata(data: bytes) -> bytes:
    """The same JPEG without segments that its pixels do not need; profiles stay. Unchanged if it has no scan."""
    parts, scan = [data[:2]], None
    for segment in segments(data):
        if segment.marker == START_OF_SCAN:
            scan = segment
        elif segment.marker not in _METADATA or data.startswith(_PROFILE, segment.start):
            parts.append(b"\xff" + data[segment.start - 3 : segment.end])
    return data if scan is None else b"".join([*parts, b"\xff", memoryview(data)[scan.start - 3 :]])


def compressed_data(data: bytes) -> CompressedData | None:
    """None for a JPEG without a scan."""
    progressive, components = False, 0
    for segment in segments(data):
        if segment.marker in FRAMES and segment.end > segment.start + 5:
            progressive, components = segment.marker in PROGRESSIVE, data[segment.start + 5]
        if segment.marker == START_OF_SCAN and segment.start < len(data):
            if not progressive and data[segment.start] >= components:
                end, has_end = _end_of_scan(data, segment.end)
                return CompressedData(_before_fill(data, end), has_end, sequential=True)
            return _all_scans(data, segment, components, progressive=progressive)
    return None


def _end_of_scan(data: bytes, position: int) -> tuple[int, bool]:
    """Where the compressed data end that begin there, and whether an end of image follows."""
    marker = _MARKER.search(data, position)
    if marker is None:
        return len(data) - data.endswith(b"\xff"), False
    return marker.start(), marker[0][1] == END_OF_IMAGE


def _before_fill(data: bytes, end: int) -> int:
    """The end without the bytes 0xFF that may stand before any marker (ITU-T T.81, B.1.1.2)."""
    while (tail := data[max(0, end - _FILL_STEP) : end]).endswith(b"\xff"):
        end -= len(tail) - len(tail.rstrip(b"\xff"))
    return end


def _all_scans(data: bytes, scan: Segment, components: int, *, progressive: bool) -> CompressedData:
    """Of a progressive JPEG, or of one with a scan for each component."""
    complete: set[tuple[int, int]] = set()  # component, coefficient
    while True:
        if scan.marker == START_OF_SCAN:
            complete |= _completed(data[scan.start : scan.end], progressive=progressive)
        end, has_end = _end_of_scan(data, scan.end)
        marker, start = data[end + 1 : end + 2], end + 4
        if has_end or not marker or marker[0] not in _BETWEEN_SCANS or start > len(data):
            end = _before_fill(data, end)
            return CompressedData(end, has_end, sequential=False, all_scans=len(complete) == 64 * components)
        scan = Segment(marker[0], start, min(end + 2 + int.from_bytes(data[end + 2 : start]), len(data)))


def _completed(header: bytes, *, progressive: bool) -> set[tuple[int, int]]:
    """The component and the number of each coefficient whose last bit a scan holds. header: what follows SOS."""
    count = header[0] if header else 0
    if len(header) < 4 + 2 * count or (progressive and header[3 + 2 * count] & 15):
        return set()
    first, last = header[1 + 2 * count : 3 + 2 * count] if progressive else (0, 63)
    return {(header[1 + 2 * index], number) for index in range(count) for number in range(first, min(last, 63) + 1)}


def digest(image: Image.Image) -> int:
    """Equal for images with the same pixels, made without a second copy of them."""
    value = 0
    for top, bottom in Progress().bands(*image.size):
        value = zlib.crc32(image.crop((0, top, image.width, bottom)).tobytes(), value)
    return value


def digest_before_noise(data: bytes, compressed: CompressedData, reduction: int) -> int:
    """The digest of the picture, `reduction` times smaller, if noise followed its compressed data.

    libjpeg fills up what is missing and Pillow does not report it. A picture is complete if it does not depend on what
    follows its data: if it has the same digest with and without noise.
    """
    return _digest_with_tail(data, compressed, _NOISE, reduction)


def is_complete(data: bytes, compressed: CompressedData) -> bool:
    """Whether every pixel of a sequential JPEG comes from its compressed data, compared at an eighth of its size."""
    return _digest_with_tail(data, compressed, b"", 8) == _digest_with_tail(data, compressed, _NOISE, 8)


def _digest_with_tail(data: bytes, compressed: CompressedData, tail: bytes, reduction: int) -> int:
    image = Image.open(io.BytesIO(data[: compressed.end] + tail + b"\xff\xd9"), formats=("JPEG",))
    image.draft(image.mode, (max(1, image.width // reduction), max(1, image.height // reduction)))
    image.load()
    return digest(image)
