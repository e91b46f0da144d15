"""What is printed from a result: its plan to build it, its page of the true size, and its poster."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from models import errors
from models.bucket import Bucket
from models.images.image import Image
from processing.executors import Executors
from processing.fair_slots import FairSlots
from processing.images.cell_maps import LIMIT_BYTES as MAP_LIMIT_BYTES
from processing.images.thumbnails import LIMIT_BYTES, PDF, READ_TIMEOUT_S, SVG, WIDTHS, Thumbnails
from processing.mosaic import PageOptions, PlanOptions, decode_image, plan_pdf, print_pdf
from processing.rendering import Cancelled, translated_errors

MEDIA_TYPE = "application/pdf"
TIMEOUT_S = 20.0
MAX_REENCODED_MEGAPIXELS = 40.0
"""Of a result whose pixels a PDF cannot hold as they are stored: they are in memory as a whole."""

OPEN_PER_ADDRESS, OPEN_IN_ALL = 2, 8
"""Documents that are made or sent; each is in memory until its reader has it."""
RETRY_AFTER_S = 30

_COVER_MEGAPIXELS = 40.0


class Prints:
    """Makes documents at once or refuses them. Nothing is stored."""

    def __init__(self, bucket: Bucket, thumbnails: Thumbnails, executors: Executors, slots: FairSlots) -> None:
        self._bucket, self._thumbnails, self._executors, self._slots = bucket, thumbnails, executors, slots
        self._open = Counter[str]()

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        """While a document of this client is made and sent. Raises TooManyRequests."""
        if self._open[client] >= OPEN_PER_ADDRESS or self._open.total() >= OPEN_IN_ALL:
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        self._open[client] += 1
        try:
            yield
        finally:
            self._open -= Counter([client])  # drops keys at zero

    async def plan(
        self, image: Image, options: PlanOptions, *, title: str, client: str, cancelled: threading.Event
    ) -> bytes:
        """client: the key of its turns. cancelled: set when the plan is not wanted any more.

        Raises TooManyRequests, RecipeImpossible, NotFound, BucketUnavailable, StorageFull, Overloaded, TimedOut;
        Cancelled if `cancelled` is set.
        """
        async with self._slots.slot(client):
            cell_map = None if image.map_key is None else json.loads(await self._read(image.map_key, MAP_LIMIT_BYTES))
            cover = None if cell_map is None else await self._cover(image, cell_map)
            return await self._executors.preview(_make_plan, image.style, cell_map, title, cover, options, cancelled)

    async def page(self, image: Image, options: PageOptions, *, client: str) -> bytes:
        """The result on a page of its true size, or cut over sheets of paper.

        Raises TooManyRequests, RecipeImpossible, NotFound, BucketUnavailable.
        """
        if image.key is None:
            raise errors.NotFound(what="image", which=image.id)
        async with self._slots.slot(client):
            return await self._executors.preview(_make_page, await self._read(image.key, LIMIT_BYTES), options)

    async def _cover(self, image: Image, cell_map: dict[str, Any]) -> bytes:
        """A small copy; the picture itself where it is the plan, as its numbers must be legible."""
        if "rows" in cell_map or image.key is None or image.mime in (SVG, PDF):
            return await self._thumbnails.get(image, WIDTHS[-1])
        return await self._read(image.key, LIMIT_BYTES)

    async def _read(self, key: str, limit_bytes: int) -> bytes:
        return await self._executors.io(self._bucket.read, key, limit_bytes=limit_bytes, timeout_s=READ_TIMEOUT_S)


def _make_plan(
    style: str,
    cell_map: dict[str, Any] | None,
    title: str,
    cover: bytes | None,
    options: PlanOptions,
    cancelled: threading.Event,
) -> bytes:
    with translated_errors():
        picture = None if cover is None else decode_image(cover, megapixels=_COVER_MEGAPIXELS).image
        progress = _stopper(cancelled)
        return plan_pdf(style, cell_map, title=title, picture=picture, options=options, progress=progress)


def _make_page(data: bytes, options: PageOptions) -> bytes:
    with translated_errors():
        return print_pdf(data, options, megapixels=MAX_REENCODED_MEGAPIXELS)


def _stopper(cancelled: threading.Event) -> Callable[[float], None]:
    deadline = time.monotonic() + TIMEOUT_S

    def check(_: float) -> None:
        if cancelled.is_set():
            raise Cancelled()
        if time.monotonic() > deadline:  # pragma: no cover - a plan that takes twenty seconds
            raise errors.TimedOut(limit_s=int(TIMEOUT_S))

    return check
