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


def looked_up(image: Image.Image, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, height, width): every number of an RGB picture, channel by channel, by a table of 256.

    The table is given as a palette, each number's four bytes as a colour: `Image.point` first clears the memory for
    its answer while it holds the lock.
    """
    numbers = np.ascontiguousarray(np.moveaxis(pixels(image)[..., :3], -1, 0))
    indices = Image.frombuffer("P", (image.width, 3 * image.height), numbers, "raw", "P", 0, 1)
    indices.putpalette(table.tobytes(), "RGBA")
    return pixels(indices.convert("RGBA")).view(np.float32).reshape(numbers.shape)
