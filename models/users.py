"""Users: a name, an e-mail address, a password's hash. The unique index on the folded name decides who got it.

Somebody who is leaving is not found any more; the record stays until everything that was theirs is gone.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from models import errors
from models.batcher import Batch
from models.database import Database, Document
from models.index import Duplicate, Index

SECRET_FIELDS = ("_id", "username", "email", "created", "password_hash")
STAYING: Document = {"leaving": None}


@dataclass(frozen=True, slots=True)
class User:
    """password_hash: as argon2 writes it; it never leaves models and the sign-in."""

    id: int
    username: str
    email: str
    created: datetime
    password_hash: str


class Users:
    """The collection `users`: {_id, username, folded, email, password_hash, created, perhaps leaving: true} and perhaps
    developer: true."""

    indexes = (
        Index("folded", unique=True),
        Index("leaving", only={"leaving": True}),
        Index("developer", only={"developer": True}),
    )

    def __init__(self, database: Database) -> None:
        self._users = database.collection("users")
        self._naming = Batch(self._named)

    async def add(self, *, username: str, email: str, password_hash: str) -> int:
        """The new user's id. Raises UsernameTaken."""
        document: Document = {
            "username": username,
            "folded": fold(username),
            "email": email,
            "password_hash": password_hash,
            "created": datetime.now(UTC),
        }
        try:
            return await self._users.insert_with_id(document)
        except Duplicate as error:
            raise errors.UsernameTaken(field="username", username=username) from error

    async def by_name(self, username: str) -> User:
        """Raises NotFound."""
        return _user(await self._naming.send(fold(username)), username)

    async def _named(self, names: list[str]) -> list[Document | None]:
        query: Document = {"folded": {"$in": names}, **STAYING}
        found = await self._users.find(query, sort="", limit=0, fields=[*SECRET_FIELDS, "folded"])
        known = {user["folded"]: user for user in found}
        return [known.get(name) for name in names]

    async def by_id(self, user_id: int) -> User:
        """Raises NotFound."""
        return _user(await self._users.find_one({"_id": user_id, **STAYING}, SECRET_FIELDS), user_id)

    async def change(self, user_id: int, *, email: str | None = None, password_hash: str | None = None) -> None:
        """Set what is given."""
        given = {"email": email, "password_hash": password_hash}
        chosen = {name: value for name, value in given.items() if value is not None}
        if chosen:
            await self._users.update_one({"_id": user_id}, {"$set": chosen})

    async def make_developer(self, user_id: int, developer: bool) -> None:
        """Let a user see and steer the whole queue, or no longer."""
        change: Document = {"$set": {"developer": True}} if developer else {"$unset": {"developer": ""}}
        await self._users.update_one({"_id": user_id}, change)

    async def developers(self, *, limit: int = 1000) -> frozenset[int]:
        """The ids of those whom an operator made developers."""
        found = await self._users.find({"developer": True, **STAYING}, sort="_id", limit=limit, fields=["_id"])
        return frozenset(user["_id"] for user in found)

    async def mark_leaving(self, user_id: int) -> None:
        """From now on nobody finds or signs in this user; the name is free again once `delete` is called."""
        forgotten = {"leaving": True, "email": "", "password_hash": ""}
        await self._users.update_one({"_id": user_id}, {"$set": forgotten})

    async def leaving(self, *, limit: int = 1000) -> list[int]:
        """The ids of those who are leaving."""
        found = await self._users.find({"leaving": True}, sort="_id", limit=limit, fields=["_id"])
        return [user["_id"] for user in found]

    async def delete(self, user_id: int) -> None:
        await self._users.delete_one({"_id": user_id})


def fold(username: str) -> str:
    """The form in which names are compared: NFKC, case folded, without blanks around (`Ａdmin ` is `admin`)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold()).strip()


def _user(found: Document | None, which: object) -> User:
    if found is None:
        raise errors.NotFound(what="user", which=which)
    return User(found["_id"], found["username"], found["email"], found["created"], found["password_hash"])
