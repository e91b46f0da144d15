"""Renditions: the page sends a file and gets the image as the server decodes it, to draw on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handlers.endpoint import endpoint
from handlers.file_body import FileBodyHandler
from handlers.params import MAX_RENDITION_PX, RequestParams
from models import errors
from processing.images.renditions import Renditions
from processing.rendering import Cancelled


class RenditionParams(RequestParams):
    """max_side: of the result, in pixels."""

    max_side: Annotated[int, Field(ge=16, le=MAX_RENDITION_PX)] = 2048
    format: Literal["jpeg", "png", "webp"] = "webp"


class RenditionHandler(FileBodyHandler):
    def initialize(self, renditions: Renditions, upload_limit_bytes: int) -> None:
        self.renditions = renditions
        self.receive(renditions, upload_limit_bytes)

    @endpoint(
        errors=(
            errors.TooManyRequests,
            errors.NotAPicture,
            errors.TooManyPixels,
            errors.RecipeImpossible,
            errors.TimedOut,
        ),
        csrf_exempt="it stores nothing, and other origins cannot read the response",
        media_type="image/*",
    )
    async def post(self, params: RenditionParams) -> None:
        """The image in the body, upright, in sRGB and without metadata. The headers tell its full size."""
        try:
            rendition = await self.renditions.make(
                self.take_body(),
                max_side=params.max_side,
                format=params.format,
                client=self.client_ip,
                cancelled=self._disconnected,
            )
        except Cancelled:
            self.finish_disconnected()
            return
        self.set_header("Content-Type", rendition.media_type)
        self.set_header("X-Image-Width", str(rendition.width))
        self.set_header("X-Image-Height", str(rendition.height))
        self.finish(rendition.data)
