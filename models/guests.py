"""Guests: people who make pictures before they have an account, for a day at most.

A guest is a record among the users, without a name, so that sessions, images and tasks belong to it as to any user. On
signing up, `adopt` gives everything to the new owner. What a task that was running registers later follows at the end
of the guest.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models import errors
from models.database import Database, Document
from models.driver_errors import DuplicateKey
from models.images.image import Owner
from models.images.images import HIDE, VISIBLE
from models.index import Index

LIFETIME = timedelta(days=1)
RETRY_AFTER_S = 3600
KEY_PREFIX = "\0guest/"
"""Of a guest's `username_key`, which is unique; no name that a user may have begins with it."""
LATE_LIMIT = 10
IN_USE: Document = {"guest": True, "adopted_by": None}


@dataclass(frozen=True, slots=True)
class Guest:
    """adopted_by: the id of the user to whom everything belongs now; None: nobody has signed up."""

    id: int
    created: datetime
    adopted_by: int | None


class Guests:
    """The guests in the collection `users`: {_id, guest: true, username: "", username_key, created, adopted_by}."""

    indexes = (
        Index("guest created", partial_filter={"guest": True}),
        Index("adopted_by", partial_filter={"guest": True}),
    )

    def __init__(self, database: Database) -> None:
        self._users = database.collection("users")
        self._images = database.collection("images")
        self._tasks = database.collection("tasks")
        self._uploads = database.collection("uploads")

    async def add(self, *, limit: int) -> int:
        """The id of a new guest. limit: of guests at a time. Raises TooManyRequests."""
        if await self._users.count_documents(IN_USE, limit=limit) >= limit:
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        return await self._users.insert_with_id(
            {
                "guest": True,
                "username": "",
                "username_key": KEY_PREFIX + secrets.token_hex(16),
                "email": "",
                "password_hash": "",
                "created": datetime.now(UTC),
                "adopted_by": None,
            }
        )

    async def count_images(self, guest_id: int) -> int:
        """How many images the guest has, and uploads whose images have not arrived."""
        arrived = await self._images.count_documents({"owner_id": guest_id, **VISIBLE})
        return arrived + await self._uploads.count_documents({"owner_id": guest_id})

    async def adopt(self, guest_id: int, owner: Owner) -> None:
        """Give everything of a guest to a user. May be repeated."""
        await self._users.update_one({"_id": guest_id, "guest": True}, {"$set": {"adopted_by": owner.id}})
        named: Document = {"$set": {"owner_id": owner.id, "username": owner.username}}
        await self._uploads.update_many({"owner_id": guest_id}, named)
        await self._tasks.update_many({"owner_id": guest_id}, {"$set": {"owner_id": owner.id, "owner": owner.username}})
        async for image in self._images.iterate({"owner_id": guest_id, **VISIBLE}):
            try:
                await self._images.update_one({"_id": image["_id"]}, named)
            except DuplicateKey:  # the user has made the same picture before
                await self._images.update_one({"_id": image["_id"]}, HIDE)

    async def adopt_late(self, owner: Owner) -> bool:
        """Adopt what requests have registered that were sent before the user, then a guest, signed up.

        Returns whether the user has been a guest today.
        """
        query: Document = {"guest": True, "adopted_by": owner.id, "deleting": None}
        guests = await self._users.find(query, sort="_id", limit=LATE_LIMIT, fields=["_id"])
        for guest in guests:
            await self.adopt(guest["_id"], owner)
        return bool(guests)

    async def expired(self, age: timedelta = LIFETIME, *, limit: int = 500) -> list[Guest]:
        """Guests that are older than `age` and not being deleted yet, oldest first."""
        query: Document = {"guest": True, "created": {"$lt": datetime.now(UTC) - age}, "deleting": None}
        documents = await self._users.find(query, sort="created", limit=limit)
        return [Guest(each["_id"], each["created"], each["adopted_by"]) for each in documents]
