"""Small images for tests."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def photo(width: int = 60, height: int = 40, seed: int = 1) -> Image.Image:
    """Smooth colours with noise: neighbouring blocks differ."""
    random = np.random.default_rng(seed)
    across, down = np.linspace(0, 1, width), np.linspace(0, 1, height)[:, None]
    smooth = np.stack([across + 0 * down, 0 * across + down, (across + down) / 2], axis=-1) * 200
    return Image.fromarray((smooth + random.integers(0, 56, (height, width, 3))).astype(np.uint8), "RGB")


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png(width: int = 60, height: int = 40, seed: int = 1) -> bytes:
    return encoded(photo(width, height, seed), "PNG")


def padded_jpeg(size_bytes: int, seed: int = 1) -> bytes:
    """A JPEG of at least this size and few pixels: comments make it large, so that only its transfer costs time."""
    start, rest = (picture := jpeg(64, 48, seed))[:2], picture[2:]
    comment = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
    return start + comment * -(-size_bytes // len(comment)) + rest


def jpeg(width: int = 60, height: int = 40, seed: int = 1) -> bytes:
    return encoded(photo(width, height, seed), "JPEG", quality=90)
