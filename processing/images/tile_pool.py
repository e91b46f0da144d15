"""The tile pool of a task: the images in its recipe, checked for the user, matched by features, read when used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from models import errors
from models.bucket import Bucket
from models.errors import Phrase
from models.images.image import Owner
from models.images.image_formats import FORMAT_NAMES
from models.images.images import Images
from processing import mosaic_lazy as mosaic
from processing.images.thumbnails import WIDTHS, thumbnail_key

CACHE_BYTES = 96 << 20
"""Of tiles in memory that may be used once more."""
READERS = 4
"""Files that are read at the same time, since a bucket may be far away; as many are in memory."""
SPARE_PIXELS = 1.5
"""How many times larger than its tile a thumbnail must be to stand for the picture."""


@dataclass(frozen=True, slots=True)
class TileRef:
    """An image of the pool, its key in the bucket, and its features; None if they are not known yet."""

    image_id: int
    key: str
    features: bytes | None = None


@dataclass(frozen=True, slots=True)
class TileLimits:
    """Limits of one image."""

    size_bytes: int
    timeout_s: float
    megapixels: float

    @property
    def allowed_pictures(self) -> Phrase:
        english = f"{FORMAT_NAMES.en} of up to {self.megapixels:g} megapixels"
        return Phrase(english, f"不超过 {round(self.megapixels * 100)} 万像素的 {FORMAT_NAMES.zh} 图片")


async def resolve_tiles(
    recipe: Mapping[str, Any], owner: Owner, images: Images, *, limit: int | None = None
) -> tuple[TileRef, ...]:
    """The images in a recipe's `tiles`, without features; () if it has none.

    limit: None is MAX_TILES. Raises BadParameter for `tiles` if there are more, or if one does not exist, is not in our
    bucket, or is neither this owner's nor a result that this owner may see.
    """
    ids = list(dict.fromkeys(recipe.get("tiles") or ()))
    if not ids:
        return ()
    limit = mosaic.MAX_TILES if limit is None else limit
    if len(ids) > limit:
        count = Phrase(f"{len(ids)} pictures", f"{len(ids)} 张图片")
        allowed = Phrase(f"at most {limit} pictures", f"最多 {limit} 张图片")
        raise errors.BadParameter(field="tiles", value=count, allowed=allowed)
    keys = await images.usable_as_tiles(ids, owner.id)
    for image_id in ids:
        if image_id not in keys:
            allowed = Phrase("ids of your own pictures and of published mosaics", "您自己图片的编号，或公开作品的编号")
            raise errors.BadParameter(field="tiles", value=image_id, allowed=allowed)
    return tuple(TileRef(image_id, keys[image_id]) for image_id in ids)


async def resolve_measured_tiles(recipe: Mapping[str, Any], owner: Owner, images: Images) -> tuple[TileRef, ...]:
    """The same with features, as far as they are known."""
    tiles = await resolve_tiles(recipe, owner, images)
    features = await images.features.of([tile.image_id for tile in tiles], mosaic.FEATURES_VERSION)
    return tuple(TileRef(tile.image_id, tile.key, features.get(tile.image_id) or None) for tile in tiles)


async def save_features(features: Mapping[int, bytes], images: Images) -> None:
    """Record what a job has measured, by id."""
    await images.features.save(features, mosaic.FEATURES_VERSION)


class TileReader:
    """Reads the files of pictures, several at once: small tiles from the smallest thumbnails, where there are some."""

    def __init__(self, bucket: Bucket, tiles: Sequence[TileRef], limits: TileLimits) -> None:
        self._bucket, self._limits = bucket, limits
        self._keys = {tile.image_id: tile.key for tile in tiles}

    def __call__(self, image_ids: Sequence[int], side: int) -> Iterator[bytes]:
        """Raises RecipeImpossible for `tiles` if an image was deleted; SourceTooLarge, BucketUnavailable."""
        waiting = deque[Future[bytes]]()
        with ThreadPoolExecutor(READERS, "tiles") as threads:
            for image_id in image_ids:
                waiting.append(threads.submit(self._read, image_id, side))
                if len(waiting) == READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _read(self, image_id: int, side: int) -> bytes:
        return self._thumbnail(image_id, side) or self._original(image_id)

    def _thumbnail(self, image_id: int, side: int) -> bytes | None:
        """None if there is none, or if it is too small for tiles of that side."""
        if SPARE_PIXELS * side > WIDTHS[0]:
            return None
        try:
            thumbnail = self._bucket.read(
                thumbnail_key(image_id, WIDTHS[0]),
                limit_bytes=self._limits.size_bytes,
                timeout_s=self._limits.timeout_s,
            )
        except errors.NotFound:
            return None
        return thumbnail if min(mosaic.read_size(thumbnail)) >= SPARE_PIXELS * side else None

    def _original(self, image_id: int) -> bytes:
        try:
            return self._bucket.read(
                self._keys[image_id], limit_bytes=self._limits.size_bytes, timeout_s=self._limits.timeout_s
            )
        except errors.NotFound as error:
            raise _impossible(image_id, Phrase("pictures that are still there", "尚未删除的图片")) from error


def measure_missing(
    tiles: Sequence[TileRef], reader: TileReader, report: Callable[[float], None], limits: TileLimits
) -> dict[int, bytes]:
    """The features, by id, of those images that come without.

    report: called after each of them with the fraction that is done.
    Raises RecipeImpossible for `tiles` if an image was deleted or cannot be decoded; SourceTooLarge, BucketUnavailable,
    and whatever `report` raises.
    """
    missing, features = [tile.image_id for tile in tiles if tile.features is None], dict[int, bytes]()
    for image_id, data in zip(missing, reader(missing, mosaic.TILE_PX), strict=True):
        try:
            features[image_id] = mosaic.measure_features(data, megapixels=limits.megapixels)
        except (mosaic.NotAPicture, mosaic.TooManyPixels) as error:
            raise _impossible(image_id, limits.allowed_pictures) from error
        report(len(features) / len(missing))
    return features


def pool_of_tiles(
    tiles: Sequence[TileRef], measured: Mapping[int, bytes], reader: TileReader, shape: str, limits: TileLimits
) -> mosaic.TilePool:
    """The pool of these images, at least one. measured: features of those that come without. shape: of the recipe."""
    import numpy as np  # after the start, as the engine is

    ids = [tile.image_id for tile in tiles]
    features = mosaic.PackedFeatures.of([tile.features or measured[tile.image_id] for tile in tiles], shape)
    cache = mosaic.TileCache(CACHE_BYTES)
    files = mosaic.TileFiles(
        np.repeat(ids, mosaic.CROPS), features.crops, reader, cache, shape, megapixels=limits.megapixels
    )
    return mosaic.pool_of_features(ids, features, files)


def _impossible(value: object, allowed: Phrase) -> errors.RecipeImpossible:
    return errors.RecipeImpossible(retryable=False, field="tiles", value=value, allowed=allowed)
