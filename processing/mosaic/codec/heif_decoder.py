"""Decode one HEIF or AVIF picture from standard input to standard output: the program that `isolated` runs.

It imports nothing of the project, so that it starts in a tenth of a second and only has its own memory to lose.
"""

from __future__ import annotations

import ctypes
import io
import json
import resource
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from PIL import AvifImagePlugin, Image, _avif

_CPU_S = 30
_FIXED_BYTES = 384 << 20
_BYTES_A_PIXEL = 16  # 12 are needed, of pictures in 10 bits with transparency
_BAND_ROWS = 64
_ALL_BITS = 16
_DEEP_MODES = {"I;16": "L", "RGB;16": "RGB", "RGBA;16": "RGBA"}  # pillow_heif's


class Decoded:
    """mode: L, RGB or RGBA. bits: of a sample; above 8 it has 16, the last of which are 0. orientation: 1 to 8, to
    be undone still. rows: the samples from one row to another."""

    def __init__(
        self,
        image: Image.Image,
        orientation: int,
        rows: Callable[[int, int], bytes] | None = None,
        mode: str = "",
        bits: int = 8,
    ) -> None:
        self.mode, self.size, self.bits, self.orientation = mode or image.mode, image.size, bits, orientation
        self.profile: bytes = image.info.get("icc_profile") or b""
        self.rows = rows or (lambda top, bottom: image.crop((0, top, image.width, bottom)).tobytes())


def decode(kind: str, max_pixels: int, data: bytes) -> Decoded:
    """Raises anything for a file that is damaged or larger."""
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    image: Image.Image = Image.open(io.BytesIO(data), formats=(kind,))
    if image.width * image.height > max_pixels:
        raise ValueError("the picture is larger than its file says")
    size = image.size
    if kind == "HEIF" and image.info.get("bit_depth", 8) > 8 and (deep := decode_deep(image, data)) is not None:
        return deep
    image.info.pop("xmp", None)  # Pillow would take an orientation from there
    orientation = image.getexif().get(274, 1) if kind == "AVIF" else 1  # Pillow reports `irot` and `imir` there
    if kind == "AVIF" and is_deep_avif(data) and (deep := decode_deep_avif(image, orientation, data)) is not None:
        return deep
    image.load()
    if image.size != size:
        raise ValueError("the picture has another size than its file says")  # pragma: no cover - libheif refuses it
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return Decoded(image, orientation)


def decode_deep(image: Image.Image, data: bytes) -> Decoded | None:
    """A HEIF of 10 or 12 bits, of which Pillow would keep 8. None for one whose colours are premultiplied."""
    import pillow_heif

    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    deep = file[file.primary_index]
    mode = _DEEP_MODES.get(deep.mode)
    if mode is None:
        return None
    samples, stride, row_bytes = memoryview(deep.data), deep.stride, 2 * len(mode) * image.width
    if deep.size != image.size or stride < row_bytes or len(samples) < stride * (image.height - 1) + row_bytes:
        raise ValueError("the picture has another size than its file says")  # pragma: no cover - libheif refuses it

    def rows(top: int, bottom: int) -> bytes:
        return b"".join(samples[stride * row : stride * row + row_bytes] for row in range(top, bottom))

    return Decoded(image, 1, rows, mode, image.info["bit_depth"])


class AvifRgb(ctypes.Structure):
    """`avifRGBImage` of libavif 1 (avif/avif.h)."""

    _fields_ = [
        *((name, ctypes.c_uint32) for name in ("width", "height", "depth", "format", "upsampling", "downsampling")),
        *((name, ctypes.c_int) for name in ("no_libyuv", "no_alpha", "premultiplied", "is_float", "max_threads")),
        ("pixels", ctypes.c_void_p),
        ("row_bytes", ctypes.c_uint32),
    ]


class AvifImage(ctypes.Structure):
    """The beginning of `avifImage`."""

    _fields_ = [
        *(
            (name, ctypes.c_uint32)
            for name in ("width", "height", "depth", "yuv_format", "yuv_range", "chroma_position")
        ),
        ("planes", ctypes.c_void_p * 3),
        ("row_bytes", ctypes.c_uint32 * 3),
        ("owns_planes", ctypes.c_int),
        ("alpha_plane", ctypes.c_void_p),
    ]


def is_deep_avif(data: bytes) -> bool:
    """By the bit `high_bitdepth` of a box `av1C` (AV1 Codec ISO Media File Format Binding, 2.3.3)."""
    position = data.find(b"av1C")
    while position >= 0:
        if data[position + 6 : position + 7] and data[position + 6] & 0x40:
            return True
        position = data.find(b"av1C", position + 4)
    return False


def decode_deep_avif(image: Image.Image, orientation: int, data: bytes) -> Decoded | None:
    """An AVIF of 10 or 12 bits, of which Pillow returns 8: by calls of the libavif that Pillow brings. None where that
    is another one, or refuses what Pillow lets pass."""
    try:
        library = ctypes.CDLL(_avif.__file__)
        library.avifVersion.restype = ctypes.c_char_p
        if not library.avifVersion().startswith(b"1."):
            return None
        library.avifDecoderCreate.restype = ctypes.c_void_p
        library.avifImageCreateEmpty.restype = ctypes.POINTER(AvifImage)
        decoder, deep = ctypes.c_void_p(library.avifDecoderCreate()), library.avifImageCreateEmpty()
        try:
            if library.avifDecoderReadMemory(decoder, deep, data, ctypes.c_size_t(len(data))) != 0:
                return None
            return deep_samples(library, image, orientation, deep)
        finally:
            library.avifImageDestroy(deep)
            library.avifDecoderDestroy(decoder)
    except (OSError, AttributeError, MemoryError):
        return None


def deep_samples(library: ctypes.CDLL, image: Image.Image, orientation: int, deep: Any) -> Decoded | None:
    head = deep.contents
    if (head.width, head.height) != image.size or head.depth <= 8:
        return None
    mode = "RGBA" if head.alpha_plane else "RGB"
    rgb, row_bytes = AvifRgb(), 2 * len(mode) * image.width
    library.avifRGBImageSetDefaults(ctypes.byref(rgb), deep)
    samples = ctypes.create_string_buffer(row_bytes * image.height)
    rgb.depth, rgb.format, rgb.pixels, rgb.row_bytes = 16, len(mode) - 3, ctypes.addressof(samples), row_bytes
    if library.avifImageYUVToRGB(deep, ctypes.byref(rgb)) != 0:
        return None
    view = memoryview(samples)
    return Decoded(
        image, orientation, lambda top, bottom: bytes(view[row_bytes * top : row_bytes * bottom]), mode, _ALL_BITS
    )


def write(decoded: Decoded, target: BinaryIO) -> None:
    """A line of JSON, the profile, and the samples."""
    about = {
        "mode": decoded.mode,
        "size": decoded.size,
        "bits": decoded.bits,
        "orientation": decoded.orientation,
        "profile_bytes": len(decoded.profile),
    }
    target.write(json.dumps(about).encode() + b"\n" + decoded.profile)
    height = decoded.size[1]
    for top in range(0, height, _BAND_ROWS):
        target.write(decoded.rows(top, min(top + _BAND_ROWS, height)))


def limit_resources(max_pixels: int) -> None:
    memory = _FIXED_BYTES + _BYTES_A_PIXEL * max_pixels
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    kind, max_pixels = sys.argv[1], int(sys.argv[2])
    limit_resources(max_pixels)
    write(decode(kind, max_pixels, sys.stdin.buffer.read()), sys.stdout.buffer)


if __name__ == "__main__":
    main()
