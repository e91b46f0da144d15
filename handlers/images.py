"""Pictures that are there: look-up, description, deletion."""

from __future__ import annotations

import logging
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from handlers.base import ApiHandler, JsonDict
from handlers.documents import image_document
from handlers.params import Id
from models import errors
from models.bucket import Bucket
from models.images import Image, Images
from processing.upkeep.image_deletion import ImageDeletions

log = logging.getLogger(__name__)


class ImageIdParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: Id


class QueryImageHandler(ApiHandler):
    """One picture."""

    parameters = ImageIdParams
    methods = ("GET",)
    contract = True
    images: Images
    bucket: Bucket

    async def reply(self, asked: ImageIdParams) -> JsonDict:
        image = await self.images.by_id(asked.id)
        person = await self.user() if "tiles" in image.recipe else None
        own = person is not None and person.id == image.owner.id
        return image_document(image, self.bucket, source=await shown_source(image, self.images), own=own)


class ChangeImageParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: Id
    title: Annotated[str, Field(max_length=200)] | None = None
    alt: Annotated[str, Field(max_length=1000)] | None = None
    show_source: bool | None = None


class ChangeImageHandler(ApiHandler):
    """Title, text alternative, and whether others may see what it was made of."""

    parameters = ChangeImageParams
    methods = ("POST",)
    acts = True
    images: Images
    bucket: Bucket

    async def reply(self, asked: ChangeImageParams) -> JsonDict:
        owner = await self.owner()
        if (await self.images.by_id(asked.id)).owner.id != owner.id:
            raise errors.PermissionDenied()
        chosen = asked.model_dump(exclude={"id"}, exclude_none=True)
        image = await self.images.update_details(asked.id, owner.id, **chosen)
        return image_document(image, self.bucket, source=await shown_source(image, self.images), own=True)


class DeleteImageHandler(ApiHandler):
    """Forget a picture, its thumbnails, and its object in the bucket when nobody else has it."""

    parameters = ImageIdParams
    methods = ("POST",)
    acts = True
    images: Images
    image_deletions: ImageDeletions

    async def reply(self, asked: ImageIdParams) -> JsonDict:
        owner = await self.owner()
        image = await self.images.by_id(asked.id)
        if image.owner.id != owner.id:
            raise errors.PermissionDenied()
        await self.image_deletions.delete(image.id, owner.id)
        log.info("image %s: deleted [%s]", image.id, self.request_id)
        return {}


async def shown_source(image: Image, images: Images) -> Image | None:
    """What it was made of, where its owner shows that and it still exists."""
    if image.source_id is None or not image.show_source:
        return None
    try:
        return await images.by_id(image.source_id)
    except errors.NotFound:
        return None
