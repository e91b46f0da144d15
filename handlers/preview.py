"""Previews: a recipe rendered on a small image that the page sends with the request, or a part of the full result."""

from __future__ import annotations

import asyncio
import json
import threading
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from handlers.base import PREVIEW_REGION, PREVIEW_REPORT, ApiHandler
from handlers.endpoint import endpoint
from handlers.file_body import FileBodyHandler
from handlers.params import MAX_REDUCTION, RecipeParam, RequestParams
from handlers.schemas.images import PreviewSourceResponse
from handlers.transport.security_headers import STRICT_CSP
from models import errors
from models.errors import Phrase
from models.images.image import ANONYMOUS, Owner
from models.images.images import Images
from processing import mosaic_lazy as mosaic
from processing.images.colours import resolve_colours
from processing.images.preview_tiles import SIDE_PX, PreviewTiles
from processing.images.previews import PreviewRequest, Previews
from processing.images.tile_pool import resolve_tiles
from processing.rendering import Cancelled, parse_recipe

SIZE_LIMIT_BYTES = 2_000_000
"""A little below BODY_LIMIT_BYTES, so that the error says that the image is too large."""


Share = Annotated[float, Field(ge=0, le=1)]


class PreviewSourceParams(RequestParams):
    """The body is the file itself."""


class PreviewParams(RequestParams):
    """scale: width of the small image / width of the full one, for a recipe that is made for the full one. source:
    the name of a file at `/api/preview/source/`, of whose result a part is rendered: left, top, right, bottom are
    fractions of its width and height. reduction: how many times smaller."""

    param: RecipeParam = "mosaic"
    scale: Annotated[float, Field(gt=0, le=1)] = 1.0
    source: Annotated[str, Field(max_length=64)] | None = None
    left: Share = 0.0
    top: Share = 0.0
    right: Share = 1.0
    bottom: Share = 1.0
    reduction: Annotated[int, Field(ge=1, le=MAX_REDUCTION)] = 1


class PreviewSourceHandler(FileBodyHandler):
    def initialize(self, previews: Previews, upload_limit_bytes: int) -> None:
        self.sources = previews.sources
        self.receive(previews.sources, upload_limit_bytes)

    @endpoint(
        errors=(errors.TooManyRequests,),
        csrf_exempt="it changes nothing that is anybody's, and other origins cannot read the response",
    )
    async def post(self, params: PreviewSourceParams) -> PreviewSourceResponse:
        """Keep the file in the body in memory for ten minutes, for previews of parts of its results."""
        data = self.take_body()
        if not data:
            raise errors.BadParameter(
                field="file", value=Phrase("nothing", "空值"), allowed=Phrase("a picture", "一张图片")
            )
        return PreviewSourceResponse(code=1, source=self.sources.add(data, self.client_ip))


class PreviewHandler(ApiHandler):
    content_types = ("multipart/form-data",)

    def initialize(self, previews: Previews, preview_tiles: PreviewTiles, images: Images, pool_limit: int) -> None:
        self.previews, self.preview_tiles, self.images, self.pool_limit = previews, preview_tiles, images, pool_limit
        self._disconnected = threading.Event()
        self._rendering: asyncio.Task[mosaic.Result] | asyncio.Task[mosaic.RegionResult] | None = None

    def on_connection_close(self) -> None:
        """Do not begin a render that waits, and stop one that runs: the page asks for another one by now."""
        self._disconnected.set()
        if self._rendering is not None:
            self._rendering.cancel()

    @endpoint(
        errors=(
            errors.NotFound,
            errors.TooManyRequests,
            errors.NotAPicture,
            errors.TooManyPixels,
            errors.RecipeImpossible,
            errors.TimedOut,
            errors.BucketUnavailable,
            errors.SourceTooLarge,
            errors.StorageFull,
        ),
        csrf_exempt="it stores nothing, and other origins cannot read the response",
        media_type="image/*",
    )
    async def post(self, params: PreviewParams) -> None:
        """The mosaic of the file in the form, in the recipe's format. Only pictures of one's own need a session.

        X-Preview-Report says how near it is to the file, and of which pictures a tile pool has too few. With
        `source`, the pixels of a part of the result; X-Preview-Region says which.
        """
        self._rendering = await self._start(params)
        try:
            result = await self._rendering
        except (Cancelled, asyncio.CancelledError):
            if not self._disconnected.is_set():  # it has taken too long
                raise
            self.finish_disconnected()
            return
        self._send(result)

    async def _start(self, params: PreviewParams) -> asyncio.Task[mosaic.Result] | asyncio.Task[mosaic.RegionResult]:
        recipe = parse_recipe(params.param)
        values, user = recipe.to_dict(), await self.user()
        owner = user.owner if user else ANONYMOUS
        side = SIDE_PX if params.source is None else None
        pool = partial(self._pool, values, owner, side)
        colours = partial(self._colours, values, owner)
        request = PreviewRequest(recipe, self.client_ip, self._disconnected, pool, colours)
        if params.source is None:
            return asyncio.create_task(self.previews.render(self._image(), request, scale=params.scale))
        source = self.previews.sources.get(params.source)
        region = mosaic.Region((params.left, params.top, params.right, params.bottom), params.reduction)
        return asyncio.create_task(self.previews.render_region(source, region, request))

    def _send(self, result: mosaic.Result | mosaic.RegionResult) -> None:
        self.set_header("Content-Type", result.media_type)
        if isinstance(result, mosaic.RegionResult):
            self.set_header(PREVIEW_REGION, json.dumps({"box": result.box, "size": result.size}))
        else:
            missing = (result.cell_map or {}).get("missing")
            report = {"difference": result.quality.difference, "missing": missing or {}}
            self.set_header(PREVIEW_REPORT, json.dumps(report))
        # An SVG comes from our origin: if a browser opens it as a page, the sandbox keeps its scripts from running.
        self.set_header("Content-Security-Policy", f"{STRICT_CSP}; sandbox")
        self.finish(result.data)

    async def _pool(self, values: dict[str, Any], owner: Owner, side: int | None) -> mosaic.TilePool | None:
        """Of the recipe's tiles, if it has any. Raises what `resolve_tiles` raises."""
        tiles = await resolve_tiles(values, owner, self.images, limit=self.pool_limit)
        return await self.preview_tiles.pool(tiles, values["shape"], side) if tiles else None

    async def _colours(self, values: dict[str, Any], owner: Owner) -> mosaic.ColourStatistics | None:
        """Of the image that the recipe takes its colours from. Raises what `resolve_colours` raises."""
        coloured = await resolve_colours(values, owner, self.images)
        return await self.preview_tiles.colours(coloured.image_id) if coloured else None

    def _image(self) -> bytes:
        """Raises BadParameter, TooLarge."""
        files = self.request.files.get("file")
        if not files or not files[-1]["body"]:
            raise errors.BadParameter(
                field="file",
                value=Phrase("nothing", "空值"),
                allowed=Phrase("a picture in a multipart form", "multipart 表单里的一张图片"),
            )
        body: bytes = files[-1]["body"]
        if len(body) > SIZE_LIMIT_BYTES:
            raise errors.TooLarge(limit_bytes=SIZE_LIMIT_BYTES)
        return body
