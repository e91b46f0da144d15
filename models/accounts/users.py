"""Users: a name, an e-mail address, a password hash. The unique index on `username_key` decides who gets a name.

The name of a deleted account is not given out again: its new owner would be taken for the former one. Only a hash
of it remains, in the collection `retired_names`.

A user whose account is being deleted is no longer found; the record stays until all of the user's data is gone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from models import errors
from models.accounts.emails import email_key
from models.accounts.usernames import username_key
from models.database import Database, Document
from models.driver_errors import DuplicateKey
from models.index import Index

SECRET_FIELDS = ("_id", "username", "email", "created", "password_hash")
NOT_DELETED: Document = {"deleting": None}
MIGRATION_STEP = 500


@dataclass(frozen=True, slots=True)
class User:
    """password_hash: argon2's own format; it never leaves models and the sign-in."""

    id: int
    username: str
    email: str
    created: datetime
    password_hash: str


class Users:
    """The collection `users`: {_id, username, username_key, email, email_key, password_hash, created}.

    Of accounts of an earlier version with the same address, the oldest has the `email_key`; for the others it is "".
    `deleting: true` while the account is being deleted; `developer: true` for developers.
    """

    indexes = (
        Index("username_key", unique=True),
        Index("email_key", unique=True, partial_filter={"email_key": {"$gt": ""}}),
        Index("deleting", partial_filter={"deleting": True}),
        Index("developer", partial_filter={"developer": True}),
    )

    def __init__(self, database: Database) -> None:
        self._users = database.collection("users")
        self._retired_names = database.collection("retired_names")
        self._by_key = database.batchers.make(self._find_by_keys)

    async def add(self, *, username: str, email: str, password_hash: str) -> int:
        """Returns the new user's id. Raises UsernameTaken, EmailTaken."""
        if await self._retired_names.find_one({"_id": _retired(username)}) is not None:
            raise errors.UsernameTaken(field="username", username=username)
        document: Document = {
            "username": username,
            "username_key": username_key(username),
            "email": email,
            "email_key": email_key(email),
            "password_hash": password_hash,
            "created": datetime.now(UTC),
        }
        try:
            return await self._users.insert_with_id(document)
        except DuplicateKey as error:
            if "email_key" in error.fields:
                raise errors.EmailTaken(field="email") from error
            raise errors.UsernameTaken(field="username", username=username) from error

    async def by_name(self, username: str) -> User:
        """Raises NotFound."""
        return _user(await self._by_key.submit(username_key(username)), username)

    async def _find_by_keys(self, keys: list[str]) -> list[Document | None]:
        query: Document = {"username_key": {"$in": keys}, **NOT_DELETED}
        documents = await self._users.find(query, sort="", limit=0, fields=[*SECRET_FIELDS, "username_key"])
        by_key = {user["username_key"]: user for user in documents}
        return [by_key.get(key) for key in keys]

    async def by_id(self, user_id: int) -> User:
        """Raises NotFound."""
        return _user(await self._users.find_one({"_id": user_id, **NOT_DELETED}, SECRET_FIELDS), user_id)

    async def exists(self, user_id: int) -> bool:
        """Whether this user or guest is there and not being deleted."""
        return await self._users.find_one({"_id": user_id, **NOT_DELETED}, ["_id"]) is not None

    async def update(self, user_id: int, *, email: str | None = None, password_hash: str | None = None) -> None:
        """Change the fields that are not None. Raises EmailTaken."""
        key = None if email is None else email_key(email)
        fields = {"email": email, "email_key": key, "password_hash": password_hash}
        changes = {name: value for name, value in fields.items() if value is not None}
        try:
            if changes:
                await self._users.update_one({"_id": user_id}, {"$set": changes})
        except DuplicateKey as error:
            raise errors.EmailTaken(field="email") from error

    async def set_developer(self, user_id: int, developer: bool) -> None:
        """Let a user see and control the whole queue, or no longer."""
        change: Document = {"$set": {"developer": True}} if developer else {"$unset": {"developer": ""}}
        await self._users.update_one({"_id": user_id}, change)

    async def developers(self, *, limit: int = 1000) -> frozenset[int]:
        """The ids of all developers."""
        documents = await self._users.find({"developer": True, **NOT_DELETED}, sort="", limit=limit, fields=["_id"])
        return frozenset(document["_id"] for document in documents)

    async def mark_deleting(self, user_id: int) -> None:
        """From now on the user is not found and cannot sign in, and nobody else gets the name of the account."""
        user = await self._users.find_one({"_id": user_id}, ["username"])
        if user is not None and user["username"]:
            change: Document = {"$set": {"retired": datetime.now(UTC)}}
            await self._retired_names.update_one({"_id": _retired(user["username"])}, change, upsert=True)
        changes = {"deleting": True, "email": "", "email_key": "", "password_hash": ""}
        await self._users.update_one({"_id": user_id}, {"$set": changes})

    async def add_email_keys(self) -> None:
        """Give accounts of an earlier version their `email_key`, the oldest of each address first."""
        query: Document = {"email_key": None, "guest": None}
        while users := await self._users.find(query, sort="created", limit=MIGRATION_STEP, fields=["email"]):
            for user in users:
                change: Document = {"$set": {"email_key": email_key(user["email"])}}
                try:
                    await self._users.update_one({"_id": user["_id"]}, change)
                except DuplicateKey:
                    await self._users.update_one({"_id": user["_id"]}, {"$set": {"email_key": ""}})

    async def deleting(self, *, limit: int = 1000) -> list[int]:
        """The ids of users whose accounts are being deleted."""
        documents = await self._users.find({"deleting": True}, sort="_id", limit=limit, fields=["_id"])
        return [document["_id"] for document in documents]

    async def delete(self, user_id: int) -> None:
        await self._users.delete_one({"_id": user_id})


def _retired(username: str) -> str:
    return hashlib.sha256(username_key(username).encode()).hexdigest()


def _user(document: Document | None, which: object) -> User:
    if document is None:
        raise errors.NotFound(what="user", which=which)
    return User(**{name.removeprefix("_"): document[name] for name in SECRET_FIELDS})
