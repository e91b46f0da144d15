"""Fair order: round robin across users, stored as one number per task so that the queue order is an index sort.

A user's next task goes into the round after that user's last one, but never before the current round. So the hundredth
task of one user is behind the first task of every other.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.batcher import Batcher
from models.database import Database, Document, DuplicateKey

CURRENT = "now"
IDLE_RESET_MS = 2000
"""The rounds of a user without waiting tasks no longer count after this time, so that cancelling costs no position."""


class FairOrder:
    """The collection `rounds`: {_id: owner's id or 0, last, assigned_at}; `last` under `now` is the current round."""

    def __init__(self, database: Database) -> None:
        self._rounds = database.collection("rounds", journaled=False)
        self._current = 0
        self._saving = Batcher(self._save_current)

    async def refresh(self) -> None:
        """Read the current round, which other servers may have advanced."""
        document = await self._rounds.find_one({"_id": CURRENT})
        self._current = max(self._current, document["last"] if document else 0)

    def mark_served(self, round_number: int) -> None:
        """This server has leased a task of this round."""
        if round_number > self._current:
            self._current = round_number
            self._saving.submit_nowait(round_number)

    def note_served_elsewhere(self, round_number: int) -> None:
        """Another server has leased a task of this round."""
        self._current = max(self._current, round_number)

    async def next_round(self, owner_id: int | None, *, idle: bool, step: int = 1) -> int:
        """The round for a user's next task. idle: the user has no task in the queue.

        step: rounds from one task to the next; a user with a step of 3 has a third of another one's share.
        """
        expired: Document = {"$lt": [{"$ifNull": ["$assigned_at", "$$NOW"]}, {"$subtract": ["$$NOW", IDLE_RESET_MS]}]}
        last: Document = {"$ifNull": ["$last", 0]}
        counted = {"$cond": [expired, 0, last]} if idle else last
        change = [{"$set": {"last": {"$add": [{"$max": [counted, self._current]}, step]}, "assigned_at": "$$NOW"}}]
        while True:
            try:
                document = await self._rounds.find_one_and_update({"_id": owner_id or 0}, change, upsert=True)
            except DuplicateKey:  # pragma: no cover - two servers insert the same user's first round
                continue
            return int(document["last"]) if document else self._current + step

    async def _save_current(self, rounds: list[int]) -> Sequence[None]:
        await self._rounds.update_one({"_id": CURRENT}, {"$max": {"last": max(rounds)}}, upsert=True)
        return [None] * len(rounds)
