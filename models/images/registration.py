"""Registration: an upload reserves space; an image that has arrived gets a record, and its upload token ends."""

from __future__ import annotations

import contextlib

from models import errors
from models.accounts.users import Users
from models.images.image import Image, NewImage
from models.images.images import Images
from models.images.quotas import Quotas
from models.images.uploads import PendingUpload, PendingUploads


class Registrations:
    """Registers images of users who still exist.

    The owner is checked after the record is stored. An account that is being deleted by then may have missed the
    record; one whose deletion begins later finds it.
    """

    def __init__(self, images: Images, uploads: PendingUploads, users: Users, quotas: Quotas) -> None:
        self._images, self._uploads, self._users, self._quotas = images, uploads, users, quotas

    async def reserve(self, upload: PendingUpload) -> None:
        """Record an upload for which a token will be issued. Raises QuotaExceeded, TooManyRequests."""
        await self._uploads.add(upload)
        try:
            await self._quotas.check_pending(upload.owner)
        except (errors.QuotaExceeded, errors.TooManyRequests):
            await self._uploads.complete(upload.key)
            raise

    async def reserve_again(self, upload: PendingUpload) -> None:
        """Another token will be issued for this upload. Raises QuotaExceeded."""
        await self._uploads.reserve_again(upload.key)
        try:
            await self._quotas.check(upload.owner)
        except errors.QuotaExceeded:
            await self._uploads.release(upload.key)
            raise

    async def register(self, new: NewImage) -> Image:
        """Register an image and complete its upload. Raises NotFound if its owner has left; then it is hidden."""
        image = await self._images.add(new)
        owner_id = new.owner.id
        if owner_id is not None and not await self._users.exists(owner_id):
            with contextlib.suppress(errors.NotFound):  # the deletion of the account has hidden it
                await self._images.hide(image.id, owner_id)
            raise errors.NotFound(what="user", which=owner_id)
        if new.key is not None:
            await self._uploads.complete(new.key)
        return image

    async def register_within_quota(self, new: NewImage) -> Image:
        """Register an image for which no upload has reserved space. Raises NotFound, QuotaExceeded.

        A crash between the two steps leaves the image, which then counts.
        """
        image = await self.register(new)
        try:
            await self._quotas.check(new.owner)
        except errors.QuotaExceeded:
            if new.is_recorded_as(image):
                await self._images.delete(image.id, new.owner.id)
            raise
        return image
