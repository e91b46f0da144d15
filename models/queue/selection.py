"""Tasks chosen by a filter, for developers: counted, found oldest first, cleared; and one task's attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from models.database import Database, Document
from models.queue.task import Task, TaskState, from_document
from models.queue.task_log import TaskLog
from models.queue.tasks import TaskFilter

MAX_COUNT = 10_000
"""Counting stops here."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the task's record remembers of a run that has ended, on whichever server.

    outcome: see `lease.stop_running`. steps: seconds by step, of one that was done.
    """

    attempt: int
    server: str
    started: datetime
    ended: datetime
    outcome: str
    error: str | None = None
    steps: dict[str, float] = field(default_factory=dict)


class SelectedTasks:
    """The collection `tasks` through a TaskFilter."""

    def __init__(self, database: Database, task_log: TaskLog) -> None:
        self._tasks, self._task_log = database.collection("tasks"), task_log

    async def count(self, task_filter: TaskFilter) -> int:
        """At most MAX_COUNT."""
        query = task_filter.query(tuple(TaskState))
        return await self._tasks.count_documents(query, limit=MAX_COUNT) if query else 0

    async def find(self, task_filter: TaskFilter, *, limit: int) -> list[Task]:
        """Those that were added first."""
        query = task_filter.query(tuple(TaskState))
        documents = await self._tasks.find(query, sort="created _id", limit=limit) if query else []
        return [from_document(document) for document in documents]

    async def clear(self, tasks: Sequence[Task]) -> int:
        """Delete the records of these tasks where their state has not changed; their images stay."""
        deleted = []
        for task in tasks:
            if await self._tasks.delete_one({"_id": task.id, "state": str(task.state)}):
                deleted.append(task.id)
        await self._task_log.delete(deleted)
        return len(deleted)

    async def attempts(self, task_id: int) -> list[Attempt]:
        """Every attempt at a task that has ended, oldest first; of earlier versions of this server none."""
        document: Document = await self._tasks.find_one({"_id": task_id}, ["history"]) or {}
        return [Attempt(**entry) for entry in document.get("history") or ()]
