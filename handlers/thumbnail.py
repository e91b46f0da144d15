"""Thumbnails: a picture's small copies, which browsers may keep for ever, for a picture never changes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from handlers.base import ApiHandler, JsonDict
from handlers.params import LARGEST_ID
from models import errors
from models.images import Images
from processing.images.thumbnails import MEDIA_TYPE, WIDTHS, Thumbnails


class ThumbnailParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: int
    width: int


class ThumbnailHandler(ApiHandler):
    """A picture, at most so many pixels wide."""

    parameters = ThumbnailParams
    methods = ("GET",)
    images: Images
    thumbnails: Thumbnails
    _etag: str | None = None

    async def head(self, **path: str) -> None:
        await self.get(**path)

    async def reply(self, asked: ThumbnailParams) -> JsonDict:
        if asked.width not in WIDTHS or not 1 <= asked.id <= LARGEST_ID:
            raise errors.NotFound(what="thumbnail", which=f"{asked.id}/{asked.width}")
        image = await self.images.by_id(asked.id)
        self._etag = f'"{image.id}-{asked.width}"'
        self.set_etag_header()
        data = None
        if self.check_etag_header():
            self.set_status(304)
        else:
            data = await self.thumbnails.get(image, asked.width)
        self.set_header("Content-Type", MEDIA_TYPE)
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(data)
        return {}

    def compute_etag(self) -> str | None:
        """Known without the bytes: who has it is told so without a look into the bucket."""
        return self._etag
