"""One person's tasks: to take them along, and to forget them when the person leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator

from models.database import Database, Document
from models.queue.tasks import ACTIVE, Task, from_document

ANONYMOUS: Document = {"data.owner_id": None, "data.owner": None, "data.url": "", "data.source_key": None}


class OwnTasks:
    """The collections `tasks`, `rounds` and `events`, by owner."""

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")
        self._turns = database.collection("rounds", journaled=False)
        self._events = database.collection("events", journaled=False)

    async def each(self, owner_id: int) -> AsyncIterator[Task]:
        """Every task of a person, by ascending id."""
        async for found in self._tasks.iterate({"owner_id": owner_id}):
            yield from_document(found)

    async def live(self, owner_id: int, *, limit: int = 1000) -> list[Task]:
        """Those that are queued or running."""
        query: Document = {"owner_id": owner_id, "state": {"$in": [str(state) for state in ACTIVE]}}
        return [from_document(found) for found in await self._tasks.find(query, sort="_id", limit=limit)]

    async def forget(self, owner_id: int) -> None:
        """Delete every one, and the person's place in the round; old news of them names nobody any more.

        News is not deleted: cursors wait at its end. A capped collection takes changes like this since MongoDB 5.
        """
        await self._tasks.delete_many({"owner_id": owner_id})
        await self._turns.delete_one({"_id": owner_id})
        await self._events.update_many({"data.owner_id": owner_id}, {"$set": ANONYMOUS})
