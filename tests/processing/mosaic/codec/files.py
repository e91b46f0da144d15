"""Small files with metadata in usual and unusual places, written byte by byte."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

SHORT, LONG, SSHORT = 3, 4, 8
_TYPES = {SHORT: "H", LONG: "I", SSHORT: "h"}


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(image: Image.Image, *chunks: bytes, after: tuple[bytes, ...] = ()) -> bytes:
    """chunks: between IHDR and the pixels. after: between the pixels and IEND."""
    data = saved(image, "PNG")
    return data[:33] + b"".join(chunks) + data[33:-12] + b"".join(after) + data[-12:]


def deep_png(values: np.ndarray, *chunks: bytes, rows: bytes | None = None) -> bytes:
    """(height, width, 1 to 4) of 16-bit values. rows: others, as a PNG has them before they are compressed."""
    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, (0, 4, 2, 6)[channels - 1], 0, 0, 0)
    if rows is None:
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    body = b"".join(chunks) + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + body


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg(image: Image.Image, *segments: bytes) -> bytes:
    """segments: after the start of the image."""
    data = saved(image, "JPEG", quality=95, subsampling=0)
    return data[:2] + b"".join(segments) + data[2:]


def webp(image: Image.Image, *, exif: bytes = b"", xmp: bytes = b"") -> bytes:
    """Lossless."""
    body = saved(image, "WEBP", lossless=True)[12:]
    flags = (8 if exif else 0) | (4 if xmp else 0)
    size = struct.pack("<I", image.width - 1)[:3] + struct.pack("<I", image.height - 1)[:3]
    chunks = _riff(b"VP8X", bytes((flags, 0, 0, 0)) + size) + body
    chunks += _riff(b"EXIF", exif) + _riff(b"XMP ", xmp)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def exif(orientation: int, *, kind: int = SHORT, count: int = 1, order: str = "<") -> bytes:
    """A TIFF header and one directory with nothing but an orientation."""
    value = struct.pack(order + _TYPES[kind] * count, *[orientation] * count).ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "HHHI", 1, 274, kind, count) + value + bytes(4)


def app1(orientation: int, *, prefix: bytes = b"Exif\0\0", **options: object) -> bytes:
    return segment(0xE1, prefix + exif(orientation, **options))


def xmp(orientation: int) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>'
        % orientation
    )


def xmp_segment(orientation: int) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(orientation))


def xmp_chunk(orientation: int) -> bytes:
    return png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(orientation))


def raw_profile(orientation: int) -> bytes:
    """EXIF as the text that ImageMagick made of it."""
    data = b"Exif\0\0" + exif(orientation)
    return f"\nexif\n{len(data):8d}\n{data.hex()}\n".encode()


def raw_profile_chunk(orientation: int) -> bytes:
    """As ImageMagick wrote EXIF into PNG before `eXIf` existed."""
    return png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(orientation)))


def raw_profile_comment(orientation: int) -> bytes:
    """The same as the comment of a JPEG."""
    return segment(0xFE, b"Raw profile type exif" + raw_profile(orientation))


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


def linear_profile() -> bytes:
    """An ICC profile (version 2) with sRGB's primaries and a gamma of 1, which calls itself sRGB. (Chromium 150 ignores
    one without a curve, 156 does not.)"""
    return matrix_profile(b"curv\0\0\0\0" + struct.pack(">IH", 1, 256))


def matrix_profile(curve: bytes) -> bytes:
    """Of sRGB's primaries, with this curve in all three channels."""
    red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    tags = {b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 18) + b"sRGB IEC61966-2.1\0" + bytes(79)
    return _profile(b"RGB ", tags)


def table_profile() -> bytes:
    """Of a table beside the curves, which goes before them: a dark grey whatever the colour."""
    grid = b"\x80\x80\x80" * 2**3  # L, a, b
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes((3, 3, 2, 0)) + identity + bytes(range(256)) * 3 + grid + bytes(range(256)) * 3
    return _profile(b"RGB ", {b"A2B0": table}, connection=b"Lab ")


def linear_grey_profile() -> bytes:
    return _profile(b"GRAY", {b"kTRC": b"curv" + bytes(8)})


def black_ink_profile() -> bytes:
    """Of a printer whose cyan, magenta and yellow are invisible: white without black, black with it."""
    grid = b"".join((b"\xff" if index % 2 == 0 else b"\0") + b"\x80\x80" for index in range(2**4))  # L, a, b
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + bytes(range(256)) * 4 + grid + bytes(range(256)) * 3
    return _profile(b"CMYK", {b"A2B0": table}, kind=b"prtr", connection=b"Lab ")


def _xyz(numbers: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(number * 65536) for number in numbers))


def _profile(space: bytes, tags: dict[bytes, bytes], *, kind: bytes = b"mntr", connection: bytes = b"XYZ ") -> bytes:
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", 0, b"none", 0x02100000, kind, space, connection) + bytes(12) + b"acsp"
    whole = head + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) if data else b""
