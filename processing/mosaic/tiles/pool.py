"""Tile pools: the pictures that a photomosaic is built from, analysed once and used many times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..codec.decode import MAX_MEGAPIXELS
from ..errors import BadParameter, Message
from ..progress import ProgressCallback
from .centering import CROPS
from .cutting import SQUARE, TILE_PX, cut_tile
from .duplicates import first_equals
from .features import Features, Squares, thumbnail_features
from .files import TileSource
from .packed import PackedFeatures

_MAX_MINIATURE_DIFFERENCE = 3.0  # of 255, mean over the pixels: less than of tiles, whose noise is not averaged out


@dataclass(frozen=True, slots=True, eq=False)
class TilePool:
    """Immutable: may be kept and shared between threads; a pool whose tiles are pixels may be pickled.

    ids: (n,) int64, the caller's ids of the images. Each has the same number of tiles, which are crops of it, one image
    after another. tiles: (n * crop_count, side, side, 3) uint8, or where they are read from when they are used.
    features: (n * crop_count, GRID * GRID, 3). crops: (n * crop_count, 3), as `tile_crops` returns them; NaN where they
    are not known.
    first_equals: (n,), the index of the first image that shows the same. shape: of the tiles, in ASPECTS; pixels are
    squeezed to squares.
    """

    ids: NDArray[np.int64]
    tiles: Squares | TileSource
    features: Features
    first_equals: NDArray[np.intp]
    crops: NDArray[np.float64]
    shape: str = SQUARE

    @property
    def crop_count(self) -> int:
        """Of one image."""
        return len(self.crops) // len(self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, ids: Sequence[int]) -> TilePool:
        """The pool of these images alone. Raises BadParameter naming `tiles` for an id that it does not hold."""
        index_of = {tile_id: index for index, tile_id in enumerate(self.ids.tolist())}
        missing = [tile_id for tile_id in ids if tile_id not in index_of]
        if missing:
            raise BadParameter(field="tiles", value=missing[0], allowed=Message("pictures of the tile pool"))
        indices = np.array([index_of[tile_id] for tile_id in dict.fromkeys(ids)])
        return self._part(indices)

    @property
    def distinct(self) -> NDArray[np.intp]:
        """The indexes of its images, increasing: of those that show the same, the first."""
        return np.unique(self.first_equals)

    def features_of(self, images: NDArray[np.intp]) -> Features:
        """(len(images), crop_count, GRID * GRID, 3). Of all images it is not a copy."""
        features = self.features.reshape(len(self), self.crop_count, *self.features.shape[1:])
        return features if len(images) == len(self) else features[images]

    def _part(self, indices: NDArray[np.intp]) -> TilePool:
        _, places, same = np.unique(self.first_equals[indices], return_index=True, return_inverse=True)
        tiles = np.add.outer(indices * self.crop_count, np.arange(self.crop_count)).ravel()
        return TilePool(
            self.ids[indices], self.tiles[tiles], self.features[tiles], places[same], self.crops[tiles], self.shape
        )


def build_pool(
    images: Iterable[tuple[int, bytes]],
    progress: ProgressCallback | None = None,
    *,
    side: int = TILE_PX,
    shape: str = SQUARE,
    crops: int = CROPS,
    megapixels: float = MAX_MEGAPIXELS,
) -> TilePool:
    """A tile pool of image files, each with the id that stands for it in the cell map.

    side: pixels of a tile, rounded up to a multiple of 8; a tile of 64 takes 12 KiB, an image of five 60. shape: in
    ASPECTS. crops: tiles of each image, 1 to CROPS. progress: called with 0.0 after each image, as their number is
    unknown; may raise to stop.
    Raises NotAPicture, TooManyPixels, and BadParameter if there is no image at all.
    """
    ids, boxes, pixels = list[int](), list[NDArray[np.float64]](), np.empty(0, np.uint8)
    for tile_id, data in images:
        tile = cut_tile(data, side=side, shape=shape, crops=crops, megapixels=megapixels)
        start, end = len(ids) * len(tile.pixels), (len(ids) + 1) * len(tile.pixels)
        if end > len(pixels):  # in place: a list of tiles would be there twice when it is joined
            pixels.resize((end + end // 4, *tile.pixels.shape[1:]), refcheck=False)
        pixels[start:end] = tile.pixels
        boxes.append(tile.crops)
        ids.append(tile_id)
        if progress is not None:
            progress(0.0)
    if not ids:
        raise BadParameter(field="pool", value=[], allowed=Message("at least one picture"))
    pixels.resize((len(ids) * crops, *pixels.shape[1:]), refcheck=False)
    return pool_from_tiles(ids, pixels, np.concatenate(boxes), shape)


def pool_from_tiles(
    ids: Sequence[int], tiles: Squares, crops: NDArray[np.float64] | None = None, shape: str = SQUARE
) -> TilePool:
    """A pool of pixels: (n, side, side, 3) uint8, side a multiple of 2 * GRID, n at least 1.

    There are as many tiles as ids, or several times as many, one image after another. crops: (n, 3), of which parts
    they are; None if that is not known.
    """
    features, step = thumbnail_features(tiles), len(tiles) // len(ids)
    places = np.full((len(tiles), 3), np.nan) if crops is None else crops
    equals = first_equals(features[::step], tiles[::step])
    return TilePool(np.asarray(ids, np.int64), tiles, features, equals, places, shape)


def pool_of_features(ids: Sequence[int], packed: PackedFeatures, tiles: TileSource) -> TilePool:
    """A pool of pictures whose features are known. tiles: their pixels, of the same shape and crops."""
    equals = first_equals(packed.features[::CROPS], packed.miniatures, _MAX_MINIATURE_DIFFERENCE)
    return TilePool(np.asarray(ids, np.int64), tiles, packed.features, equals, packed.crops, packed.shape)
