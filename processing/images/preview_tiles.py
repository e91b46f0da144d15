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
from processing.engine.threads import Threads
from processing.images.thumbnails import WIDTHS, Thumbnails
from processing.mosaic import Pool

SIDE_PX = 64
KEPT = 1500
"""12 KiB each."""
AT_ONCE = 16
"""Cut in one turn of a preview thread, so that other previews come in between."""

Tile = NDArray[np.uint8]


class PreviewTiles:
    """Pools of what the caller has found to be allowed; the newest KEPT tiles stay in memory."""

    def __init__(self, images: Images, thumbnails: Thumbnails, threads: Threads) -> None:
        self._images, self._thumbnails, self._threads = images, thumbnails, threads
        self._cut: OrderedDict[int, Tile] = OrderedDict()

    async def pool(self, image_ids: Sequence[int]) -> Pool:
        """Of at least one picture. Raises RecipeImpossible naming `tiles` for one that is gone; BucketUnavailable."""
        tiles: dict[int, Tile] = {}
        for first in range(0, len(image_ids), AT_ONCE):
            tiles |= await self._tiles(image_ids[first : first + AT_ONCE])
        return await self._threads.preview(mosaic.make_pool, list(tiles), np.stack(list(tiles.values())))

    async def _tiles(self, image_ids: Sequence[int]) -> dict[int, Tile]:
        missing = [image_id for image_id in image_ids if image_id not in self._cut]
        small = await asyncio.gather(*(self._small(image_id) for image_id in missing))
        fresh = dict(zip(missing, await self._threads.preview(_cut_all, small), strict=True)) if missing else {}
        tiles = {image_id: self._cut[image_id] if image_id in self._cut else fresh[image_id] for image_id in image_ids}
        self._keep(tiles)
        return tiles

    def _keep(self, tiles: dict[int, Tile]) -> None:
        for image_id, tile in tiles.items():
            self._cut[image_id] = tile
            self._cut.move_to_end(image_id)
        while len(self._cut) > KEPT:
            self._cut.popitem(last=False)

    async def _small(self, image_id: int) -> bytes:
        try:
            return await self._thumbnails.get(await self._images.by_id(image_id), WIDTHS[0])
        except errors.NotFound as error:
            allowed = "pictures that are still there"
            raise errors.RecipeImpossible(passing=False, field="tiles", value=image_id, allowed=allowed) from error


def _cut_all(pictures: Sequence[bytes]) -> list[Tile]:
    return [mosaic.cut_tile(picture, side=SIDE_PX) for picture in pictures]
