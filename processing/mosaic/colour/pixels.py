"""Access to the pixels of Pillow images from NumPy without holding the interpreter lock.

`np.asarray(image)` and `image.getchannel` copy every pixel while they hold the lock, so that concurrent renders wait
for each other. Here images are shared as Arrow arrays, and NumPy copies what must be copied without the lock.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_RAW_MODES = {"RGB": "RGBX"}


def pixels(image: Image.Image) -> NDArray[Any]:
    """The image's own memory, read-only; the image must not be changed meanwhile.

    (height, width) uint8 for mode L, float32 for F; (height, width, 4) uint8 for RGB and RGBA, where the fourth number
    of RGB has no meaning. Pillow stores images above 16 MB in several blocks of memory; these are copied.
    """
    from nanoarrow import c_array  # with the first picture: a server starts without it

    dtype = np.dtype(np.float32 if image.mode == "F" else np.uint8)
    try:
        shared = c_array(image)
    except ValueError:  # several blocks
        flat = np.frombuffer(image.tobytes("raw", _RAW_MODES.get(image.mode, image.mode)), dtype)
    else:
        values = shared.child(0) if shared.n_children else shared  # as an array that keeps the memory alive
        flat = np.frombuffer(values.view().buffer(1), dtype)
    return flat.reshape(image.height, image.width, *([4] if len(image.getbands()) > 1 else []))


def image_of(packed: NDArray[np.uint32]) -> Image.Image:
    """(height, width) numbers whose bytes are R, G, B, X as an image that shares their memory."""
    height, width = packed.shape
    return Image.frombuffer("RGBX", (width, height), packed, "raw", "RGBX", 0, 1)


def apply_lut(
    image: Image.Image,
    lut: NDArray[np.float32],
    channels: slice = slice(3),
) -> NDArray[np.float32]:
    """(3, height, width): every value of an RGB image, channel by channel, looked up in `lut` (256,).

    channels: only these.
    """
    planes = np.ascontiguousarray(np.moveaxis(pixels(image)[..., :3][..., channels], -1, 0))
    return look_up(planes.reshape(-1, image.width), lut).reshape(planes.shape)


def look_up(values: NDArray[np.uint8], lut: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, ...) contiguous -> (rows, numbers of a row), looked up in `lut` (256,).

    The table is given to Pillow as a palette, the four bytes of each number as a colour: `Image.point` would first
    clear the memory for its result while holding the lock.
    """
    row = values[0].size
    indices = Image.frombuffer("P", (row, len(values)), values, "raw", "P", 0, 1)
    indices.putpalette(lut.tobytes(), "RGBA")
    return pixels(indices.convert("RGBA")).view(np.float32).reshape(len(values), row)
