"""Decode one HEIF or AVIF picture from standard input to standard output: the program that `isolated` runs.

It imports nothing of the project, so that it starts in a tenth of a second and only has its own memory to lose.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Callable
from typing import BinaryIO

from PIL import AvifImagePlugin, Image

_CPU_S = 30
_FIXED_BYTES = 384 << 20
_BYTES_A_PIXEL = 16  # 12 are needed, of pictures in 10 bits with transparency
_BAND_ROWS = 64
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
    image.load()
    if image.size != size:
        raise ValueError("the picture has another size than its file says")
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
        raise ValueError("the picture has another size than its file says")

    def rows(top: int, bottom: int) -> bytes:
        return b"".join(samples[stride * row : stride * row + row_bytes] for row in range(top, bottom))

    return Decoded(image, 1, rows, mode, image.info["bit_depth"])


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
