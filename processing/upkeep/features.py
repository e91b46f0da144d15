"""Features of images that came without: those of earlier versions, and those that arrived while too many waited.

They are measured on the smallest thumbnail; making one never adds a full decoding to those of the jobs
(processing/images/thumbnails.py).
"""

from __future__ import annotations

import asyncio
import logging

from models import errors
from models.images.image import Image
from models.images.images import Images
from models.images.visibility import SERVER
from processing import mosaic_lazy as mosaic
from processing.executors import Executors
from processing.images.thumbnails import WIDTHS, Thumbnails

log = logging.getLogger(__name__)

START_AFTER_S, INTERVAL_S = 30.0, 600.0
UNREADABLE = b""
"""Stands for the features of an image that cannot be decoded, so that it is not tried again and again."""


class FeatureFiller:
    """Run `fill_forever` in the background. Several servers may do so at once."""

    def __init__(self, images: Images, thumbnails: Thumbnails, executors: Executors) -> None:
        self._images, self._thumbnails, self._executors = images, thumbnails, executors

    async def fill_forever(self) -> None:
        """Fill soon after the start, which nothing delays, and every ten minutes, until cancelled."""
        await asyncio.sleep(START_AFTER_S)
        while True:
            try:
                if count := await self.fill():
                    log.info("images: measured %d for photomosaics", count)
            except errors.Unavailable as error:  # pragma: no cover - the database or the bucket is away
                log.info("features: %s; trying again later", error.slug)
            await asyncio.sleep(INTERVAL_S)

    async def fill(self) -> int:
        """Measure every image without features, one after the other; returns their number. Raises Unavailable."""
        count = 0
        async for image in self._images.unmeasured(mosaic.FEATURES_VERSION):
            await self._measure(image)
            count += 1
        return count

    async def _measure(self, image: Image) -> None:
        features = self._images.features
        try:
            thumbnail = await self._thumbnails.get(image, WIDTHS[0])
        except errors.NotFound:
            await features.save({image.id: UNREADABLE}, mosaic.FEATURES_VERSION)
        else:
            if not await features.of([image.id], mosaic.FEATURES_VERSION):  # making a thumbnail measures
                data = await self._executors.preview(mosaic.measure_features, thumbnail)
                await features.save({image.id: data}, mosaic.FEATURES_VERSION)
        try:
            await self._images.by_id(image.id, SERVER)
        except errors.NotFound:  # pragma: no cover - deleted at the same moment
            await features.delete(image.id)
