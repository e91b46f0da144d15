"""Sessions: who is signed in. Only the user has the token; the database has its hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.database import Database, Document
from models.index import Index

TOKEN_BYTES = 32
IDLE_TIMEOUT = timedelta(days=14)
LIFETIME = timedelta(days=90)
EXTENSION = timedelta(hours=1)
"""A session is extended when it is used, by no less than this."""
MAX_SESSIONS = 1000
"""Of each user: one more ends the one that was not used for longest. Some clients sign in for each call."""


@dataclass(frozen=True, slots=True)
class Session:
    """username: None for a guest."""

    user_id: int
    username: str | None
    created: datetime
    expires: datetime


class Sessions:
    """The collection `sessions`: {_id: SHA-256 of the token, user_id, username, created, expires}."""

    indexes = (Index("expires", expire_after_s=0), Index("user_id created"), Index("user_id -expires"))

    def __init__(self, database: Database) -> None:
        self._sessions = database.collection("sessions")
        self._finding = database.batchers.make(self._find_all)

    async def open(self, user_id: int, username: str | None, *, lifetime: timedelta = IDLE_TIMEOUT) -> str:
        """Sign a user in; returns the new token, 256 bits as URL-safe text. lifetime: until it is used again."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), datetime.now(UTC)
        await self._sessions.insert_one(
            {
                "_id": _digest(token),
                "user_id": user_id,
                "username": username,
                "created": now,
                "expires": now + lifetime,
            }
        )
        if username is not None:
            await self._end_unused(user_id)
        return token

    async def _end_unused(self, user_id: int) -> None:
        """Close those beyond MAX_SESSIONS."""
        query: Document = {"user_id": user_id}
        if await self._sessions.count_documents(query, limit=MAX_SESSIONS + 1) <= MAX_SESSIONS:
            return
        sessions = await self._sessions.find(query, sort="-expires", limit=2 * MAX_SESSIONS, fields=["_id"])
        await self._sessions.delete_many({"_id": {"$in": [session["_id"] for session in sessions[MAX_SESSIONS:]]}})

    async def find(self, token: str) -> Session | None:
        """The session of a token, or None.

        Extends it, up to LIFETIME; not that of a guest.
        """
        document = await self._finding.submit(_digest(token))
        if document is None:
            return None
        expires = min(datetime.now(UTC) + IDLE_TIMEOUT, document["created"] + LIFETIME)
        if document["username"] is not None and expires - document["expires"] >= EXTENSION:
            await self._sessions.update_one({"_id": document["_id"]}, {"$set": {"expires": expires}})
        return _session(document)

    async def _find_all(self, digests: list[str]) -> list[Document | None]:
        """Every request looks a session up: under load many look-ups share one call, which starts after all of them."""
        query: Document = {"_id": {"$in": digests}, "expires": {"$gt": datetime.now(UTC)}}
        documents = await self._sessions.find(query, sort="", limit=0)
        by_digest = {document["_id"]: document for document in documents}
        return [by_digest.get(digest) for digest in digests]

    async def of_user(self, user_id: int, *, limit: int = 1000) -> list[Session]:
        """A user's sessions, oldest first."""
        query = {"user_id": user_id, "expires": {"$gt": datetime.now(UTC)}}
        return [_session(document) for document in await self._sessions.find(query, sort="created", limit=limit)]

    async def close(self, token: str) -> None:
        """Sign out: the token is invalid from now on."""
        await self._sessions.delete_one({"_id": _digest(token)})

    async def close_all(self, user_id: int, *, except_token: str | None = None) -> None:
        """Close all sessions of a user, except the one of `except_token`."""
        query: dict[str, object] = {"user_id": user_id}
        if except_token is not None:
            query["_id"] = {"$ne": _digest(except_token)}
        await self._sessions.delete_many(query)


def _session(document: Document) -> Session:
    return Session(document["user_id"], document["username"], document["created"], document["expires"])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
