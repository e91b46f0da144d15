"""Thumbnails: small copies of images, made on the first request and stored in the bucket.

Making one decodes the image, so that its size, mean colour and features are recorded at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable
from typing import Any

from models import errors
from models.bucket import Bucket
from models.images.image import Image, ImageKind
from models.images.images import Images
from models.images.visibility import SERVER
from processing import mosaic_lazy as mosaic
from processing.background import cancel
from processing.executors import Executors
from processing.fair_slots import FairSlots
from processing.images.thumbnail_render import FEATURES_WIDTH, Thumbnail, make_small, make_thumbnail

log = logging.getLogger(__name__)

WIDTHS = (FEATURES_WIDTH, 640, 1280)
MEDIA_TYPE = "image/webp"
SVG, PDF = "image/svg+xml", "application/pdf"
LIMIT_BYTES = 256 * 1024 * 1024
"""Of one read from the bucket. A result may be larger than an upload may be."""
READ_TIMEOUT_S = 20.0
CONCURRENCY, PER_CLIENT = 4, 2
"""Originals in memory at once. Only one is decoded at a time, so that previews keep a thread."""
SCHEDULED_LIMIT = 100
IN_PROGRESS_LIMIT = 400
RETRY_AFTER_S = 5
OURSELVES, SCHEDULED = "", "scheduled"
"""Stand for clients where no request asks: our own previews and upkeep, and thumbnails of new uploads."""


class Thumbnails:
    """At the end of `async with`, thumbnails that are being made are given up."""

    def __init__(
        self,
        images: Images,
        bucket: Bucket,
        executors: Executors,
        *,
        max_megapixels: int,
        max_result_megapixels: int | None = None,
    ) -> None:
        """max_result_megapixels: of results; None: as of sources."""
        self._images, self._bucket, self._executors = images, bucket, executors
        self._max_megapixels = max_megapixels
        self._max_result_megapixels = max(max_megapixels, max_result_megapixels or 0)
        self._in_progress: dict[tuple[str, str], asyncio.Task[bytes]] = {}
        self._making: dict[str, asyncio.Future[bytes | None]] = {}
        self._completed: set[str] = set()
        self._scheduled: set[asyncio.Task[None]] = set()
        limits = {"waiting_limit": IN_PROGRESS_LIMIT, "client_limit": IN_PROGRESS_LIMIT}
        self._turns = FairSlots(CONCURRENCY, per_client=PER_CLIENT, crowded_at=CONCURRENCY - 1, **limits)
        self._large_turns = FairSlots(1, per_client=1, **limits)
        self._decoding = asyncio.Lock()

    async def __aenter__(self) -> Thumbnails:
        return self

    async def __aexit__(self, *_: object) -> None:
        await cancel([*self._scheduled, *self._in_progress.values()])

    async def get(self, image: Image, width: int, *, client: str = OURSELVES) -> bytes:
        """WebP, at most `width` pixels wide, upright, without metadata. client: for whom, as a key of turns.

        Raises NotFound for an image that is deleted, not in our bucket, damaged or above LIMIT_BYTES;
        BucketUnavailable, StorageFull; Overloaded.
        """
        try:
            return await self._executors.io(self._read_key, thumbnail_key(image.id, width))
        except errors.NotFound:
            return await self._get_or_make(image, width, client)

    def schedule(self, image: Image) -> None:
        """Make the smallest thumbnail in the background, which records the image's size and colour.

        If too many wait already, this is left to the first request for the thumbnail.
        """
        if image.key is not None and len(self._scheduled) < SCHEDULED_LIMIT:
            task = asyncio.create_task(self._make_scheduled(image))
            self._scheduled.add(task)
            task.add_done_callback(self._scheduled.discard)

    async def delete(self, image_id: int) -> None:
        """Wait for those of the image that are being made, which would be stored afterwards, and delete all.

        Raises BucketUnavailable.
        """
        keys = {thumbnail_key(image_id, width) for width in WIDTHS}
        in_progress = [task for (key, _), task in self._in_progress.items() if key in keys]
        await asyncio.gather(*(asyncio.shield(task) for task in in_progress), return_exceptions=True)
        for width in WIDTHS:
            await self._executors.io(self._bucket.delete, thumbnail_key(image_id, width))

    async def _make_scheduled(self, image: Image) -> None:
        try:
            await self._get_or_make(image, WIDTHS[0], SCHEDULED)
        except errors.TesseraError as error:
            log.info("image %s: thumbnail failed (%s)", image.id, error.slug)

    async def _get_or_make(self, image: Image, width: int, client: str) -> bytes:
        """Requests of a client for the same thumbnail share one task, which goes on if one of them is cancelled.

        A request of another client waits for its own turn, not for the turn of this client. Once the thumbnail is being
        made, it waits for that one instead of making it again.
        """
        key = thumbnail_key(image.id, width)
        if (key, client) not in self._in_progress:
            task = asyncio.create_task(self._make(image, width, client))
            self._in_progress[key, client] = task
            task.add_done_callback(lambda done: self._on_done(key, client, done))
        try:
            return await asyncio.shield(self._in_progress[key, client])
        except errors.TooManyRequests as error:
            raise errors.Overloaded(retry_after_s=RETRY_AFTER_S) from error

    def _on_done(self, key: str, client: str, task: asyncio.Task[bytes]) -> None:
        """Retrieves the error: if every request was cancelled, nothing else does."""
        del self._in_progress[key, client]
        if not any(key == other for other, _ in self._in_progress):
            self._completed.discard(key)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("%s: not made (%s)", key, type(error).__name__)

    async def _make(self, image: Image, width: int, client: str) -> bytes:
        """Raises TooManyRequests."""
        key, source = thumbnail_key(image.id, width), await self._source_of_shapes(image)
        for turns, make in ((self._turns, self._make_small), (self._large_turns, self._make_large)):
            async with turns.slot(client):
                data = await self._completed_meanwhile(key)
                if data is None:
                    data = await self._announce(key, make(image, source, width))
                if data is not None:
                    return data
        raise errors.NotFound(what="thumbnail", which=image.id)  # pragma: no cover - the second way makes it

    async def _announce(self, key: str, making: Awaitable[bytes | None]) -> bytes | None:
        """While a thumbnail is being made, other clients may wait for it."""
        self._making[key] = asyncio.get_running_loop().create_future()
        data = None
        try:
            data = await making
        finally:
            self._making.pop(key).set_result(data)
        if data is not None and sum(key == other for other, _ in self._in_progress) > 1:
            self._completed.add(key)
        return data

    async def _completed_meanwhile(self, key: str) -> bytes | None:
        """What another client's task is making, or has made while this one waited for its turn."""
        while key in self._making:
            if (data := await asyncio.shield(self._making[key])) is not None:
                return data
        return await self._executors.io(self._read_key, key) if key in self._completed else None

    async def _make_small(self, image: Image, source: Image | None, width: int) -> bytes | None:
        data, recipe = await self._executors.io(self._read_original, image, source)
        async with self._decoding:
            thumbnail = await self._executors.preview(make_small, data, recipe, width, self._limit(image))
        return None if thumbnail is None else await self._store(image, thumbnail, width)

    async def _make_large(self, image: Image, source: Image | None, width: int) -> bytes:
        thumbnail = await self._executors.large(self._render_large, image, source, width)
        return await self._store(image, thumbnail, width)

    async def _store(self, image: Image, thumbnail: Thumbnail, width: int) -> bytes:
        """Raises NotFound if the image was deleted meanwhile."""
        key = thumbnail_key(image.id, width)
        await self._executors.io(self._bucket.put, key, thumbnail.data, mime=MEDIA_TYPE)
        if thumbnail.features is not None:
            await self._images.features.save({image.id: thumbnail.features}, mosaic.FEATURES_VERSION)
        await self._record_appearance(image, thumbnail, key)
        return thumbnail.data

    def _render_large(self, image: Image, source: Image | None, width: int) -> Thumbnail:
        """Reads the original again: while it waited for its turn, it was not in memory. Blocks."""
        data, recipe = self._read_original(image, source)
        try:
            return make_thumbnail(data, recipe, width, self._limit(image))
        finally:
            mosaic.release_free_memory()  # to the job that comes next

    def _limit(self, image: Image) -> int:
        return self._max_megapixels if image.kind == ImageKind.SOURCE else self._max_result_megapixels

    async def _source_of_shapes(self, image: Image) -> Image | None:
        """The source of a result that is made of shapes; None for other images, or if it was deleted."""
        if not _is_shapes(image) or image.source_id is None:
            return None
        with contextlib.suppress(errors.NotFound):
            return await self._images.by_id(image.source_id, SERVER)
        return None

    def _read_original(self, image: Image, source: Image | None) -> tuple[bytes, dict[str, Any] | None]:
        """The bytes of a picture and None. For shapes, without pixels: those of the source and the recipe. Blocks."""
        if not _is_shapes(image):
            return self._read(image), None
        if image.mime == PDF and (jpeg := mosaic.jpeg_in_pdf(self._read(image))) is not None:
            return jpeg, None
        if source is None:
            raise errors.NotFound(what="thumbnail", which=image.id)
        return self._read(source), image.recipe | {"format": "png"}

    def _read(self, image: Image) -> bytes:
        if image.key is None:
            raise errors.NotFound(what="thumbnail", which=image.id)
        try:
            return self._read_key(image.key)
        except errors.SourceTooLarge as error:
            raise errors.NotFound(what="thumbnail", which=image.id) from error

    def _read_key(self, key: str) -> bytes:
        return self._bucket.read(key, limit_bytes=LIMIT_BYTES, timeout_s=READ_TIMEOUT_S)

    async def _record_appearance(self, image: Image, thumbnail: Thumbnail, key: str) -> None:
        """Raises NotFound if the image was deleted meanwhile, and deletes its thumbnail and features."""
        try:
            current = await self._images.by_id(image.id, SERVER)
        except errors.NotFound:
            await self._executors.io(self._bucket.delete, key)
            await self._images.features.delete(image.id)
            raise
        size = (thumbnail.width, thumbnail.height)
        if current.key is not None and ((current.width, current.height) != size or not current.placeholder):
            await self._images.set_appearance(
                current.key, width=thumbnail.width, height=thumbnail.height, placeholder=thumbnail.placeholder
            )


def _is_shapes(image: Image) -> bool:
    return image.mime in (SVG, PDF) and image.source_id is not None


def thumbnail_key(image_id: int, width: int) -> str:
    return f"thumbnail/{image_id}/{width}.webp"
