"""Cutting: a tile is a part of a picture in the shape of the cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..cells.hexagons import ASPECT as HEXAGON_ASPECT
from ..codec.decode import MAX_MEGAPIXELS, decode
from ..progress import Progress
from .centering import CROPS, tile_centering, tile_crops
from .features import GRID

TILE_PX = 64
SQUARE, HEXAGON = "1:1", "hexagon"
ASPECTS = {SQUARE: 1.0, "4:3": 4 / 3, "3:4": 3 / 4, "3:2": 3 / 2, HEXAGON: HEXAGON_ASPECT}
"""Shapes of tiles: width / height, of a hexagon those of the box around it."""

Crop = tuple[float, float, float]
"""The shares of what is cut off at the left and at the top, and the size: 1 for the largest of the tile's shape."""


class Tile(NamedTuple):
    """pixels: (crops, high, wide, 3) uint8. crops: (crops, 3), which parts of the picture they are, the one with most
    detail first."""

    pixels: NDArray[np.uint8]
    crops: NDArray[np.float64]


def cut_tile(
    data: bytes,
    *,
    side: int = TILE_PX,
    shape: str = SQUARE,
    crops: int = CROPS,
    megapixels: float = MAX_MEGAPIXELS,
) -> Tile:
    """The tile of an image file, squeezed to a square. side: pixels, rounded up to a multiple of 8. shape: in ASPECTS.

    crops: how many of its parts, up to CROPS.
    Raises NotAPicture, TooManyPixels.
    """
    side += -side % (2 * GRID)
    image = decode_for_tiles(data, side, megapixels)
    centering = tile_centering(image, ASPECTS[shape])
    parts = tile_crops(np.array([centering]), np.array([image.width / image.height]), ASPECTS[shape])[0, :crops]
    return Tile(np.stack([cut_image(image, (side, side), shape, part) for part in parts.tolist()]), parts)


def cut_image(image: Image.Image, size: tuple[int, int], shape: str, crop: Crop) -> NDArray[np.uint8]:
    """(high, wide, 3): a part of a decoded picture. size: of the tile in pixels."""
    box = crop_box(crop, image.size, ASPECTS[shape])
    return np.asarray(image.resize(size, Image.Resampling.HAMMING, box=box))


def crop_box(crop: Crop, size: tuple[float, float], aspect: float) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a crop in a picture of that size. aspect: of the crop in pixels."""
    wide = min(size[0], size[1] * aspect) * crop[2]
    high = min(size[1], wide / aspect)
    left, top = (size[0] - wide) * crop[0], (size[1] - high) * crop[1]
    return left, top, min(left + wide, size[0]), min(top + high, size[1])


def decode_for_tiles(data: bytes, side: int, megapixels: float = MAX_MEGAPIXELS) -> Image.Image:
    """A picture with at least twice as many pixels as tiles of that side need. Raises NotAPicture, TooManyPixels."""
    return decode(
        data,
        Progress(),
        megapixels=megapixels,
        reduction_for=lambda width, height: max(1, min(8, min(width, height) // (2 * side))),
    ).image
