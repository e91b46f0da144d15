"""Cutting: a tile is the part of a picture that shows most detail, in the shape of the cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..cells.hexagons import ASPECT as HEXAGON_ASPECT
from ..codec.decode import MAX_MEGAPIXELS, decode
from ..progress import Progress
from .centering import tile_centering
from .features import GRID

TILE_PX = 64
SQUARE, HEXAGON = "1:1", "hexagon"
ASPECTS = {SQUARE: 1.0, "4:3": 4 / 3, "3:4": 3 / 4, "3:2": 3 / 2, HEXAGON: HEXAGON_ASPECT}
"""Shapes of tiles: width / height, of a hexagon those of the box around it."""

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
    high = min(float(image.height), wide / aspect)
    left, top = (image.width - wide) * centering[0], (image.height - high) * centering[1]
    box = left, top, min(left + wide, image.width), min(top + high, image.height)
    return Tile(np.asarray(image.resize(size, Image.Resampling.HAMMING, box=box)), centering)


def decode_for_tiles(data: bytes, side: int, megapixels: float = MAX_MEGAPIXELS) -> Image.Image:
    """A picture with at least twice as many pixels as tiles of that side need. Raises NotAPicture, TooManyPixels."""
    return decode(
        data,
        Progress(),
        megapixels=megapixels,
        reduction_for=lambda width, height: max(1, min(8, min(width, height) // (2 * side))),
    ).image
