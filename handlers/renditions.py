"""Renditions: the page sends a file and gets the image as the server decodes it, to draw on."""

from __future__ import annotations

import threading
from typing import Annotated, Literal

import tornado.web
from pydantic import Field
from tornado.http1connection import HTTP1Connection

from handlers.base import ApiHandler
from handlers.endpoint import endpoint
from handlers.params import RequestParams
from models import errors
from processing.images.renditions import Renditions
from processing.rendering import Cancelled


class RenditionParams(RequestParams):
    """max_side: of the result, in pixels."""

    max_side: Annotated[int, Field(ge=16, le=8192)] = 2048
    format: Literal["jpeg", "png", "webp"] = "webp"


@tornado.web.stream_request_body
class RenditionHandler(ApiHandler):
    """The body is the file itself: as large as an upload, read piece by piece."""

    content_types = ("application/octet-stream",)

    def initialize(self, renditions: Renditions, upload_limit_bytes: int) -> None:
        self.renditions, self.upload_limit_bytes = renditions, upload_limit_bytes
        self._body = bytearray()
        self._disconnected = threading.Event()
        self._is_admitted = False

    def prepare(self) -> None:
        super().prepare()
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.set_max_body_size(self.upload_limit_bytes + 1)
        if int(self.request.headers.get("Content-Length") or 0) > self.upload_limit_bytes:
            raise errors.TooLarge(limit_bytes=self.upload_limit_bytes)
        self.renditions.admit(self.client_ip)
        self._is_admitted = True

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk

    def on_connection_close(self) -> None:
        self._disconnected.set()
        self._release()

    def on_finish(self) -> None:
        super().on_finish()
        self._release()

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
        data, self._body = bytes(self._body), bytearray()
        try:
            rendition = await self.renditions.make(
                data,
                max_side=params.max_side,
                format=params.format,
                client=self.client_ip,
                cancelled=self._disconnected,
            )
        except Cancelled:  # pragma: no cover - a client that disconnects while its image is decoded
            self.finish_disconnected()
            return
        self.set_header("Content-Type", rendition.media_type)
        self.set_header("X-Image-Width", str(rendition.width))
        self.set_header("X-Image-Height", str(rendition.height))
        self.finish(rendition.data)

    def _release(self) -> None:
        if self._is_admitted:
            self._is_admitted = False
            self.renditions.release(self.client_ip)
