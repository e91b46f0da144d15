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
from processing.upkeep.image_deletion import Removals

log = logging.getLogger(__name__)


class ImageIdParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: Id


class QueryImage(ApiHandler):
    """One picture."""

    parameters = ImageIdParameters
    methods = ("GET",)
    contract = True
    images: Images
    bucket: Bucket

    async def reply(self, asked: ImageIdParameters) -> JsonDict:
        image = await self.images.by_id(asked.id)
        person = await self.visitor() if "tiles" in image.recipe else None
        own = person is not None and person.id == image.owner.id
        return image_document(image, self.bucket, source=await shown_source(image, self.images), own=own)


class DescribeParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: Id
    title: Annotated[str, Field(max_length=200)] | None = None
    alt: Annotated[str, Field(max_length=1000)] | None = None
    show_source: bool | None = None


class DescribeImage(ApiHandler):
    """Title, text alternative, and whether others may see what it was made of."""

    parameters = DescribeParameters
    methods = ("POST",)
    acts = True
    images: Images
    bucket: Bucket

    async def reply(self, asked: DescribeParameters) -> JsonDict:
        owner = await self.acting()
        if (await self.images.by_id(asked.id)).owner.id != owner.id:
            raise errors.NotYours()
        chosen = asked.model_dump(exclude={"id"}, exclude_none=True)
        image = await self.images.describe(asked.id, owner.id, **chosen)
        return image_document(image, self.bucket, source=await shown_source(image, self.images), own=True)


class DeleteImage(ApiHandler):
    """Forget a picture, its thumbnails, and its object in the bucket when nobody else has it."""

    parameters = ImageIdParameters
    methods = ("POST",)
    acts = True
    images: Images
    removals: Removals

    async def reply(self, asked: ImageIdParameters) -> JsonDict:
        owner = await self.acting()
        image = await self.images.by_id(asked.id)
        if image.owner.id != owner.id:
            raise errors.NotYours()
        await self.removals.remove(image.id, owner.id)
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
