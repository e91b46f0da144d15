"""Tiles out of pictures: each decoded as small as will do, cut to a square from its middle, and scaled."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ...codec.decode import MAX_MEGAPIXELS, decode
from ...errors import BadParameter
from ...progress import Progress, Stage
from .tile_pool import GRID, Pool, make_pool

TILE_PX = 64


def collect(
    pictures: Iterable[tuple[int, bytes]],
    progress: Progress | None = None,
    *,
    side: int = TILE_PX,
    megapixels: float = MAX_MEGAPIXELS,
) -> Pool:
    """The tile pool of some pictures, each with the id that the cell map will call it by.

    side: pixels of a tile, rounded up to a multiple of 8; 64 take 12 KiB each. progress: called with 0.0 after each
    picture, as their number is not known; what it raises stops the work. To keep tiles from one pool to the next,
    or to pass over damaged pictures, use cut_tile and make_pool.
    Raises NotAPicture and TooManyPixels, and BadParameter when there is no picture at all.
    """
    ids, tiles = [], []
    for name, data in pictures:
        tiles.append(cut_tile(data, side=side, megapixels=megapixels))
        ids.append(name)
        if progress is not None:
            progress(0.0)
    if not ids:
        raise BadParameter(field="pool", value=[], allowed="at least one picture")
    return make_pool(ids, np.stack(tiles))


def cut_tile(data: bytes, *, side: int = TILE_PX, megapixels: float = MAX_MEGAPIXELS) -> NDArray[np.uint8]:
    """(side, side, 3) uint8 of a JPEG, PNG, GIF or WebP, side rounded up to a multiple of 8."""
    side += -side % (2 * GRID)
    source = decode(data, Stage(), megapixels=megapixels, shrink=lambda *size: max(1, min(8, min(size) // (2 * side))))
    image = ImageOps.fit(source.image, (side, side), Image.Resampling.HAMMING)
    return np.asarray(image)
