"""A recipe tried on a small picture: the page sends the picture scaled down and shows what comes back."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from handlers.base import ApiHandler, JsonDict
from handlers.tasks import parse_recipe
from models import errors
from models.images import ANONYMOUS, Images, Owner
from processing import mosaic
from processing.rendering import Cancelled
from processing.images.preview_tiles import PreviewTiles
from processing.images.previews import Previews, scaled
from processing.images.tile_pool import resolve_tiles

SIZE_LIMIT_BYTES = 2_000_000
"""A little below what the server reads of any body, so that the refusal can be told."""
CLIENT_LEFT = 499


class PreviewParams(BaseModel):
    """scale: width of the small picture / width of the full one, where the recipe is meant for the full one."""

    model_config = ConfigDict(frozen=True)

    param: str | dict[str, Any] = "mosaic"
    scale: Annotated[float, Field(gt=0, le=1)] = 1.0


class PreviewHandler(ApiHandler):
    """The mosaic of the file in the form, in the recipe's format. Nobody has to be signed in, but for tiles of one's
    own; nothing is kept."""

    parameters = PreviewParams
    methods = ("POST",)
    bodies = ("multipart/form-data",)
    previews: Previews
    preview_tiles: PreviewTiles
    images: Images

    def prepare(self) -> None:
        super().prepare()
        self._left = threading.Event()
        self._drawing: asyncio.Task[mosaic.Result] | None = None

    def on_connection_close(self) -> None:
        """The page wants another one by now: what waits is not begun, what runs is stopped."""
        self._left.set()
        if self._drawing is not None:
            self._drawing.cancel()

    async def reply(self, asked: PreviewParams) -> JsonDict:
        recipe = scaled(parse_recipe(asked.param), asked.scale)
        tiles = await self._tiles(recipe)
        pool = partial(self.preview_tiles.pool, tiles) if tiles else None
        self._drawing = asyncio.create_task(
            self.previews.render(self._picture(), recipe, client=self.address, cancelled=self._left, pool=pool)
        )
        try:
            self._send(await self._drawing)
        except (Cancelled, asyncio.CancelledError):
            if not self._left.is_set():
                raise
            self.set_status(CLIENT_LEFT, "Client Left")
            self.finish()
        return {}

    async def _tiles(self, recipe: mosaic.Recipe) -> list[int]:
        """Ids of the pictures to build from. Raises BadParameter for those that are not for who asks."""
        plain = recipe.to_dict()
        if not plain.get("tiles"):
            return []
        person = await self.user()
        asker = Owner(person.id, person.username) if person else ANONYMOUS
        return [tile.image_id for tile in await resolve_tiles(plain, asker, self.images)]

    def _picture(self) -> bytes:
        """Raises BadParameter, TooLarge."""
        files = self.request.files.get("file")
        if not files or not files[-1]["body"]:
            raise errors.BadParameter(field="file", value="nothing", allowed="a picture in a multipart form")
        body: bytes = files[-1]["body"]
        if len(body) > SIZE_LIMIT_BYTES:
            raise errors.TooLarge(limit_bytes=SIZE_LIMIT_BYTES)
        return body

    def _send(self, result: mosaic.Result) -> None:
        """An SVG comes from our origin too: should a browser open it by itself, the sandbox holds it."""
        self.set_header("Content-Type", result.media_type)
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
        self.finish(result.data)
