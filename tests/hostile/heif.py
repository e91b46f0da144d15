"""Hostile HEIC and AVIF files: whole ones, cut, changed, and lists of boxes that no decoder should get."""

from __future__ import annotations

import io
import struct
from functools import cache

import pillow_heif
from PIL import Image


@cache
def heic(side: int = 64, tile: int | None = None) -> bytes:
    target = io.BytesIO()
    options = {} if tile is None else {"tile_size": tile}
    pillow_heif.from_pillow(Image.new("RGB", (side, side), "red")).save(target, quality=50, **options)
    return target.getvalue()


@cache
def avif(side: int = 64) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(target, "AVIF", speed=10)
    return target.getvalue()


def claim(whole: bytes, width: int, height: int) -> bytes:
    """The size that the file declares, changed."""
    place = whole.index(b"ispe") + 8
    return whole[:place] + struct.pack(">II", width, height) + whole[place + 8 :]


def changed(whole: bytes, step: int) -> list[bytes]:
    """With every `step`-th byte inverted, one at a time."""
    return [whole[:at] + bytes((whole[at] ^ 255,)) + whole[at + 1 :] for at in range(0, len(whole), step)]


def box(kind: bytes, *contents: bytes) -> bytes:
    body = b"".join(contents)
    return struct.pack(">I4s", 8 + len(body), kind) + body


FTYP = box(b"ftyp", b"heic\0\0\0\0mif1heic")


def box_flood(count: int) -> bytes:
    return FTYP + box(b"meta", bytes(4), box(b"free") * count) + heic()[24:]


def nested_boxes(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = box(b"meta", bytes(4), inner)
    return FTYP + inner


def sequence() -> bytes:
    return box(b"ftyp", b"msf1\0\0\0\0hevc") + box(b"moov", bytes(100))


def grid_of_grids() -> bytes:
    """Tiles that claim to be grids themselves."""
    return heic(256, 128).replace(b"hvc1", b"grid")
