"""Encode: from one RGB picture to the bytes of a file, without metadata."""

from __future__ import annotations

import os
import tempfile
from typing import Any, BinaryIO, cast

from PIL import Image

from ..errors import BadParameter
from ..progress import Stage, attended

MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "svg": "image/svg+xml",
}
_LARGEST_SIDE = {"jpeg": 65_500, "png": 2**31 - 1, "webp": 16_383}


class _Reporting:
    """A file that reports as it grows to at most so many bytes: Pillow writes a PNG some rows at a time, so that each
    write is a chance to stop."""

    def __init__(self, file: BinaryIO, most: int, stage: Stage) -> None:
        self._file, self._most, self._stage = file, most, stage

    def write(self, data: bytes) -> int:
        self._stage(self._file.tell() / self._most)
        return self._file.write(data)


def encode(image: Image.Image, format: str, quality: int, stage: Stage) -> bytes:
    """The picture as jpeg, png or webp. quality: 1 to 100, for jpeg and webp. It must not change, not even once the
    stage's progress has raised: a JPEG or WebP is one call that cannot be stopped.

    Raises whatever the stage's progress raises, and BadParameter when the picture is too large for the format, or too
    rich: libwebp gives up where its first partition, all the modes of all the blocks, would need more than half a
    megabyte (PARTITION0_OVERFLOW).
    """
    check_size(image.width, image.height, format)
    if format == "png":
        return _saved(image, stage, format="PNG", compress_level=1)
    options: dict[str, dict[str, int]] = {
        "jpeg": {"quality": quality, "subsampling": 0},  # cells have hard coloured edges: no chroma subsampling
        "webp": {"quality": quality, "method": 0},
    }
    try:
        return attended(lambda: _saved(image, None, format=format.upper(), **options[format]), lambda: stage(0.0))
    except ValueError as error:
        if "encoding error" not in str(error):
            raise
        said = f"jpeg, png for a picture of {image.width} x {image.height} pixels with so much detail"
        raise BadParameter(field="format", value=format, allowed=said) from error


def check_size(width: int, height: int, format: str) -> None:
    """Raises BadParameter when the format cannot hold a picture of that size."""
    if max(width, height) > _LARGEST_SIDE.get(format, 2**31):
        fit = ", ".join(name for name, side in _LARGEST_SIDE.items() if max(width, height) <= side)
        raise BadParameter(field="format", value=format, allowed=f"{fit} for {width} x {height} pixels")


def _saved(image: Image.Image, stage: Stage | None, **options: Any) -> bytes:
    """Written to a real file descriptor: only then does Pillow's encoder of JPEG release the interpreter lock."""
    with _scratch_file() as file:
        most = 3 * image.width * image.height
        image.save(file if stage is None else cast(BinaryIO, _Reporting(file, most, stage)), **options)
        file.seek(0)
        return file.read()


def _scratch_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("result", os.MFD_CLOEXEC), "w+b")
    return tempfile.TemporaryFile()
