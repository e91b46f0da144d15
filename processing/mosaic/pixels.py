"""Pixels of Pillow's pictures in NumPy's hands, without the interpreter lock.

`np.asarray(image)` and `image.getchannel` copy every pixel while they hold the lock, so that threads that render wait
for each other. Pictures are shared as Arrow arrays instead, and what has to be copied NumPy copies without the lock.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from nanoarrow import c_array
from numpy.typing import NDArray
from PIL import Image

_RAW = {"RGB": "RGBX"}


def pixels(image: Image.Image) -> NDArray[Any]:
    """The picture's own memory, read-only: (height, width) uint8 of mode L, float32 of F, (height, width, 4) uint8 of
    RGB and RGBA, where the fourth number of RGB means nothing. Do not change the picture meanwhile.

    Pillow keeps pictures above 16 MB in several pieces of memory; those are copied.
    """
    kind = np.dtype(np.float32 if image.mode == "F" else np.uint8)
    try:
        shared = c_array(image)
    except ValueError:  # in several pieces
        flat = np.frombuffer(image.tobytes("raw", _RAW.get(image.mode, image.mode)), kind)
    else:
        numbers = shared.child(0) if shared.n_children else shared  # as an array of its own, which keeps the memory
        flat = np.frombuffer(numbers.view().buffer(1), kind)
    return flat.reshape(image.height, image.width, *([4] if len(image.getbands()) > 1 else []))


def planes(image: Image.Image) -> Image.Image:
    """The three channels of an RGB picture below each other, as mode L three times as high."""
    numbers = np.ascontiguousarray(np.moveaxis(pixels(image)[..., :3], -1, 0))
    return Image.frombuffer("L", (image.width, 3 * image.height), numbers, "raw", "L", 0, 1)


def plane(image: Image.Image, channel: int) -> Image.Image:
    """One channel of a picture in several, as mode L."""
    numbers = np.ascontiguousarray(pixels(image)[..., channel])
    return Image.frombuffer("L", image.size, numbers, "raw", "L", 0, 1)
