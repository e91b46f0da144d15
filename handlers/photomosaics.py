"""Photomosaics: pictures to build one from, and the pictures in one, as far as the user may know of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handlers.base import LIST_TIMEOUT_S, ApiHandler
from handlers.endpoint import endpoint
from handlers.params import Id, RequestParams
from handlers.schemas.images import PoolResponse, TileSchema, TilesResponse
from models import errors
from models.accounts.follows import Follows
from models.bucket import Bucket
from models.images.gallery import Gallery
from models.images.image import Image
from models.images.images import Images
from models.images.visibility import Viewer


class PoolParams(RequestParams):
    """of: whose pictures. param_prefix: of own ones, also the ids of those whose `param` begins so."""

    of: Literal["own", "followed", "everybody"] = "own"
    param_prefix: Annotated[str, Field(min_length=1, max_length=20)] | None = None


class PoolHandler(ApiHandler):
    timeout_s = LIST_TIMEOUT_S

    def initialize(self, gallery: Gallery, follows: Follows, pool_limit: int) -> None:
        self.gallery, self.follows, self.pool_limit = gallery, follows, pool_limit

    @endpoint(errors=(errors.NotAuthenticated,))
    async def get(self, params: PoolParams) -> PoolResponse:
        """Images for `tiles` of a photomosaic: one's own, or public mosaics of people one follows or of everybody."""
        if params.of == "everybody":
            return PoolResponse(ids=await self.gallery.public_ids(limit=self.pool_limit))
        user = await self.require_user()
        if params.of == "own":
            ids, prefix = await self.gallery.own_ids(user.id, limit=self.pool_limit), params.param_prefix
            if prefix is None:
                return PoolResponse(ids=ids)
            by_param = await self.gallery.own_ids_by_param(user.id, prefix, limit=self.pool_limit)
            return PoolResponse(ids=ids, by_param=by_param)
        followed = await self.follows.ids_followed_by(user.id)
        return PoolResponse(ids=await self.gallery.public_ids(owner_ids=followed, limit=self.pool_limit))


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
        viewer = await self.viewer()
        mosaic = await self.images.by_id(params.id, viewer)
        own = viewer.owns(mosaic)
        tiles = [
            None if image is None else TileSchema.of(image, self.bucket, own=viewer.owns(image))
            for image in await self.images.tiles_of(mosaic, viewer)
        ]
        made_of = await self._source_url(mosaic, viewer) if own else None
        return TilesResponse(tiles=tiles, withdrawn=list(mosaic.withdrawn) if own else [], made_of=made_of)

    async def _source_url(self, mosaic: Image, viewer: Viewer) -> str | None:
        """The plain address, as tasks take it; None if the source is deleted or hidden from the viewer."""
        if mosaic.source_id is None:
            return None
        try:
            source = await self.images.by_id(mosaic.source_id, viewer)
        except errors.NotFound:
            return None
        return source.url if source.key is None else self.bucket.url(source.key)
