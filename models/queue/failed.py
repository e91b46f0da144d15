"""Failed tasks for operators: counted by error, and found by error and age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.database import Database, Document
from models.queue.task import Task, TaskState, from_document

MAX_LISTED = 10_000
MAX_COUNTED = 100_000
"""Errors are counted of the newest failed tasks, at most of this many."""


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How many tasks failed with this error, and the latest of them."""

    error: str
    count: int
    latest: datetime


class FailedTasks:
    """The failed part of the collection `tasks`."""

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")

    async def count_by_error(self, *, hours: float | None = None) -> Sequence[ErrorCount]:
        """Of the newest MAX_COUNTED, most frequent first. hours: those that failed in the last hours."""
        steps: list[Document] = [
            {"$match": _failed(hours)},
            {"$sort": {"finished": -1, "_id": -1}},
            {"$limit": MAX_COUNTED},
            {"$group": {"_id": "$error", "count": {"$sum": 1}, "latest": {"$max": "$finished"}}},
            {"$sort": {"count": -1, "_id": 1}},
        ]
        return [ErrorCount(str(row["_id"]), row["count"], row["latest"]) for row in await self._tasks.aggregate(steps)]

    async def find(self, *, error: str | None = None, hours: float | None = None) -> list[Task]:
        """Newest first, at most MAX_LISTED. error: its slug. hours: those that failed in the last hours."""
        query = _failed(hours)
        if error is not None:
            query["error"] = error
        documents = await self._tasks.find(query, sort="-finished -_id", limit=MAX_LISTED)
        return [from_document(document) for document in documents]


def _failed(hours: float | None) -> Document:
    query: Document = {"state": str(TaskState.FAILED)}
    if hours is not None:
        query["finished"] = {"$gte": datetime.now(UTC) - timedelta(hours=hours)}
    return query
