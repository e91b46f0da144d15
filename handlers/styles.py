"""The styles that can be asked for, with everything that a form needs to know."""

from __future__ import annotations

from handlers.base import ApiHandler, JsonDict, NoParams
from processing import mosaic


class StylesHandler(ApiHandler):
    """Every style with its parameters, labels, ranges and defaults."""

    methods = ("GET",)

    async def reply(self, asked: NoParams) -> JsonDict:
        self.set_header("Cache-Control", "public, max-age=60")
        return {"styles": mosaic.describe()}
