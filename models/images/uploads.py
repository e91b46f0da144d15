"""Pending uploads: keys for which a token was issued and whose image has not arrived; a callback must name one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from models import errors
from models.database import Database, Document
from models.images.image import Owner
from models.images.visibility import UNSTATED, Visibility
from models.index import Index

LIFETIME = timedelta(days=7)
"""An image that arrives later than this after its token was issued is not registered."""

RESERVATION_LIFE = timedelta(hours=1)
"""Longer than a token is valid, and than an upload whose callback was lost waits for reconciliation."""
KEY_PREFIX = "source/"
"""Of the keys that upload tokens are issued for."""


@dataclass(frozen=True, slots=True)
class PendingUpload:
    """owner: the user for whom the token was issued. visibility: of the image that will arrive.

    reserved_bytes: the largest file that the token allows.
    """

    key: str
    owner: Owner
    filename: str
    param: str
    visibility: Visibility = Visibility.PRIVATE
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    reserved_bytes: int = 0


class PendingUploads:
    """The collection `uploads`.

    {_id: key, owner_id, username, filename, param, visibility, created, reserved_bytes, reserved_until}
    """

    indexes = (Index("created", expire_after_s=int(LIFETIME.total_seconds())), Index("owner_id"))

    def __init__(self, database: Database) -> None:
        self._uploads = database.collection("uploads")

    async def add(self, upload: PendingUpload) -> None:
        """Record whose image will arrive under this key."""
        await self._uploads.insert_one(
            {
                "_id": upload.key,
                "owner_id": upload.owner.id,
                "username": upload.owner.username,
                "filename": upload.filename,
                "param": upload.param,
                "visibility": str(upload.visibility),
                "created": upload.created,
                "reserved_bytes": upload.reserved_bytes,
                "reserved_until": datetime.now(UTC) + RESERVATION_LIFE,
            }
        )

    async def get(self, key: str) -> PendingUpload:
        """Raises NotFound for a key without a pending upload."""
        document = await self._uploads.find_one({"_id": key})
        if document is None:
            raise errors.NotFound(what="upload", which=key)
        return _upload(document)

    async def reserve_again(self, key: str) -> None:
        """Another token is issued for the key."""
        await self._uploads.update_one({"_id": key}, {"$set": {"reserved_until": datetime.now(UTC) + RESERVATION_LIFE}})

    async def release(self, key: str) -> None:
        """No other token is issued after all."""
        await self._uploads.update_one({"_id": key}, {"$set": {"reserved_until": datetime.now(UTC)}})

    async def older_than(self, age: timedelta) -> AsyncIterator[PendingUpload]:
        """Every upload that has been pending for longer than `age`; some may be completed meanwhile."""
        async for document in self._uploads.iterate({"created": {"$lt": datetime.now(UTC) - age}}):
            yield _upload(document)

    async def of_owner(self, owner_id: int, *, limit: int = 500) -> list[PendingUpload]:
        """A user's pending uploads, oldest first."""
        documents = await self._uploads.find({"owner_id": owner_id}, sort="created", limit=limit)
        return [_upload(document) for document in documents]

    async def pending_keys(self, keys: list[str]) -> set[str]:
        """Those of these keys that have a pending upload."""
        documents = await self._uploads.find({"_id": {"$in": keys}}, sort="_id", limit=len(keys), fields=["_id"])
        return {document["_id"] for document in documents}

    async def complete(self, key: str) -> None:
        """The image is registered, or never will be."""
        await self._uploads.delete_one({"_id": key})


def _upload(document: Document) -> PendingUpload:
    return PendingUpload(
        document["_id"],
        Owner(document["owner_id"], document["username"]),
        document["filename"],
        document["param"],
        Visibility(document.get("visibility", UNSTATED)),
        document["created"],
        document.get("reserved_bytes", 0),
    )
