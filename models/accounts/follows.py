"""The follow graph: one document per edge; the unique index makes following twice the same as following once."""

from __future__ import annotations

from datetime import UTC, datetime

from models.accounts.users import NOT_DELETED
from models.database import Database, Document, Index
from models.driver_errors import DuplicateKey

NAMES_PER_QUERY = 10_000


class Follows:
    """The collection `follows`: {from_id, to_id, created}."""

    indexes = (Index("from_id to_id", unique=True), Index("to_id"))

    def __init__(self, database: Database) -> None:
        self._follows, self._users = database.collection("follows"), database.collection("users")

    async def follow(self, from_id: int, to_id: int) -> None:
        try:
            await self._follows.insert_one({"from_id": from_id, "to_id": to_id, "created": datetime.now(UTC)})
        except DuplicateKey:
            return

    async def unfollow(self, from_id: int, to_id: int) -> None:
        await self._follows.delete_one({"from_id": from_id, "to_id": to_id})

    async def followed_and_followers(self, user_id: int) -> tuple[list[str], list[str]]:
        """The names of the users whom this user follows, and of this user's followers, oldest edge first.

        Two plain queries instead of $lookup, which costs the database one query per edge.
        """
        query: Document = {"$or": [{"from_id": user_id}, {"to_id": user_id}]}
        documents = await self._follows.find(query, sort="", limit=0, fields=["from_id", "to_id"])
        edges = sorted(documents, key=lambda edge: edge["_id"])
        names = await self._names(list({edge[end] for edge in edges for end in ("from_id", "to_id")} - {user_id}))
        followed = [names[edge["to_id"]] for edge in edges if edge["from_id"] == user_id and edge["to_id"] in names]
        followers = [names[edge["from_id"]] for edge in edges if edge["to_id"] == user_id and edge["from_id"] in names]
        return followed, followers

    async def ids_followed_by(self, user_id: int, *, limit: int = 10_000) -> list[int]:
        edges = await self._follows.find({"from_id": user_id}, sort="_id", limit=limit, fields=["to_id"])
        return [edge["to_id"] for edge in edges]

    async def delete_of(self, user_id: int) -> None:
        """Delete every edge from and to a user."""
        await self._follows.delete_many({"$or": [{"from_id": user_id}, {"to_id": user_id}]})

    async def _names(self, ids: list[int]) -> dict[int, str]:
        """id -> name, without users whose accounts are being deleted."""
        names: dict[int, str] = {}
        for start in range(0, len(ids), NAMES_PER_QUERY):
            query: Document = {"_id": {"$in": ids[start : start + NAMES_PER_QUERY]}, **NOT_DELETED}
            users = await self._users.find(query, sort="", limit=0, fields=["username"])
            names |= {user["_id"]: user["username"] for user in users}
        return names
