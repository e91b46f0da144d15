"""Decode one HEIF or AVIF picture from standard input to standard output: the program that `isolated` runs.

It imports nothing of the project, so that it starts in a tenth of a second and only has its own memory to lose.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import BinaryIO

from PIL import AvifImagePlugin, Image

_CPU_S = 30
_FIXED_BYTES = 384 << 20
_BYTES_A_PIXEL = 16  # 12 are needed, of pictures in 10 bits with transparency
_BAND_ROWS = 64


def decode(kind: str, max_pixels: int, data: bytes) -> tuple[Image.Image, int]:
    """The picture as L, RGB or RGBA, and its orientation. Raises anything for a file that is damaged or larger."""
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    image: Image.Image = Image.open(io.BytesIO(data), formats=(kind,))
    if image.width * image.height > max_pixels:
        raise ValueError("the picture is larger than its file says")
    size = image.size
    image.info.pop("xmp", None)  # Pillow would take an orientation from there
    orientation = image.getexif().get(274, 1) if kind == "AVIF" else 1  # Pillow reports `irot` and `imir` there
    image.load()
    if image.size != size:
        raise ValueError("the picture has another size than its file says")
    if image.mode.startswith("I;16"):  # grey of 10 or 12 bits, which Pillow would cut off at 255
        image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image, orientation


def write(image: Image.Image, orientation: int, target: BinaryIO) -> None:
    """A line of JSON, the profile, and the pixels."""
    profile = image.info.get("icc_profile") or b""
    about = {"mode": image.mode, "size": image.size, "orientation": orientation, "profile_bytes": len(profile)}
    target.write(json.dumps(about).encode() + b"\n" + profile)
    for top in range(0, image.height, _BAND_ROWS):
        target.write(image.crop((0, top, image.width, min(top + _BAND_ROWS, image.height))).tobytes())


def limit_resources(max_pixels: int) -> None:
    memory = _FIXED_BYTES + _BYTES_A_PIXEL * max_pixels
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    kind, max_pixels = sys.argv[1], int(sys.argv[2])
    limit_resources(max_pixels)
    write(*decode(kind, max_pixels, sys.stdin.buffer.read()), sys.stdout.buffer)


if __name__ == "__main__":
    main()
