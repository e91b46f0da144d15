"""The end of photomosaics with withdrawn pictures: deleted when the time that their page states is over."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from models import errors
from models.images.image import Image
from models.images.images import Images
from processing.upkeep.image_deletion import ImageDeletions

log = logging.getLogger(__name__)

INTERVAL_S = 600.0


class WithdrawalSweeper:
    """Run `sweep_forever` in the background. Several servers may do so at once."""

    def __init__(self, images: Images, image_deletions: ImageDeletions) -> None:
        self._images, self._image_deletions = images, image_deletions

    async def sweep_forever(self) -> None:
        """Sweep now and every ten minutes, until cancelled."""
        while True:
            try:
                await self.sweep(datetime.now(UTC))
            except errors.Unavailable as error:  # pragma: no cover - the database is away at this moment
                log.info("withdrawn pictures: %s; trying again later", error.slug)
            await asyncio.sleep(INTERVAL_S)

    async def sweep(self, now: datetime) -> int:
        """Delete the photomosaics whose time is over; returns their number. Raises DatabaseUnavailable.

        A picture that its owner has made visible again counts no longer, whatever the mark says.
        """
        deleted = 0
        for image in await self._images.withdrawals.due(now):
            usable = await self._images.usable_as_tiles(list(image.withdrawn), image.owner.id)
            await self._images.withdrawals.unmark(list(usable))
            if len(usable) < len(image.withdrawn):
                deleted += await self._delete(image)
        return deleted

    async def _delete(self, image: Image) -> bool:
        try:
            await self._image_deletions.delete(image.id, image.owner.id)
        except errors.NotFound:  # pragma: no cover - its owner deletes it at the same moment
            return False
        log.info("image %s: deleted with %d withdrawn pictures in it", image.id, len(image.withdrawn))
        return True
