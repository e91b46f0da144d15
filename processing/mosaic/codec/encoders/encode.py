"""Encode one RGB image to the bytes of a file, without metadata."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from PIL import Image

from ...errors import BadParameter, Message
from ...progress import Progress, pieces, run_interruptible
from .gif import encode_gif
from .png import encode_png
from .webp import WebpStrips, formats_beside_webp, libwebp, too_detailed

MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}
_STRIP_ROWS = 64
_MAX_SIDE = {"jpeg": 65_500, "png": 2**31 - 1, "webp": 16_383, "gif": 65_535}


def encode(image: Image.Image, format: str, quality: int, progress: Progress) -> bytes:
    """Encode an RGB image as jpeg, png, webp or gif. quality: 1 to 100, for jpeg and webp.

    The image must not change afterwards if the progress callback has raised: a JPEG or WebP is encoded in one call,
    which then still runs in the background.
    Raises whatever the progress callback raises, and BadParameter if the image is too large for the format, or too
    detailed, see `too_detailed`.
    """
    check_size(image.width, image.height, format)
    if format == "png":
        return encode_png(image, progress)
    if format == "gif":
        return run_interruptible(lambda: encode_gif([image], ()), lambda: progress(0.0))
    save = encode_jpeg if format == "jpeg" else _encode_webp
    return run_interruptible(lambda: save(image, quality), lambda: progress(0.0))


def encode_animation(
    images: Iterator[Image.Image], durations_ms: list[int], format: str, quality: int, *, differences: bool = False
) -> bytes:
    """Encode frames of one size and mode as png (APNG), webp or gif, looping endlessly. differences: see encode_gif.

    Raises what the iterator raises, and BadParameter if the frames are too detailed for a WebP.
    """
    first, *others = images  # Pillow goes through them twice
    if format == "gif":
        return encode_gif([first, *others], durations_ms, differences=differences)
    options: dict[str, Any] = {"save_all": True, "append_images": others, "duration": durations_ms, "loop": 0}
    if format == "png":
        return _save(first, format="PNG", compress_level=1, **options)
    return _save_webp(first, quality, ("gif", "png"), **options)


def check_size(width: int, height: int, format: str) -> None:
    """Raises BadParameter if the format cannot hold an image of that size."""
    if max(width, height) > _MAX_SIDE.get(format, 2**31):
        formats = tuple(name for name, side in _MAX_SIDE.items() if max(width, height) <= side)
        allowed = Message("{words} for {width} x {height} pixels", words=formats, width=width, height=height)
        raise BadParameter(field="format", value=format, allowed=allowed)


def encode_jpeg(image: Image.Image, quality: int, *, restarts: bool = False) -> bytes:
    """In one call, which cannot be stopped. restarts: with a marker between two rows of blocks."""
    # Cells have sharp coloured edges, so chroma is not subsampled.
    options = {"restart_marker_rows": 1} if restarts else {}
    return _save(image, format="JPEG", quality=quality, subsampling=0, **options)


def _encode_webp(image: Image.Image, quality: int) -> bytes:
    if libwebp() is None:  # pragma: no cover - a Pillow that has libwebp inside
        return _save_webp(image, quality, formats_beside_webp(image.mode))
    encoder = WebpStrips(image.size, image.mode, quality)
    for rows in pieces(image.height, _STRIP_ROWS):
        encoder.add(image.crop((0, rows.start, image.width, rows.stop)))
    return encoder.finish()


def _save_webp(image: Image.Image, quality: int, formats: tuple[str, ...], **options: Any) -> bytes:
    """By Pillow. formats: for the error if the image is too detailed."""
    try:
        return _save(image, format="WEBP", quality=quality, method=0, **options)
    except (ValueError, RuntimeError) as error:  # all that Pillow raises for an encoder that failed
        raise too_detailed(image.size, formats) from error


def _save(image: Image.Image, **options: Any) -> bytes:
    """Save to a real file descriptor: only then does Pillow's JPEG encoder release the interpreter lock."""
    with _scratch_file() as file:
        image.save(file, **options)
        file.seek(0)
        return file.read()


def _scratch_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("result", os.MFD_CLOEXEC), "w+b")
    return tempfile.TemporaryFile()  # pragma: no cover - systems without memfd
