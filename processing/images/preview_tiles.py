"""Tile pools for previews: cut from the smallest thumbnails and cached, since a slider asks for them often."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice

from models import errors
from models.images.images import Images
from models.images.visibility import SERVER
from processing import mosaic
from processing.executors import Executors
from processing.images.thumbnails import WIDTHS, Thumbnails
from processing.mosaic import ColourStatistics, Tile, TilePool

SIDE_PX = 64
CACHE_SIZE = 1500
"""12 KiB each."""
CHUNK_SIZE = 16
"""Cut in one call of a preview thread, so that other previews come in between."""


class PreviewTiles:
    """Does not check permissions. The CACHE_SIZE tiles that were used last stay in memory."""

    def __init__(self, images: Images, thumbnails: Thumbnails, executors: Executors) -> None:
        self._images, self._thumbnails, self._executors = images, thumbnails, executors
        self._cache: OrderedDict[tuple[int, str], Tile] = OrderedDict()

    async def pool(self, image_ids: Sequence[int], shape: str) -> TilePool:
        """The pool of at least one image, with tiles of that shape.

        Raises RecipeImpossible for `tiles` if one was deleted; BucketUnavailable.
        """
        image_ids = list(dict.fromkeys(image_ids))
        tiles = {image_id: self._cache[image_id, shape] for image_id in image_ids if (image_id, shape) in self._cache}
        missing = iter([image_id for image_id in image_ids if image_id not in tiles])
        while chunk := list(islice(missing, CHUNK_SIZE)):
            thumbnails = await asyncio.gather(*(self._smallest_thumbnail(image_id) for image_id in chunk))
            tiles |= zip(chunk, await self._executors.preview(_cut_all, thumbnails, shape), strict=True)
        self._remember(tiles, shape)
        return await self._executors.preview(
            mosaic.pool_of, image_ids, [tiles[image_id] for image_id in image_ids], shape
        )

    async def colours(self, image_id: int) -> ColourStatistics:
        """Of an image, for `colours_of`. Raises RecipeImpossible for it if it was deleted; BucketUnavailable."""
        thumbnail = await self._smallest_thumbnail(image_id, field="colours_of")
        return await self._executors.preview(mosaic.colours_of, thumbnail)

    def _remember(self, tiles: dict[int, Tile], shape: str) -> None:
        for image_id, tile in tiles.items():
            self._cache[image_id, shape] = tile
            self._cache.move_to_end((image_id, shape))
        while len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)  # pragma: no cover - more tiles than fit into the cache

    async def _smallest_thumbnail(self, image_id: int, *, field: str = "tiles") -> bytes:
        try:
            return await self._thumbnails.get(await self._images.by_id(image_id, SERVER), WIDTHS[0])
        except errors.NotFound as error:
            allowed = "pictures that are still there"
            raise errors.RecipeImpossible(retryable=False, field=field, value=image_id, allowed=allowed) from error


def _cut_all(images: Sequence[bytes], shape: str) -> list[Tile]:
    return [mosaic.cut_tile(image, side=SIDE_PX, shape=shape) for image in images]
