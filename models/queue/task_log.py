"""The log lines of each task, of all servers: kept for a few days, so that one place tells a task's whole story."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from models.database import Database, Document
from models.index import Index

EXPIRY_S = 3 * 24 * 3600
MAX_LINES = 200
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class LogLine:
    """task: its id. level: as in the log, in lower case. server: who wrote the line."""

    task: int
    time: datetime
    level: str
    message: str
    server: str


class TaskLog:
    """The collection `task_log`: one document a line."""

    indexes = (Index("task time"), Index("time", expire_after_s=EXPIRY_S))

    def __init__(self, database: Database) -> None:
        self._lines = database.collection("task_log", journaled=False)

    async def add(self, lines: Sequence[LogLine]) -> None:
        """Raises DatabaseUnavailable."""
        await self._lines.insert_many([asdict(line) for line in lines])

    async def of(self, task_id: int) -> list[LogLine]:
        """The latest MAX_LINES lines of a task, oldest first."""
        documents = await self._lines.find({"task": task_id}, sort="-time -_id", limit=MAX_LINES)
        return [_line(document) for document in reversed(documents)]

    async def delete(self, task_ids: Collection[int]) -> None:
        """Delete the lines of these tasks."""
        ids = list(task_ids)
        for start in range(0, len(ids), CHUNK):
            await self._lines.delete_many({"task": {"$in": ids[start : start + CHUNK]}})


def _line(document: Document) -> LogLine:
    return LogLine(**{name: document[name] for name in LogLine.__dataclass_fields__})
