"""Hostile GIFs and WebPs, and files of formats that are not accepted."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

from PIL import Image

# GIF


def gif(width: int, height: int, body: bytes, *, version: bytes = b"GIF89a") -> bytes:
    """A canvas with a palette of two colours."""
    return version + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + body + b";"


def gif_frame(width: int = 1, height: int = 1, *, left: int = 0, top: int = 0, bits: int = 2) -> bytes:
    """One pixel of data (clear, 0, end), whatever the size in the header."""
    return b"," + struct.pack("<HHHHB", left, top, width, height, 0) + bytes([bits]) + b"\x02\x44\x01\x00"


def whole_gif(side: int) -> bytes:
    """A complete GIF of one colour."""
    return foreign("GIF", side)


def gif_comments(count: int) -> bytes:
    return gif(1, 1, b"\x21\xfe" + (b"\xff" + b"c" * 255) * count + b"\0" + gif_frame())


def gif_extensions(count: int) -> bytes:
    return gif(1, 1, b"\x21\xf9\x04\0\0\0\0\0" * count + gif_frame())


def gif_frames(side: int, count: int) -> bytes:
    return gif(side, side, gif_frame() * count)


def gif_script() -> bytes:
    """Both a GIF and a script: its size bytes are the start of a comment."""
    return b"GIF89a/*" + struct.pack("<HBBB", 300, 0x80, 0, 0) + bytes(6) + gif_frame() + b"*/=1;alert(1)//;"


# WebP


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def riff_chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<L", len(data)) + data + bytes(len(data) % 2)


def lossless(width: int, height: int, *, alpha: bool = False) -> bytes:
    """One colour in 8 bytes (VP8L): no transform, no cache, and five codes with one symbol each."""
    bits = 0x2F | (width - 1) << 8 | (height - 1) << 22 | alpha << 36
    codes = 0
    for index in range(5):
        codes |= 0b0001 << (3 + 4 * index)
    return riff_chunk(b"VP8L", (bits | codes << 40).to_bytes(9, "little"))


def webp(width: int, height: int, *, alpha: bool = False) -> bytes:
    return riff(lossless(width, height, alpha=alpha))


def extended(width: int, height: int, *chunks: bytes, flags: int = 0) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff(riff_chunk(b"VP8X", struct.pack("<L", flags) + canvas), *chunks)


def webp_frames(side: int, count: int, frame_side: int | None = None) -> bytes:
    inner = frame_side or side
    size = (inner - 1).to_bytes(3, "little") * 2
    frame = riff_chunk(b"ANMF", bytes(6) + size + (100).to_bytes(3, "little") + b"\0" + lossless(inner, inner))
    return extended(side, side, riff_chunk(b"ANIM", bytes(6)), frame * count, flags=0x02)


def webp_with(kind: bytes, data: bytes, side: int = 8) -> bytes:
    flag = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}[kind]
    extra, picture = riff_chunk(kind, data), lossless(side, side)
    return extended(side, side, *((extra, picture) if kind == b"ICCP" else (picture, extra)), flags=flag)


def webp_mismatch() -> bytes:
    """The container declares 8 x 8, the image inside 16383 x 16383."""
    return extended(8, 8, lossless(16383, 16383))


# Not images, or not of the accepted formats


def foreign(form: str, side: int = 32) -> bytes:
    """One colour, in any format that Pillow can write."""
    file = io.BytesIO()
    Image.new("RGB" if form != "GIF" else "P", (side, side)).save(file, form)
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("a.jpg", b"x")
    return file.getvalue()


TEXTS = {
    "empty": b"",
    "one-byte": b"\xff",
    "text": b"no picture\n" * 100,
    "html": b"<!doctype html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file\nshowpage\n",
    "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
    "xbm": b"#define a_width 99999\n#define a_height 99999\nstatic char a_bits[] = {0x00};\n",
    "xpm": b'/* XPM */\nstatic char *a[] = {"99999 99999 1 1", "a c #000"};\n',
    "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HLLHH", 3, 13000, 13000, 8, 3) + bytes(12),
    "fits": b"SIMPLE  =                    T".ljust(80) + b"NAXIS1  = 99999".ljust(80) + b"END".ljust(2720),
    "blp": b"BLP1" + struct.pack("<5L", 1, 0, 1, 83886338, 4) + bytes(400),
    "pnm": b"P6\n13000 13000\n255\n",
    "bmp-negative": b"BM" + struct.pack("<LLLLllHHLL", 0, 0, 54, 40, -9, -9, 1, 24, 0, 0) + bytes(90),
    "gzip": gzip.compress(bytes(1000)),
}
