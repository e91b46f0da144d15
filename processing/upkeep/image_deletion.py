"""Deletion of images: hidden at once, then deleted from the bucket, then from the record.

The record goes last, so that a crash or an outage of the bucket in between leaves nothing unknown behind: a sweep
finishes what is left, at the latest after the next start.
"""

from __future__ import annotations

import asyncio
import logging

from models import errors
from models.bucket import Bucket
from models.images.image import Image
from models.images.images import Images
from models.images.uploads import PendingUploads
from processing.executors import Executors
from processing.images.named_objects import NamedObjects
from processing.images.thumbnails import Thumbnails

log = logging.getLogger(__name__)

SWEEP_INTERVAL_S = 600.0


class ImageDeletions:
    """Run `sweep` in the background."""

    def __init__(
        self, images: Images, uploads: PendingUploads, thumbnails: Thumbnails, bucket: Bucket, executors: Executors
    ) -> None:
        self._images, self._uploads, self._thumbnails = images, uploads, thumbnails
        self._bucket, self._executors = bucket, executors
        self._named_objects = NamedObjects(bucket, images, executors)

    async def delete(self, image_id: int, owner_id: int | None) -> None:
        """Delete an image, its thumbnails, and its object unless another image has it. Raises NotFound.

        If the bucket does not answer, the image is hidden all the same and the sweep deletes the rest.
        """
        image = await self._images.hide(image_id, owner_id)
        try:
            await self._finish(image)
        except errors.BucketUnavailable:
            log.info("image %s: hidden; its objects are deleted when the bucket is back", image.id)

    async def finish_pending(self, owner_id: int | None = None) -> None:
        """Finish all deletions that were begun, of one user or of all. Raises BucketUnavailable."""
        async for image in self._images.hidden(owner_id):
            await self._finish(image)

    async def sweep(self) -> None:
        """Finish pending deletions now and every ten minutes, until cancelled."""
        while True:
            try:
                await self.finish_pending()
            except errors.Unavailable as error:  # pragma: no cover - every ten minutes
                log.info("image deletions: %s; trying again later", error.slug)
            await asyncio.sleep(SWEEP_INTERVAL_S)

    async def _finish(self, image: Image) -> None:
        """Tries to delete the object twice: if two users delete the same one at once, the second try sees it alone.

        The upload token ends first: a server that died while it registered the image has left it valid.
        """
        if image.key is not None:
            await self._uploads.complete(image.key)
        await self._thumbnails.delete(image.id)
        await self._delete_objects(image)
        await self._images.purge(image)
        await self._delete_objects(image)

    async def _delete_objects(self, image: Image) -> None:
        """The image, its cell map and what it is a copy of, unless another image has them."""
        if image.key is not None and not await self._images.is_shared(image):
            for key in filter(None, (image.key, image.map_key)):
                await self._executors.io(self._bucket.delete, key)
            await self._named_objects.delete_original(image)
