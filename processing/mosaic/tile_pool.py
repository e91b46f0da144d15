"""Tile pools: the small square images that a photomosaic is built from, analysed once and used many times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .codec.decode import MAX_MEGAPIXELS, decode
from .colour.oklab import srgb_to_oklab
from .colour.srgb import linearise, to_bytes
from .errors import BadParameter
from .progress import Progress, ProgressCallback, pieces
from .tile_centering import tile_centering
from .tile_duplicates import first_equals

GRID = 4
"""Tiles and cells are compared as thumbnails of GRID x GRID pixels."""
TILE_PX = 64
MAX_POOL_BYTES = 170_000_000
"""Of a pool's pixels: 500 tiles of 336 pixels, 2,000 of 168."""
SQUARE = "1:1"
ASPECTS = {SQUARE: 1.0, "4:3": 4 / 3, "3:4": 3 / 4, "3:2": 3 / 2}
"""Shapes of tiles: width / height."""

_LARGE_PX = 16  # side of a thumbnail's pixel in tile pixels: above, few tiles are processed at a time
_PIECE_PX = 1 << 17  # tile pixels converted at a time: each takes some 60 bytes, and NumPy holds the lock meanwhile

Tiles = NDArray[np.uint8]  # (n, side, side, 3), sRGB
Number = TypeVar("Number", bound=np.generic)
Features = NDArray[np.float32]  # (..., GRID * GRID, 3): thumbnails in OKLab, row by row


class Tile(NamedTuple):
    """pixels: (side, side, 3) uint8, squeezed to a square. centering: which part of the picture it is, as
    `tile_centering` says."""

    pixels: NDArray[np.uint8]
    centering: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class TilePool:
    """Immutable data: may be kept, pickled, and shared between threads.

    ids: (n,) int64, the caller's ids of the images. tiles: (n, side, side, 3) uint8. features: (n, GRID * GRID, 3).
    first_equals: (n,), the index of the first tile that shows the same picture. centerings: (n, 2), of each tile; NaN
    where it is not known. shape: of the tiles, in ASPECTS; their pixels are squeezed to squares.
    """

    ids: NDArray[np.int64]
    tiles: Tiles
    features: Features
    first_equals: NDArray[np.intp]
    centerings: NDArray[np.float64]
    shape: str = SQUARE

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, ids: Sequence[int]) -> TilePool:
        """The pool of these images alone. Raises BadParameter naming `tiles` for an id that it does not hold."""
        index_of = {tile_id: index for index, tile_id in enumerate(self.ids.tolist())}
        missing = [tile_id for tile_id in ids if tile_id not in index_of]
        if missing:
            raise BadParameter(field="tiles", value=missing[0], allowed="pictures of the tile pool")
        indices = np.array([index_of[tile_id] for tile_id in dict.fromkeys(ids)])
        return self._part(indices)

    def distinct(self) -> TilePool:
        """The pool with every picture once; itself, not a copy, if that is so already."""
        if np.array_equal(self.first_equals, np.arange(len(self))):
            return self
        return self._part(np.unique(self.first_equals))

    def _part(self, indices: NDArray[np.intp]) -> TilePool:
        _, places, same = np.unique(self.first_equals[indices], return_index=True, return_inverse=True)
        return TilePool(
            self.ids[indices],
            self.tiles[indices],
            self.features[indices],
            places[same],
            self.centerings[indices],
            self.shape,
        )


def largest_side(count: int) -> int:
    """The side in pixels, a multiple of 8, of which so many tiles take MAX_POOL_BYTES; at least TILE_PX."""
    step = 2 * GRID
    return max(TILE_PX, math.isqrt(MAX_POOL_BYTES // (3 * max(1, count))) // step * step)


def build_pool(
    images: Iterable[tuple[int, bytes]],
    progress: ProgressCallback | None = None,
    *,
    side: int = TILE_PX,
    shape: str = SQUARE,
    megapixels: float = MAX_MEGAPIXELS,
) -> TilePool:
    """A tile pool of image files, each with the id that stands for it in the cell map.

    side: pixels of a tile, rounded up to a multiple of 8; a tile of 64 takes 12 KiB. shape: in ASPECTS. progress:
    called with 0.0 after each image, as their number is unknown; may raise to stop. To cache tiles or to skip damaged
    images, use cut_tile and pool_of instead.
    Raises NotAPicture, TooManyPixels, and BadParameter if there is no image at all.
    """
    ids, tiles = [], []
    for tile_id, data in images:
        tiles.append(cut_tile(data, side=side, shape=shape, megapixels=megapixels))
        ids.append(tile_id)
        if progress is not None:
            progress(0.0)
    if not ids:
        raise BadParameter(field="pool", value=[], allowed="at least one picture")
    return pool_of(ids, tiles, shape)


def cut_tile(data: bytes, *, side: int = TILE_PX, shape: str = SQUARE, megapixels: float = MAX_MEGAPIXELS) -> Tile:
    """The part of an image file that shows most detail. side: pixels, rounded up to a multiple of 8. shape: in ASPECTS.

    Raises NotAPicture, TooManyPixels.
    """
    side += -side % (2 * GRID)
    source = decode(
        data,
        Progress(),
        megapixels=megapixels,
        reduction_for=lambda width, height: max(1, min(8, min(width, height) // (2 * side))),
    )
    image, aspect = source.image, ASPECTS[shape]
    centering = tile_centering(image, aspect)
    wide = min(float(image.width), image.height * aspect)
    left, top = (image.width - wide) * centering[0], (image.height - wide / aspect) * centering[1]
    part = image.resize((side, side), Image.Resampling.HAMMING, box=(left, top, left + wide, top + wide / aspect))
    return Tile(np.asarray(part), centering)


class PoolBuilder:
    """Takes tiles one by one into the memory of the pool, so that no tile is in memory twice."""

    def __init__(self, count: int, *, side: int, shape: str = SQUARE) -> None:
        """count: of tiles, at most. side: of those that `cut_tile` cuts."""
        side += -side % (2 * GRID)
        self._pixels, self._shape = np.empty((count, side, side, 3), np.uint8), shape
        self._ids: list[int] = []
        self._centerings: list[tuple[float, float]] = []

    def add(self, tile_id: int, tile: Tile) -> None:
        self._pixels[len(self._ids)] = tile.pixels
        self._ids.append(tile_id)
        self._centerings.append(tile.centering)

    def build(self) -> TilePool:
        """The pool of the tiles so far, at least one; called once."""
        return pool_from_tiles(self._ids, self._pixels[: len(self._ids)], self._centerings, self._shape)


def pool_of(ids: Sequence[int], tiles: Sequence[Tile], shape: str = SQUARE) -> TilePool:
    """A pool of tiles that `cut_tile` has cut, all of one size and shape, at least one."""
    return pool_from_tiles(ids, np.stack([tile.pixels for tile in tiles]), [tile.centering for tile in tiles], shape)


def pool_from_tiles(
    ids: Sequence[int], tiles: Tiles, centerings: Sequence[tuple[float, float]] = (), shape: str = SQUARE
) -> TilePool:
    """A pool of pixels: (n, side, side, 3) uint8, side a multiple of 2 * GRID, n at least 1.

    centerings: where they were cut; () if that is not known.
    """
    features = thumbnail_features(tiles)
    places = np.array(centerings) if centerings else np.full((len(tiles), 2), np.nan)
    return TilePool(np.asarray(ids, np.int64), tiles, features, first_equals(features, tiles), places, shape)


def mirrored_features(features: NDArray[Number]) -> NDArray[Number]:
    """(..., GRID * GRID, 3): of the same tiles, mirrored left to right."""
    squares = features.reshape(-1, GRID, GRID, 3)
    return squares[:, :, ::-1].reshape(features.shape)


def thumbnail_features(squares: Tiles) -> Features:
    """(n, side, side, 3) sRGB bytes -> (n, GRID * GRID, 3) OKLab of thumbnails averaged in linear light."""
    count, side = squares.shape[:2]
    table = linearise(np.arange(256) / 255.0).astype(np.float32)
    features = np.empty((count, GRID * GRID, 3), np.float32)
    for piece in pieces(count, max(1, _PIECE_PX // (side * side))):
        means = to_bytes(_thumbnails(table[squares[piece]]), linear=True)
        features[piece] = srgb_to_oklab(means).reshape(-1, GRID * GRID, 3)
    return features


def _thumbnails(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, side, side, 3) -> (n, GRID, GRID, 3) means.

    Adds the arrays of all pixels with the same position inside their thumbnail pixel, which NumPy does a row at a time.
    """
    across = light.shape[1] // GRID
    sums = np.zeros((len(light), GRID, GRID, 3), np.float32)
    if across > _LARGE_PX:  # large tiles, of which a piece holds few: add whole rows first
        rows = np.zeros((len(light), GRID, light.shape[2], 3), np.float32)
        for y in range(across):
            rows += light[:, y::across]
        for x in range(across):
            sums += rows[:, :, x::across]
    else:
        for y in range(across):
            for x in range(across):
                sums += light[:, y::across, x::across]
    sums /= across * across
    return sums
