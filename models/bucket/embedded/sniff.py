"""MIME sniffing: the type, width and height of a file by its first bytes, never by its name or declared type.

Decodes nothing and reads a few kilobytes at most: the files are untrusted.
Sources: PNG (w3.org/TR/png-3, 5.2, 11.2.1), GIF89a (17, 18), JPEG (T.81, B.1, B.2.2), WebP (RFC 9649, 2.5 to 2.7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

UNKNOWN = "application/octet-stream"
HEAD_BYTES = 32
MARKER_LIMIT = 500
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
