"""Registration: an image that has arrived in the bucket gets a record, and its upload token ends."""

from __future__ import annotations

import contextlib

from models import errors
from models.image import Image, NewImage
from models.images import Images
from models.uploads import PendingUploads
from models.users import Users


class Registrations:
    """Registers images of users who still exist.

    The owner is checked after the record is stored. An account that is being deleted by then may have missed the
    record; one whose deletion begins later finds it.
    """

    def __init__(self, images: Images, uploads: PendingUploads, users: Users) -> None:
        self._images, self._uploads, self._users = images, uploads, users

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
