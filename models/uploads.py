"""Uploads that somebody asked leave for and whose picture has not arrived yet; a callback must name one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models import errors
from models.database import Database, Document, Index
from models.images import Owner

LIFETIME = timedelta(days=7)
"""A picture that arrives later than this after its token was given belongs to nobody."""


@dataclass(frozen=True, slots=True)
class PendingUpload:
    """owner: who asked for the token."""

    key: str
    owner: Owner
    filename: str
    param: str


class PendingUploads:
    """The collection `uploads`: {_id: key, owner_id, username, filename, param, created}."""

    indexes = (Index("created", expire_after_s=int(LIFETIME.total_seconds())), Index("owner_id"))

    def __init__(self, database: Database) -> None:
        self._uploads = database.collection("uploads")

    async def add(self, upload: PendingUpload) -> None:
        """Remember whose picture will arrive under this key."""
        await self._uploads.insert_one(
            {
                "_id": upload.key,
                "owner_id": upload.owner.id,
                "username": upload.owner.username,
                "filename": upload.filename,
                "param": upload.param,
                "created": datetime.now(UTC),
            }
        )

    async def get(self, key: str) -> PendingUpload:
        """Raises NotFound for a key that nobody asked for."""
        document = await self._uploads.find_one({"_id": key})
        if document is None:
            raise errors.NotFound(what="upload", which=key)
        return _upload(document)

    async def older_than(self, age: timedelta, *, limit: int = 500) -> list[PendingUpload]:
        """The oldest of those whose picture has not been registered for so long."""
        query = {"created": {"$lt": datetime.now(UTC) - age}}
        return [_upload(document) for document in await self._uploads.find(query, sort="created", limit=limit)]

    async def of_owner(self, owner_id: int, *, limit: int = 500) -> list[PendingUpload]:
        """What a person asked leave for and what has not arrived, oldest first."""
        documents = await self._uploads.find({"owner_id": owner_id}, sort="created", limit=limit)
        return [_upload(document) for document in documents]

    async def pending_keys(self, keys: list[str]) -> set[str]:
        """Those of these keys that somebody asked for and that have not been registered."""
        documents = await self._uploads.find({"_id": {"$in": keys}}, sort="_id", limit=len(keys), fields=["_id"])
        return {document["_id"] for document in documents}

    async def complete(self, key: str) -> None:
        """The picture is registered, or will never be."""
        await self._uploads.delete_one({"_id": key})


def _upload(document: Document) -> PendingUpload:
    return PendingUpload(
        document["_id"], Owner(document["owner_id"], document["username"]), document["filename"], document["param"]
    )
