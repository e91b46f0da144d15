"""Turns: round robin over people as one number on each task, so that the order of the queue is a plain index sort.

Each person's next task is one turn after that person's last one, but never before the turn that is being served now.
So somebody's hundredth task stands behind everybody's first.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.batcher import Batcher
from models.database import Database, Document, DuplicateKey

CURRENT = "now"
IDLE_RESET_MS = 2000
"""Turns of a person who has nothing waiting count no more after this long, so that cancelling costs nobody a place."""


class FairOrder:
    """The collection `rounds`: {_id: owner's id or 0, last, assigned_at}, and under `now` the last turn that was served."""

    def __init__(self, database: Database) -> None:
        self._rounds = database.collection("rounds", journaled=False)
        self._served = 0
        self._serving = Batcher(self._remember)

    async def refresh(self) -> None:
        """Learn what other servers have served."""
        document = await self._rounds.find_one({"_id": CURRENT})
        self._served = max(self._served, document["last"] if document else 0)

    def mark_served(self, round_number: int) -> None:
        """A task of this turn has been taken."""
        if round_number > self._served:
            self._served = round_number
            self._serving.submit_nowait(round_number)

    def note_served_elsewhere(self, round_number: int) -> None:
        """Another server has taken a task of this turn."""
        self._served = max(self._served, round_number)

    async def next_round(self, owner_id: int | None, *, idle: bool) -> int:
        """The turn of a person's next task. idle: the person has nothing in the queue."""
        long_ago: Document = {"$lt": [{"$ifNull": ["$assigned_at", "$$NOW"]}, {"$subtract": ["$$NOW", IDLE_RESET_MS]}]}
        last: Document = {"$ifNull": ["$last", 0]}
        counted = {"$cond": [long_ago, 0, last]} if idle else last
        step = [{"$set": {"last": {"$add": [{"$max": [counted, self._served]}, 1]}, "assigned_at": "$$NOW"}}]
        while True:
            try:
                document = await self._rounds.find_one_and_update({"_id": owner_id or 0}, step, upsert=True)
            except DuplicateKey:
                continue
            return int(document["last"]) if document else self._served + 1

    async def _remember(self, served: list[int]) -> Sequence[None]:
        await self._rounds.update_one({"_id": CURRENT}, {"$max": {"last": max(served)}}, upsert=True)
        return [None] * len(served)
