"""Turns: round robin over people as one number on each task, so that the order of the queue is a plain index sort.

Each person's next task is one turn after that person's last one, but never before the turn that is being served now.
So somebody's hundredth task stands behind everybody's first.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.batcher import Batch
from models.database import Database, Document
from models.index import Duplicate

NOW = "now"
FORGOTTEN_MS = 2000
"""Turns of a person who has nothing waiting count no more after this long, so that cancelling costs nobody a place."""


class Turns:
    """The collection `turns`: {_id: owner's id or 0, last, given}, and under `now` the last turn that was served."""

    def __init__(self, database: Database) -> None:
        self._turns = database.collection("turns", journaled=False)
        self._served = 0
        self._serving = Batch(self._remember)

    async def catch_up(self) -> None:
        """Learn what other servers have served."""
        found = await self._turns.find_one({"_id": NOW})
        self._served = max(self._served, found["last"] if found else 0)

    def serve(self, turn: int) -> None:
        """A task of this turn has been taken."""
        if turn > self._served:
            self._served = turn
            self._serving.post(turn)

    def heard(self, turn: int) -> None:
        """Another server has taken a task of this turn."""
        self._served = max(self._served, turn)

    async def next(self, owner_id: int | None, *, idle: bool) -> int:
        """The turn of a person's next task. idle: the person has nothing in the queue."""
        long_ago: Document = {"$lt": [{"$ifNull": ["$given", "$$NOW"]}, {"$subtract": ["$$NOW", FORGOTTEN_MS]}]}
        last: Document = {"$ifNull": ["$last", 0]}
        counted = {"$cond": [long_ago, 0, last]} if idle else last
        step = [{"$set": {"last": {"$add": [{"$max": [counted, self._served]}, 1]}, "given": "$$NOW"}}]
        while True:
            try:
                found = await self._turns.change_one({"_id": owner_id or 0}, step, upsert=True)
            except Duplicate:
                continue
            return int(found["last"]) if found else self._served + 1

    async def _remember(self, served: list[int]) -> Sequence[None]:
        await self._turns.update_one({"_id": NOW}, {"$max": {"last": max(served)}}, upsert=True)
        return [None] * len(served)
