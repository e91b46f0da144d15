"""Photomosaics: the pictures in one, as far as the user may know of them."""

from __future__ import annotations

from handlers.base import LIST_TIMEOUT_S, ApiHandler
from handlers.endpoint import endpoint
from handlers.params import Id, RequestParams
from handlers.schemas.images import TileSchema, TilesResponse
from models import errors
from models.bucket import Bucket
from models.images.image import Image
from models.images.images import Images
from models.images.visibility import Reader


class TilesParams(RequestParams):
    """id: of the photomosaic."""

    id: Id


class TilesHandler(ApiHandler):
    timeout_s = LIST_TIMEOUT_S

    def initialize(self, images: Images, bucket: Bucket) -> None:
        self.images, self.bucket = images, bucket.for_host(self.request.host)

    @endpoint(errors=(errors.NotFound,))
    async def get(self, params: TilesParams) -> TilesResponse:
        """The pictures in a photomosaic; of others only those that are public."""
        reader = await self.reader()
        mosaic = await self.images.by_id(params.id, reader)
        own = reader.owns(mosaic)
        tiles = [
            None if image is None else TileSchema.of(image, self.bucket, own=reader.owns(image))
            for image in await self.images.tiles_of(mosaic, reader)
        ]
        made_of = await self._source_url(mosaic, reader) if own else None
        return TilesResponse(tiles=tiles, withdrawn=list(mosaic.withdrawn) if own else [], made_of=made_of)

    async def _source_url(self, mosaic: Image, reader: Reader) -> str | None:
        """The plain address, as tasks take it; None if the source is deleted or hidden from the reader."""
        if mosaic.source_id is None:
            return None
        try:
            source = await self.images.by_id(mosaic.source_id, reader)
        except errors.NotFound:
            return None
        return source.url if source.key is None else self.bucket.url(source.key)
