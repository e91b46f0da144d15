"""Documents to print from a result: the plan to build it, and a page or a poster of its true size."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Annotated, Literal

from pydantic import Field
from tornado.iostream import StreamClosedError

from handlers.base import ApiHandler
from handlers.endpoint import endpoint
from handlers.params import Id, RequestParams, Title
from models import errors
from models.images.image import Image
from models.images.images import Images
from processing import mosaic_lazy as mosaic
from processing.images.prints import MEDIA_TYPE, Prints
from processing.rendering import Cancelled

log = logging.getLogger(__name__)

PaperName = Literal["a4", "letter"]
MAX_DPI = 2400
WRITE_TIMEOUT_S, MIN_RATE_BYTES_PER_S = 30.0, 256_000
"""How long a reader may take: this long, and as much longer as this rate allows for the size of the document."""


class PlanParams(RequestParams):
    """section: cells along a side of the part on one page; by default 16 studs, 29 beads or 40 stitches. mirrored: as
    seen from the back. title: on the cover; by default that of the image, or the name of its style."""

    id: Id
    section: Annotated[int, Field(ge=4, le=64)] | None = None
    mirrored: bool = False
    language: Literal["en", "zh"] = "en"
    paper: PaperName = "a4"
    title: Title | None = None


class PrintHandler(ApiHandler):
    """Sends a document that is in memory until its reader has it, so readers that are too slow are cut off."""

    timeout_s = None

    async def send_pdf(self, data: bytes, filename: str) -> None:
        self.set_header("Content-Type", MEDIA_TYPE)
        self.set_header("Content-Disposition", f'attachment; filename="{filename}"')
        self.set_header("Cache-Control", "private, no-store")
        self.set_header("Content-Length", len(data))
        self.write(data)
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S + len(data) / MIN_RATE_BYTES_PER_S):
                await self.flush()
        except (StreamClosedError, TimeoutError) as error:
            log.info("%s was not read (%s) [%s]", filename, type(error).__name__, self.request_id)
            self.detach().close()
        else:
            self.finish()


class PlanHandler(PrintHandler):
    def initialize(self, images: Images, prints: Prints) -> None:
        self.images, self.prints = images, prints
        self._disconnected = threading.Event()

    def on_connection_close(self) -> None:
        self._disconnected.set()

    @endpoint(
        errors=(
            errors.NotFound,
            errors.NotAPicture,
            errors.TooManyPixels,
            errors.RecipeImpossible,
            errors.SourceTooLarge,
            errors.TooManyRequests,
            errors.TimedOut,
            errors.Overloaded,
            errors.BucketUnavailable,
            errors.StorageFull,
        ),
        media_type=MEDIA_TYPE,
    )
    async def get(self, params: PlanParams) -> None:
        """The plan to build a result, as a PDF: a cover, an overview, and one page for each section."""
        image = await self.images.by_id(params.id, await self.viewer())
        title = params.title or image.title or _style_name(image, params.language)
        options = mosaic.PlanOptions(params.section, params.mirrored, params.language, params.paper)
        with self.prints.hold(self.client_ip):
            try:
                data = await self.prints.plan(
                    image, options, title=title, client=self.client_ip, cancelled=self._disconnected
                )
            except Cancelled:
                self.finish_disconnected()
                return
            await self.send_pdf(data, f"plan-{image.id}.pdf")


class PageParams(RequestParams):
    """dpi: dots per inch; by default those of the result's recipe, or 300. poster: the paper to cut it over. overlap:
    what two sheets have in common, in millimetres."""

    id: Id
    dpi: Annotated[int, Field(ge=10, le=MAX_DPI)] | None = None
    poster: Literal["none", "a4", "letter"] = "none"
    overlap: Annotated[int, Field(ge=0, le=40)] = 10


class PdfHandler(PrintHandler):
    def initialize(self, images: Images, prints: Prints) -> None:
        self.images, self.prints = images, prints

    @endpoint(
        errors=(
            errors.NotFound,
            errors.NotAPicture,
            errors.TooManyPixels,
            errors.RecipeImpossible,
            errors.SourceTooLarge,
            errors.TooManyRequests,
            errors.BucketUnavailable,
        ),
        media_type=MEDIA_TYPE,
    )
    async def get(self, params: PageParams) -> None:
        """A result as a PDF: on a page of its true size, or cut over sheets of paper."""
        image = await self.images.by_id(params.id, await self.viewer())
        dpi = params.dpi or image.recipe.get("dpi")
        poster = None if params.poster == "none" else params.poster
        with self.prints.hold(self.client_ip):
            data = await self.prints.page(image, mosaic.PageOptions(dpi, poster, params.overlap), client=self.client_ip)
            await self.send_pdf(data, f"mosaic-{image.id}.pdf")


def _style_name(image: Image, language: str) -> str:
    style = mosaic.STYLES.get(image.style)
    return image.style if style is None else {"en": style.en, "zh": style.zh}[language]
