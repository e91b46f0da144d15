"""Styles of mosaics, as the engine describes them."""

from __future__ import annotations

from handlers.base import ApiHandler
from handlers.endpoint import endpoint
from handlers.schemas.tasks import StylesResponse
from processing import mosaic_lazy as mosaic


class StylesHandler(ApiHandler):
    @endpoint()
    async def get(self) -> StylesResponse:
        """Every style with its parameters, labels, ranges and defaults."""
        self.set_header("Cache-Control", "public, max-age=60")
        return StylesResponse(styles=mosaic.describe())
