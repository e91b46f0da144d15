"""Thumbnails: a picture's small copies, which browsers may keep for ever, for a picture never changes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from handlers.base import ApiHandler, JsonDict
from handlers.image import LARGEST_ID
from models import errors
from models.images import Images
from processing.thumbnails import MEDIA_TYPE, WIDTHS, Thumbnails


class ThumbnailParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: int
    width: int


class ShowThumbnail(ApiHandler):
    """A picture, at most so many pixels wide."""

    parameters = ThumbnailParameters
    methods = ("GET",)
    images: Images
    thumbnails: Thumbnails

    async def head(self, **path: str) -> None:
        await self.get(**path)

    async def reply(self, asked: ThumbnailParameters) -> JsonDict:
        if asked.width not in WIDTHS or not 1 <= asked.id <= LARGEST_ID:
            raise errors.NotFound(what="thumbnail", which=f"{asked.id}/{asked.width}")
        image = await self.images.by_id(asked.id)
        etag = f'"{image.id}-{asked.width}"'
        if self.request.headers.get("If-None-Match") == etag:
            self.set_status(304)
            self._keep_for_ever(etag)
            self.finish()
            return {}
        data = await self.thumbnails.get(image, asked.width)
        self._keep_for_ever(etag)
        self.finish(data)
        return {}

    def _keep_for_ever(self, etag: str) -> None:
        self.set_header("Content-Type", MEDIA_TYPE)
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("ETag", etag)
