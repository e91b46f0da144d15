"""MIME sniffing: the type, width and height of a file by its first bytes, never by its name or declared type.

Decodes nothing and reads a few kilobytes at most: the files are untrusted.
Sources: PNG (w3.org/TR/png-3, 5.2, 11.2.1), GIF89a (17, 18), JPEG (T.81, B.1, B.2.2), WebP (RFC 9649, 2.5 to 2.7),
HEIF (ISO/IEC 23008-12, 6.5.3 and 10.2) and AVIF.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

UNKNOWN = "application/octet-stream"
HEAD_BYTES = 32
MARKER_LIMIT = 500
HEIF_HEAD_BYTES = 16 * 1024
HEIF_BRANDS = {
    "image/avif": (b"avif", b"avis"),
    "image/heic": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"),
    "image/heif": (b"mif1", b"mif2", b"msf1"),
}
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

ReadAt = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class SniffedImage:
    """mime: UNKNOWN if it is not an image. width, height: pixels as stored, None if unknown."""

    mime: str
    width: int | None = None
    height: int | None = None

    @property
    def format(self) -> str:
        return self.mime.partition("/")[2] if self.width is not None else ""


def sniff(read_at: ReadAt) -> SniffedImage:
    """read_at(offset, size): returns bytes of the file, fewer at its end."""
    head = read_at(0, HEAD_BYTES)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return SniffedImage("image/png", *_big(head[16:24], 4))
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return SniffedImage("image/gif", *_little(head[6:10]))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return SniffedImage("image/webp", *_webp_size(head))
    if head.startswith(b"\xff\xd8\xff"):
        return SniffedImage("image/jpeg", *_jpeg_size(read_at))
    if head[4:8] == b"ftyp" and (mime := _heif_type(head)):
        return SniffedImage(mime, *_heif_size(read_at(0, HEIF_HEAD_BYTES)))
    return SniffedImage(UNKNOWN)


def _big(raw: bytes, width: int) -> tuple[int, ...]:
    whole = len(raw) == 2 * width
    return (int.from_bytes(raw[:width]), int.from_bytes(raw[width:])) if whole else ()


def _little(raw: bytes) -> tuple[int, ...]:
    return (int.from_bytes(raw[:2], "little"), int.from_bytes(raw[2:], "little")) if len(raw) == 4 else ()


def _webp_size(head: bytes) -> tuple[int, ...]:
    if len(head) < 30:
        return ()
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return ()


def _heif_type(head: bytes) -> str:
    """By the brands in the first bytes of the file type box; "" for a video."""
    end = min(int.from_bytes(head[:4]), len(head))
    brands = {head[8:12], *(head[start : start + 4] for start in range(16, end - 3, 4))}
    return next((mime for mime, names in HEIF_BRANDS.items() if brands.intersection(names)), "")


def _heif_size(head: bytes) -> tuple[int, ...]:
    """The largest of the `ispe` properties: those of tiles and thumbnails are smaller than the image."""
    sizes: list[tuple[int, ...]] = []
    position = head.find(b"ispe")
    while position >= 0 and len(raw := head[position + 8 : position + 16]) == 8:
        sizes.append(_big(raw, 4))
        position = head.find(b"ispe", position + 16)
    return max(sizes, key=lambda size: size[0] * size[1], default=())


def _jpeg_size(read_at: ReadAt) -> tuple[int, ...]:
    """Walk the segments to the first frame header; camera files have large segments before it."""
    at = 2
    for _ in range(MARKER_LIMIT):
        segment = read_at(at, 9)
        if len(segment) < 9 or segment[0] != 0xFF:
            return ()
        if segment[1] == 0xFF:
            at += 1
        elif segment[1] in FRAME_MARKERS:
            height, width = _big(segment[5:9], 2)
            return width, height
        else:
            at += 2 + max(2, int.from_bytes(segment[2:4]))
    return ()
