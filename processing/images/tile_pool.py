"""The tile pool of a task: the images in its recipe, checked for the user, read from the bucket, cut to tiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models import errors
from models.bucket import Bucket
from models.images.image import Owner
from models.images.image_formats import FORMAT_NAMES
from models.images.images import Images
from processing import mosaic
from processing.mosaic import TilePool

MAX_TILES = 500
MAX_POOL_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TileRef:
    """An image of the pool, and its key in the bucket."""

    image_id: int
    key: str


@dataclass(frozen=True, slots=True)
class TileLimits:
    """Limits of one image."""

    size_bytes: int
    timeout_s: float
    megapixels: float


async def resolve_tiles(recipe: Mapping[str, Any], owner: Owner, images: Images) -> tuple[TileRef, ...]:
    """The images in a recipe's `tiles`; () if it has none.

    Raises BadParameter for `tiles` if there are more than MAX_TILES, or if one does not exist, is not in our bucket, or
    is neither this owner's nor a result that this owner may see.
    """
    ids = list(dict.fromkeys(recipe.get("tiles") or ()))
    if len(ids) > MAX_TILES:
        raise errors.BadParameter(field="tiles", value=f"{len(ids)} pictures", allowed=f"at most {MAX_TILES} pictures")
    keys = await images.usable_as_tiles(ids, owner.id) if ids else {}
    for image_id in ids:
        if image_id not in keys:
            allowed = "ids of your own pictures and of published mosaics"
            raise errors.BadParameter(field="tiles", value=image_id, allowed=allowed)
    return tuple(TileRef(image_id, keys[image_id]) for image_id in ids)


def read_pool(
    bucket: Bucket,
    tiles: Sequence[TileRef],
    report: Callable[[float], None],
    *,
    side: int,
    shape: str,
    limits: TileLimits,
) -> TilePool:
    """The pool of these images, at least one. side: of the tiles in pixels. shape: of the recipe.

    report: called after each image with the fraction read.

    Raises RecipeImpossible for `tiles` if an image was deleted or cannot be decoded, or if they exceed MAX_POOL_BYTES
    together; SourceTooLarge, BucketUnavailable, and whatever `report` raises.
    """
    read_bytes, pool = 0, mosaic.PoolBuilder(len(tiles), side=side, shape=shape)
    for number, tile in enumerate(tiles, 1):
        data = _read(bucket, tile, limits)
        read_bytes += len(data)
        if read_bytes > MAX_POOL_BYTES:  # pragma: no cover - takes hundreds of megabytes
            raise _impossible(f"{len(tiles)} pictures", f"at most {MAX_POOL_BYTES // 1_000_000} MB together")
        try:
            cut = mosaic.cut_tile(data, side=side, shape=shape, megapixels=limits.megapixels)
            pool.add(tile.image_id, cut)
        except (mosaic.NotAPicture, mosaic.TooManyPixels) as error:
            allowed = f"{FORMAT_NAMES} of up to {limits.megapixels:g} megapixels"
            raise _impossible(tile.image_id, allowed) from error
        report(number / len(tiles))
    return pool.build()


def _read(bucket: Bucket, tile: TileRef, limits: TileLimits) -> bytes:
    try:
        return bucket.read(tile.key, limit_bytes=limits.size_bytes, timeout_s=limits.timeout_s)
    except errors.NotFound as error:
        raise _impossible(tile.image_id, "pictures that are still there") from error


def _impossible(value: object, allowed: str) -> errors.RecipeImpossible:
    return errors.RecipeImpossible(retryable=False, field="tiles", value=value, allowed=allowed)
