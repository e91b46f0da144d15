"""The last round of each user and each address: the collection `rounds`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from models.database import Database, Document, new_id
from models.driver_errors import DuplicateKey
from models.index import Index

EXPIRY_S = 24 * 3600
"""Rounds are forgotten after this time, and with them the addresses of clients."""
IDLE_RESET_MS = 2000
"""The rounds of a user without waiting tasks no longer count after this time, so that cancelling costs no position."""


@dataclass(frozen=True, slots=True)
class Advance:
    """The next round of a user or an address: `step` after their last one, and after `at_least`.

    key: of the document. idle: there are no waiting tasks.
    """

    key: int | str
    at_least: int
    idle: bool
    step: int = 1

    def change(self, call: int) -> list[Document]:
        """call: marks the rounds that one call of the driver has assigned: `assigned` has them in order."""
        expired: Document = {
            "$lt": [{"$ifNull": ["$assigned_at", "$$NOW"]}, {"$subtract": ["$$NOW", IDLE_RESET_MS]}],
        }
        last: Document = {"$ifNull": ["$last", 0]}
        counted = {"$cond": [expired, 0, last]} if self.idle else last
        number: Document = {"$add": [{"$max": [counted, self.at_least]}, self.step]}
        earlier: Document = {"$cond": [{"$eq": ["$call", call]}, "$assigned", []]}
        return [
            {"$set": {"last": number, "assigned_at": "$$NOW"}},
            {"$set": {"assigned": {"$concatArrays": [earlier, ["$last"]]}, "call": call}},
        ]


class Rounds:
    """The collection `rounds`: {_id, last, assigned_at, assigned, call}.

    _id: an owner's id, 0 for anonymous users, or `address:` with the address of a client.
    """

    indexes = (Index("assigned_at", expire_after_s=EXPIRY_S),)

    def __init__(self, database: Database) -> None:
        self._rounds = database.collection("rounds", journaled=False)
        self._advancing = database.batchers.make(self._advance_all)
        self._raising = database.batchers.make(self._raise_all)

    async def advance(self, key: int | str, at_least: int, *, idle: bool, step: int = 1) -> int:
        """Assign the next round, and return it."""
        return await self._advancing.submit(Advance(key, at_least, idle, step))

    async def raise_to(self, key: int | str, last: int) -> None:
        """The next round comes after this one."""
        await self._raising.submit((key, last))

    async def _raise_all(self, raises: list[tuple[int | str, int]]) -> list[None]:
        await self._rounds.bulk_update([({"_id": key}, {"$max": {"last": last}}) for key, last in raises])
        return [None] * len(raises)

    async def _advance_all(self, advances: list[Advance]) -> list[int]:
        """Two calls for any number of rounds. What another server overwrites in between is assigned again, alone."""
        if len(advances) == 1:
            return [await self._advance(advances[0])]
        call = new_id()
        changes = [({"_id": each.key}, each.change(call)) for each in advances]
        await self._rounds.bulk_update(changes, upsert_in_order=True)
        keys = list({each.key for each in advances})
        documents = await self._rounds.find({"_id": {"$in": keys}, "call": call}, sort="", limit=0)
        assigned = defaultdict(list[int], {document["_id"]: document["assigned"] for document in documents})
        return [assigned[each.key].pop(0) if assigned[each.key] else await self._advance(each) for each in advances]

    async def _advance(self, advance: Advance) -> int:
        while True:
            change = advance.change(new_id())
            try:
                document = await self._rounds.find_one_and_update({"_id": advance.key}, change, upsert=True)
            except DuplicateKey:  # pragma: no cover - two servers insert the same first round
                continue
            return int(document["last"]) if document else advance.at_least + advance.step
