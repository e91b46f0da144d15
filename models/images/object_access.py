"""Who may read an object of the embedded bucket by its address alone, without a signature, and what may be uploaded.

Kodo does not ask: there a private bucket protects all objects, and a public one none; upload tokens end by time alone.
"""

from __future__ import annotations

from typing import Protocol

from models import errors
from models.images.images import Images
from models.images.uploads import KEY_PREFIX, PendingUploads
from models.images.visibility import OPEN, SERVER, STRANGER

THUMBNAILS, MAPS = "thumbnail/", "map/"
OWN_PREFIXES = (KEY_PREFIX, "mosaic/", MAPS, THUMBNAILS)
"""Of keys that this service makes: they have a record, or belong to nobody yet."""


class ObjectAccess(Protocol):
    """What downloads and uploads ask."""

    async def is_open(self, key: str) -> bool:
        """Whether everyone who has the address may read this object. Raises DatabaseUnavailable."""

    async def may_upload(self, key: str) -> bool:
        """Whether an upload token for this key is valid still. Raises DatabaseUnavailable."""


class RecordedAccess:
    """Decides by the records of images and of pending uploads."""

    def __init__(self, images: Images, uploads: PendingUploads) -> None:
        self._images, self._uploads = images, uploads

    async def is_open(self, key: str) -> bool:
        """A thumbnail follows its image, a cell map its result. Another client's object needs no record."""
        if key.startswith(THUMBNAILS):
            return await self._is_image_open(key.removeprefix(THUMBNAILS).partition("/")[0])
        if key.startswith(MAPS):
            return await self._images.is_open(key.removeprefix(MAPS).removesuffix(".json"))
        return await self._images.is_open(key) or await self._is_unrecorded(key)

    async def may_upload(self, key: str) -> bool:
        """A token ends with its image, and with the account of its owner. Another client's object needs no record.

        The image is looked up last: an upload that is completed meanwhile has been registered before.
        """
        if not key.startswith(KEY_PREFIX):
            return True
        return bool(await self._uploads.pending_keys([key])) or await self._images.by_key(key, SERVER) is not None

    async def _is_image_open(self, image_id: str) -> bool:
        try:
            await self._images.by_id(int(image_id), STRANGER)
        except (errors.NotFound, ValueError):
            return False
        return True

    async def _is_unrecorded(self, key: str) -> bool:
        """An object without an image: one whose callback has not come yet, or one that another client stored."""
        try:
            return (await self._uploads.get(key)).visibility in OPEN
        except errors.NotFound:
            return not key.startswith(OWN_PREFIXES) and not await self._images.registered_keys([key])
