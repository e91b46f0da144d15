"""The follow graph: one document per edge; the unique index makes following twice the same as following once.

An edge has the names of both users, who cannot change them, so that an index alone answers who follows whom.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from models import errors
from models.accounts.users import NOT_DELETED
from models.database import Database, Document
from models.driver_errors import DuplicateKey
from models.index import Index

MAX_NAMES = 10_000
NAMES_PER_CALL = 2_000
"""Simultaneous look-ups of users with fewer names together share one call."""
MIGRATION_STEP = 1_000
NAMELESS: Document = {"to_name": None}
"""Edges that an earlier version has added."""


@dataclass(frozen=True, slots=True)
class Member:
    """One end of an edge."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class FollowList:
    """names: of the newest MAX_NAMES edges, oldest first. count: of all edges."""

    names: list[str]
    count: int


@dataclass(frozen=True, slots=True)
class Side:
    """One direction of the graph. own: the field with the id of the user whose list it is. name: of the others."""

    own: str
    name: str


FOLLOWED, FOLLOWERS = Side("from_id", "to_name"), Side("to_id", "from_name")


class Follows:
    """The collection `follows`: {from_id, to_id, from_name, to_name, created}."""

    indexes = (
        Index("from_id to_id", unique=True),
        Index("from_id -_id to_name to_id"),
        Index("to_id -_id from_name"),
        Index("to_name", partial_filter=NAMELESS),
    )

    def __init__(self, database: Database) -> None:
        self._follows, self._users = database.collection("follows"), database.collection("users")
        self._reading = database.batchers.make(self._read)

    async def follow(self, follower: Member, followed: Member) -> None:
        """Raises NotFound if one of the accounts is deleted meanwhile, whose edges may be deleted already."""
        edge: Document = {"from_id": follower.id, "to_id": followed.id}
        names: Document = {"from_name": follower.username, "to_name": followed.username}
        both: Document = {"_id": {"$in": [follower.id, followed.id]}, **NOT_DELETED}
        try:
            await self._follows.insert_one({**edge, **names, "created": datetime.now(UTC)})
        except DuplicateKey:
            return
        if await self._users.count_documents(both) < 2:
            await self._follows.delete_one(edge)
            raise errors.NotFound(what="user", which=followed.username)

    async def unfollow(self, from_id: int, to_id: int) -> None:
        await self._follows.delete_one({"from_id": from_id, "to_id": to_id})

    async def followed_and_followers(self, user_id: int) -> tuple[FollowList, FollowList]:
        """Whom this user follows, and who follows this user."""
        return await self._reading.submit(user_id)

    async def iterate_names(self, user_id: int, side: Side) -> AsyncIterator[str]:
        """All names of one of the two lists, oldest edge first."""
        async for edge in self._follows.iterate({side.own: user_id}):
            yield edge[side.name]

    async def ids_followed_by(self, user_id: int, *, limit: int = MAX_NAMES) -> list[int]:
        edges = await self._follows.find({"from_id": user_id}, sort="_id", limit=limit, fields=["to_id"])
        return [edge["to_id"] for edge in edges]

    async def delete_of(self, user_id: int) -> None:
        """Delete every edge from and to a user."""
        await self._follows.delete_many({"$or": [{"from_id": user_id}, {"to_id": user_id}]})

    async def add_names(self) -> None:
        """Give edges of an earlier version their names; delete those of users who are gone."""
        while edges := await self._follows.find(NAMELESS, sort="", limit=MIGRATION_STEP, fields=["from_id", "to_id"]):
            names = await self._names({edge[end] for edge in edges for end in ("from_id", "to_id")})
            changes: list[tuple[Document, Document | list[Document]]] = []
            orphans: list[object] = []
            for edge in edges:
                from_name, to_name = names.get(edge["from_id"]), names.get(edge["to_id"])
                if from_name is None or to_name is None:
                    orphans.append(edge["_id"])
                else:
                    changes.append(({"_id": edge["_id"]}, {"$set": {"from_name": from_name, "to_name": to_name}}))
            if changes:
                await self._follows.bulk_update(changes)
            await self._follows.delete_many({"_id": {"$in": orphans}})

    # --- reading ------------------------------------------------------------------------------------------------

    async def _read(self, user_ids: list[int]) -> list[tuple[FollowList, FollowList]]:
        unique = set(user_ids)
        followed, followers = await asyncio.gather(self._lists(unique, FOLLOWED), self._lists(unique, FOLLOWERS))
        return [(followed[user_id], followers[user_id]) for user_id in user_ids]

    async def _lists(self, user_ids: Collection[int], side: Side) -> dict[int, FollowList]:
        query: Document = {side.own: {"$in": list(user_ids)}}
        fields = [side.own, side.name]
        edges = await self._follows.find(query, sort=f"{side.own} -_id", limit=NAMES_PER_CALL, fields=fields)
        if any(edge.get(side.name) is None for edge in edges):  # of a server of an earlier version, beside this one
            await self.add_names()
            return await self._lists(user_ids, side)
        if len(edges) == NAMES_PER_CALL:
            lists = await asyncio.gather(*(self._long_list(user_id, side) for user_id in user_ids))
            return dict(zip(user_ids, lists, strict=True))
        names: dict[int, list[str]] = defaultdict(list)
        for edge in reversed(edges):
            names[edge[side.own]].append(edge[side.name])
        return {user_id: FollowList(names[user_id], len(names[user_id])) for user_id in user_ids}

    async def _long_list(self, user_id: int, side: Side) -> FollowList:
        """One document with all names, which costs the driver less than one document for each."""
        query: Document = {side.own: user_id}
        newest: list[Document] = [{"$match": query}, {"$sort": {"_id": -1}}, {"$limit": MAX_NAMES}]
        grouping: Document = {"$group": {"_id": None, "names": {"$push": f"${side.name}"}}}
        groups, count = await asyncio.gather(
            self._follows.aggregate([*newest, grouping]), self._follows.count_documents(query)
        )
        return FollowList(groups[0]["names"][::-1] if groups else [], count)

    async def _names(self, user_ids: Collection[int]) -> dict[int, str]:
        """id -> name, without users whose accounts are being deleted."""
        query: Document = {"_id": {"$in": list(user_ids)}, **NOT_DELETED}
        users = await self._users.find(query, sort="", limit=0, fields=["username"])
        return {user["_id"]: user["username"] for user in users}
