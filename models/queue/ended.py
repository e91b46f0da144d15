"""How many tasks that have ended each user keeps: a task that is cancelled at once costs nothing but its record."""

from __future__ import annotations

from collections import Counter

from models.database import Database, Document
from models.images.image import Owner
from models.queue.task import TaskState
from models.queue.task_log import TaskLog

FAILED_LIMIT, DONE_LIMIT = 1_000, 10_000
TRIM_EVERY = 100
"""The records of a user are trimmed each time that they have added this many tasks: until then they may have as many
more than the limits."""
MAX_USERS = 10_000


class EndedTasks:
    """Deletes the oldest of a user with too many. Those of anonymous users stay."""

    def __init__(self, database: Database, task_log: TaskLog) -> None:
        self._tasks, self._task_log = database.collection("tasks"), task_log
        self._added: Counter[int] = Counter()

    async def note_added(self, owner: Owner) -> None:
        """A task is about to be added. Raises DatabaseUnavailable."""
        if owner.id is None:
            return
        self._added[owner.id] += 1
        if self._added[owner.id] >= TRIM_EVERY:
            del self._added[owner.id]
            await self.trim(owner.id)
        if len(self._added) > MAX_USERS:
            self._added.clear()  # pragma: no cover - thousands of users

    async def trim(self, owner_id: int, *, failed: int = FAILED_LIMIT, done: int = DONE_LIMIT) -> None:
        """Delete all but the newest ones. failed: how many stay that failed or were cancelled; done: others."""
        await self._delete_oldest(owner_id, [str(TaskState.FAILED), str(TaskState.CANCELLED)], failed)
        await self._delete_oldest(owner_id, [str(TaskState.DONE)], done)

    async def _delete_oldest(self, owner_id: int, states: list[str], limit: int) -> None:
        query: Document = {"owner_id": owner_id, "state": {"$in": states}}
        if await self._tasks.count_documents(query, limit=limit + 1) <= limit:
            return
        steps: list[Document] = [
            {"$match": query},
            {"$project": {"finished": 1}},
            {"$sort": {"finished": -1, "_id": -1}},
            {"$skip": limit},
        ]
        ids = [document["_id"] for document in await self._tasks.aggregate(steps)]
        await self._tasks.delete_many({"_id": {"$in": ids}, "state": query["state"]})
        await self._task_log.delete(ids)
