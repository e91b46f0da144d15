"""Tile pools for previews: cut from the pictures' smallest thumbnails, and kept while somebody moves a slider."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import errors
from models.images import Images
from processing import mosaic
from processing.executors import Executors
from processing.images.thumbnails import WIDTHS, Thumbnails
from processing.mosaic import TilePool

SIDE_PX = 64
CACHE_SIZE = 1500
"""12 KiB each."""
CHUNK_SIZE = 16
"""Cut in one turn of a preview thread, so that other previews come in between."""

TilePixels = NDArray[np.uint8]


class PreviewTiles:
    """Pools of what the caller has found to be allowed; the newest KEPT tiles stay in memory."""

    def __init__(self, images: Images, thumbnails: Thumbnails, executors: Executors) -> None:
        self._images, self._thumbnails, self._executors = images, thumbnails, executors
        self._cache: OrderedDict[int, TilePixels] = OrderedDict()

    async def pool(self, image_ids: Sequence[int]) -> TilePool:
        """Of at least one picture. Raises RecipeImpossible naming `tiles` for one that is gone; BucketUnavailable."""
        tiles: dict[int, TilePixels] = {}
        for first in range(0, len(image_ids), CHUNK_SIZE):
            tiles |= await self._tiles(image_ids[first : first + CHUNK_SIZE])
        return await self._executors.preview(mosaic.pool_from_tiles, list(tiles), np.stack(list(tiles.values())))

    async def _tiles(self, image_ids: Sequence[int]) -> dict[int, TilePixels]:
        missing = [image_id for image_id in image_ids if image_id not in self._cache]
        thumbnails = await asyncio.gather(*(self._smallest_thumbnail(image_id) for image_id in missing))
        new_tiles = (
            dict(zip(missing, await self._executors.preview(_cut_all, thumbnails), strict=True)) if missing else {}
        )
        tiles = {
            image_id: self._cache[image_id] if image_id in self._cache else new_tiles[image_id]
            for image_id in image_ids
        }
        self._remember(tiles)
        return tiles

    def _remember(self, tiles: dict[int, TilePixels]) -> None:
        for image_id, tile in tiles.items():
            self._cache[image_id] = tile
            self._cache.move_to_end(image_id)
        while len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)

    async def _smallest_thumbnail(self, image_id: int) -> bytes:
        try:
            return await self._thumbnails.get(await self._images.by_id(image_id), WIDTHS[0])
        except errors.NotFound as error:
            allowed = "pictures that are still there"
            raise errors.RecipeImpossible(retryable=False, field="tiles", value=image_id, allowed=allowed) from error


def _cut_all(images: Sequence[bytes]) -> list[TilePixels]:
    return [mosaic.cut_tile(image, side=SIDE_PX) for image in images]
