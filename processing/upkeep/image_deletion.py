"""Removal of pictures: out of sight at once, then out of the bucket, then out of the record.

The record goes last, so that a server that dies in between, or a bucket that is away, leaves nothing that nobody
remembers: what is left is finished by the sweep, at the next start at the latest.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from models import errors
from models.bucket import Bucket
from models.images import Image, Images
from processing.executors import Executors
from processing.images.thumbnails import Thumbnails

log = logging.getLogger(__name__)

SWEEP_INTERVAL_S = 600.0


class ImageDeletions:
    """`async with` sweeps now and every ten minutes."""

    def __init__(self, images: Images, thumbnails: Thumbnails, bucket: Bucket, executors: Executors) -> None:
        self._images, self._thumbnails, self._bucket, self._executors = images, thumbnails, bucket, executors
        self._sweeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> ImageDeletions:
        self._sweeping = asyncio.create_task(self._sweep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping

    async def delete(self, image_id: int, owner_id: int | None) -> None:
        """Forget a picture, its thumbnails, and its object where nobody else has it. Raises NotFound.

        When the bucket does not answer the picture is hidden all the same, and the rest is left to the sweep.
        """
        image = await self._images.hide(image_id, owner_id)
        try:
            await self._finish(image)
        except errors.BucketUnavailable:
            log.info("image %s: hidden; its objects go when the bucket is back", image.id)

    async def finish_pending(self, owner_id: int | None = None) -> None:
        """Finish every removal that was begun, of one person or of all. Raises BucketUnavailable."""
        async for image in self._images.hidden(owner_id):
            await self._finish(image)

    async def _finish(self, image: Image) -> None:
        """Asks twice who else has the object: of two people who remove it at the same time, the second one sees it."""
        await self._thumbnails.delete(image.id)
        await self._delete_objects(image)
        await self._images.purge(image)
        await self._delete_objects(image)

    async def _delete_objects(self, image: Image) -> None:
        """The picture and its cell map, where nobody else has them."""
        if image.key is not None and not await self._images.is_shared(image):
            for key in filter(None, (image.key, image.map_key)):
                await self._executors.io(self._bucket.delete, key)

    async def _sweep(self) -> None:
        while True:
            try:
                await self.finish_pending()
            except errors.Unavailable as error:
                log.info("removals: %s; trying again later", error.slug)
            await asyncio.sleep(SWEEP_INTERVAL_S)
