"""Tile pools for previews: matched by features in memory; tiles come from thumbnails, small ones from the features."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from models import errors
from models.bucket import Bucket
from models.images.images import Images
from models.images.visibility import SERVER
from processing import mosaic_lazy as mosaic
from processing.executors import Executors
from processing.images.thumbnails import WIDTHS, Thumbnails
from processing.images.tile_pool import TileLimits, TileReader, TileRef

if TYPE_CHECKING:  # numpy is imported after the start, as the engine is
    import numpy as np
    from numpy.typing import NDArray

SIDE_PX = 64
CACHE_BYTES = 24 << 20
FEATURES_CACHE_SIZE = 40_000
"""Some 700 bytes each."""
MINIATURE_PX = 16
"""Up to here, tiles are drawn from the features, as nobody can see more."""
READ_LIMIT = 150
"""Thumbnails that one preview reads; further tiles are drawn from the features."""
MEASURED_LIMIT = 500
"""Pictures that are measured for a preview, as nobody has done so yet; further ones are missing in it."""
READ_TIMEOUT_S = 20.0
LIMIT_BYTES = 256 << 20


class PreviewTiles:
    """Does not check permissions. The tiles and features that were used last stay in memory."""

    def __init__(self, images: Images, thumbnails: Thumbnails, bucket: Bucket, executors: Executors) -> None:
        self._images, self._thumbnails, self._bucket, self._executors = images, thumbnails, bucket, executors
        self._features: OrderedDict[int, bytes] = OrderedDict()

    @cached_property
    def _tiles(self) -> mosaic.TileCache:
        return mosaic.TileCache(CACHE_BYTES)

    async def pool(self, tiles: Sequence[TileRef], shape: str, side: int | None = SIDE_PX) -> mosaic.TilePool:
        """The pool of at least one image, with tiles of that shape. side: at which they are cut; None: as for a result.

        Raises RecipeImpossible for `tiles` if one was deleted; BucketUnavailable, StorageFull, Overloaded.
        """
        features = await self.features([tile.image_id for tile in tiles])
        used = [tile for tile in tiles if tile.image_id in features]
        return await self._executors.preview(self._build, used, [features[tile.image_id] for tile in used], shape, side)

    async def features(self, image_ids: Sequence[int]) -> dict[int, bytes]:
        """By id, of at least one image; of images that were not measured yet, of the first MEASURED_LIMIT.

        Raises RecipeImpossible for `tiles` if one was deleted; BucketUnavailable, StorageFull, Overloaded.
        """
        features = {each: self._features[each] for each in image_ids if each in self._features}
        stored = await self._images.features.of(
            [each for each in image_ids if each not in features], mosaic.FEATURES_VERSION
        )
        features |= {image_id: data for image_id, data in stored.items() if data}
        missing = [image_id for image_id in image_ids if image_id not in features]
        for image_id in missing[:MEASURED_LIMIT]:
            thumbnail = await self._smallest_thumbnail(image_id)
            features[image_id] = await self._executors.preview(mosaic.measure_features, thumbnail)
            await self._images.features.save({image_id: features[image_id]}, mosaic.FEATURES_VERSION)
        self._remember(features)
        return features

    async def colours(self, image_id: int) -> mosaic.ColourStatistics:
        """Of an image, for `colours_of`.

        Raises RecipeImpossible for it if it was deleted; BucketUnavailable, StorageFull, Overloaded.
        """
        thumbnail = await self._smallest_thumbnail(image_id, field="colours_of")
        return await self._executors.preview(mosaic.colours_of, thumbnail)

    def _build(
        self, tiles: Sequence[TileRef], packed: Sequence[bytes], shape: str, side: int | None
    ) -> mosaic.TilePool:
        import numpy as np

        limits = TileLimits(LIMIT_BYTES, READ_TIMEOUT_S, mosaic.Limits().megapixels)
        features, ids = mosaic.PackedFeatures.of(packed, shape), [tile.image_id for tile in tiles]
        reader = TileReader(self._bucket, tiles, limits)
        files = mosaic.TileFiles(np.repeat(ids, mosaic.CROPS), features.crops, reader, self._tiles, shape, side=side)
        tiles_of = files if side is None else _SketchedTiles(files, features)
        return mosaic.pool_of_features(ids, features, tiles_of)

    def _remember(self, features: dict[int, bytes]) -> None:
        for image_id, data in features.items():
            self._features[image_id] = data
            self._features.move_to_end(image_id)
        while len(self._features) > FEATURES_CACHE_SIZE:
            self._features.popitem(last=False)  # pragma: no cover - more pictures than fit into the cache

    async def _smallest_thumbnail(self, image_id: int, *, field: str = "tiles") -> bytes:
        try:
            return await self._thumbnails.get(await self._images.by_id(image_id, SERVER), WIDTHS[0])
        except errors.NotFound as error:
            allowed = errors.Phrase("pictures that are still there", "尚未删除的图片")
            raise errors.RecipeImpossible(retryable=False, field=field, value=image_id, allowed=allowed) from error


@dataclass(frozen=True, slots=True)
class _SketchedTiles:
    """Tiles as good as a preview can have them soon."""

    files: mosaic.TileFiles
    features: mosaic.PackedFeatures

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, indices: NDArray[np.intp]) -> _SketchedTiles:
        return _SketchedTiles(self.files[indices], self.features[indices])

    def cut(self, indices: NDArray[np.intp], size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
        if max(size) <= MINIATURE_PX:
            yield from self.features.cut(indices, size)
            return
        import numpy as np

        cached = np.array([self.files.is_cached(index, size) for index in indices.tolist()], bool)
        is_next = np.diff(self.files.ids[indices[~cached]], prepend=-1) != 0  # crops of a picture follow each other
        sharp = cached.copy()
        sharp[~cached] = np.cumsum(is_next) <= READ_LIMIT
        read, drawn = self.files.cut(indices[sharp], size), self.features.cut(indices[~sharp], size)
        for is_sharp in sharp.tolist():
            yield next(read if is_sharp else drawn)
