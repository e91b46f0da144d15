"""The follow graph: one document for each edge; the unique index makes following twice the same as once."""

from __future__ import annotations

from datetime import UTC, datetime

from models.database import Database, Document, Duplicate, Index
from models.users import STAYING


class Follows:
    """The collection `follows`: {from_id, to_id, created}."""

    indexes = (Index("from_id to_id", unique=True), Index("to_id"))

    def __init__(self, database: Database) -> None:
        self._follows = database.collection("follows")

    async def follow(self, from_id: int, to_id: int) -> None:
        try:
            await self._follows.insert({"from_id": from_id, "to_id": to_id, "created": datetime.now(UTC)})
        except Duplicate:
            return

    async def unfollow(self, from_id: int, to_id: int) -> None:
        await self._follows.delete_one({"from_id": from_id, "to_id": to_id})

    async def followed_by(self, user_id: int) -> list[str]:
        """The names of those whom this user follows, oldest edge first."""
        return await self._names({"from_id": user_id}, "to_id")

    async def followers_of(self, user_id: int) -> list[str]:
        """The names of those who follow this user, oldest edge first."""
        return await self._names({"to_id": user_id}, "from_id")

    async def ids_followed_by(self, user_id: int, *, limit: int = 10_000) -> list[int]:
        found = await self._follows.find({"from_id": user_id}, sort="_id", limit=limit, fields=["to_id"])
        return [edge["to_id"] for edge in found]

    async def forget(self, user_id: int) -> None:
        """Delete every edge from and to a user."""
        await self._follows.delete_many({"$or": [{"from_id": user_id}, {"to_id": user_id}]})

    async def _names(self, edges: Document, end: str) -> list[str]:
        found = await self._follows.aggregate(
            [
                {"$match": edges},
                {"$sort": {"_id": 1}},
                {"$lookup": {"from": "users", "localField": end, "foreignField": "_id", "as": "user"}},
                {"$unwind": "$user"},
                {"$match": {f"user.{name}": value for name, value in STAYING.items()}},
                {"$project": {"_id": 0, "username": "$user.username"}},
            ]
        )
        return [edge["username"] for edge in found]
