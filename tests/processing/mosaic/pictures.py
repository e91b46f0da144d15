"""Synthetic pictures, and a simple way to write and read files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from processing.mosaic.colour.srgb import encode_srgb, linearise


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    """(height, width, 3) of random bytes: the hardest picture for a mean."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def scene(width: int, height: int) -> np.ndarray:
    """(height, width, 3): soft gradients with some hard edges, like a photo."""
    y, x = np.mgrid[0:height, 0:width]
    disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 3) ** 2
    red = 255 * x / max(width - 1, 1)
    green = 255 * y / max(height - 1, 1)
    return np.stack([red, green, np.where(disc, 220, 40)], axis=-1).astype(np.uint8)


def encoded(pixels: np.ndarray, format: str = "PNG", **options: Any) -> bytes:
    """The pixels as a file."""
    return saved(Image.fromarray(pixels), format, **options)


def saved(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def opened(data: bytes) -> np.ndarray:
    """(height, width, 3) uint8 of a file."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def true_mean(pixels: np.ndarray, linear: bool = True) -> np.ndarray:
    """(3,) the mean of (..., 3) bytes as 0..255 sRGB numbers, in linear light or of the numbers themselves."""
    flat = pixels.reshape(-1, 3) / 255
    mean = encode_srgb(linearise(flat).mean(axis=0)) if linear else flat.mean(axis=0)
    return mean * 255
