"""Cutting: a tile is the part of a picture that shows most detail, in the shape of the cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..codec.decode import MAX_MEGAPIXELS, decode
from ..progress import Progress
from .centering import tile_centering
from .features import GRID

TILE_PX = 64
SQUARE = "1:1"
ASPECTS = {SQUARE: 1.0, "4:3": 4 / 3, "3:4": 3 / 4, "3:2": 3 / 2}
"""Shapes of tiles: width / height."""

Centering = tuple[float, float]


class Tile(NamedTuple):
    """pixels: (high, wide, 3) uint8. centering: which part of the picture it is, as `tile_centering` says."""

    pixels: NDArray[np.uint8]
    centering: Centering


def cut_tile(data: bytes, *, side: int = TILE_PX, shape: str = SQUARE, megapixels: float = MAX_MEGAPIXELS) -> Tile:
    """The tile of an image file, squeezed to a square. side: pixels, rounded up to a multiple of 8. shape: in ASPECTS.

    Raises NotAPicture, TooManyPixels.
    """
    side += -side % (2 * GRID)
    return cut_image(decode_for_tiles(data, side, megapixels), (side, side), shape)


def cut_image(image: Image.Image, size: tuple[int, int], shape: str, centering: Centering | None = None) -> Tile:
    """The tile of a decoded picture. size: of the tile in pixels. centering: None: where most detail is."""
    aspect = ASPECTS[shape]
    centering = centering or tile_centering(image, aspect)
    wide = min(float(image.width), image.height * aspect)
    left, top = (image.width - wide) * centering[0], (image.height - wide / aspect) * centering[1]
    part = image.resize(size, Image.Resampling.HAMMING, box=(left, top, left + wide, top + wide / aspect))
    return Tile(np.asarray(part), centering)


def decode_for_tiles(data: bytes, side: int, megapixels: float = MAX_MEGAPIXELS) -> Image.Image:
    """A picture with at least twice as many pixels as tiles of that side need. Raises NotAPicture, TooManyPixels."""
    return decode(
        data,
        Progress(),
        megapixels=megapixels,
        reduction_for=lambda width, height: max(1, min(8, min(width, height) // (2 * side))),
    ).image
