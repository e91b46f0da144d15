"""The picture whose colours a recipe asks for: checked for the user, read from the bucket, measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import errors
from models.bucket import Bucket
from models.errors import Phrase
from models.images.image import Owner
from models.images.images import Images
from models.images.visibility import Viewer
from processing import mosaic_lazy as mosaic
from processing.images.tile_pool import TileLimits, TileRef

FIELD = "colours_of"


async def resolve_colours(recipe: Mapping[str, Any], owner: Owner, images: Images) -> TileRef | None:
    """The image in a recipe's `colours_of`; None if it has none.

    Raises BadParameter for `colours_of` if it does not exist, is not in our bucket, or is not for this owner to see.
    """
    image_id = recipe.get(FIELD)
    if image_id is None:
        return None
    try:
        image = await images.by_id(image_id, Viewer(owner.id))
    except errors.NotFound:
        image = None
    if image is None or image.key is None:
        allowed = Phrase("the id of a picture that you may see", "您可以查看的图片的编号")
        raise errors.BadParameter(field=FIELD, value=image_id, allowed=allowed)
    return TileRef(image.id, image.key)


def read_colours(bucket: Bucket, image: TileRef | None, limits: TileLimits) -> mosaic.ColourStatistics | None:
    """Its colours; None if there is no image.

    Raises RecipeImpossible for `colours_of` if it was deleted or cannot be decoded; SourceTooLarge, BucketUnavailable.
    """
    if image is None:
        return None
    try:
        data = bucket.read(image.key, limit_bytes=limits.size_bytes, timeout_s=limits.timeout_s)
        return mosaic.colours_of(data, megapixels=limits.megapixels)
    except errors.NotFound as error:
        raise _impossible(image, Phrase("a picture that is still there", "尚未删除的图片")) from error
    except (mosaic.NotAPicture, mosaic.TooManyPixels) as error:
        raise _impossible(image, limits.allowed_pictures) from error


def _impossible(image: TileRef, allowed: Phrase) -> errors.RecipeImpossible:
    return errors.RecipeImpossible(retryable=False, field=FIELD, value=image.image_id, allowed=allowed)
