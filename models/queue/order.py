"""The order of the queue: the position of every waiting task, read in one call and kept in a few bytes per task."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from models.database import Database, Document
from models.queue.task import Task, TaskState, from_document

MAX_TRACKED = 100_000
"""Positions are tracked up to this one; those behind it are counted on request."""
MAX_RUNNING = 1000
"""Running tasks that are read, of all servers together; they are sorted here."""


def id_array(ids: Sequence[int] = ()) -> array[int]:
    """Eight bytes per id."""
    return array("q", ids)


@dataclass(frozen=True, slots=True)
class QueueOrder:
    """running: the running tasks. ids, owners: of the waiting tasks in order; owner 0 is anonymous.

    styles, megapixels: of the first waiting tasks, as many as requested. queued: the number of waiting tasks.
    """

    running: list[Task] = field(default_factory=list)
    ids: array[int] = field(default_factory=id_array)
    owners: array[int] = field(default_factory=id_array)
    styles: list[str] = field(default_factory=list)
    megapixels: list[float | None] = field(default_factory=list)
    queued: int = 0


class OrderReader:
    """The active half of the collection `tasks`, as a queue."""

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")

    async def read(self, *, head: int) -> QueueOrder:
        """Ids and owners of all come from the index alone; styles and sizes are read of the first `head` tasks."""
        waiting: list[Document] = [{"$match": {"state": str(TaskState.QUEUED)}}, {"$sort": {"round": 1, "_id": 1}}]
        running: list[Document] = [{"$match": {"state": str(TaskState.RUNNING)}}, {"$limit": MAX_RUNNING}]
        owner: Document = {"$ifNull": ["$owner_id", 0]}
        sizes = _group_columns(styles="$style", megapixels={"$ifNull": ["$megapixels", 0.0]})
        documents = await self._tasks.aggregate(
            [
                *waiting,
                {"$limit": MAX_TRACKED},
                _group_columns(ids="$_id", owners=owner),
                {"$unionWith": {"coll": "tasks", "pipeline": [*waiting, {"$limit": head}, sizes]}},
                {"$unionWith": {"coll": "tasks", "pipeline": running}},
            ]
        )
        columns: dict[str, Any] = {}
        for document in documents:
            columns |= {name: value for name, value in document.items() if document["_id"] is None}
        ids = columns.get("ids", [])
        truncated = len(ids) == MAX_TRACKED
        return QueueOrder(
            running=[from_document(document) for document in documents if document["_id"] is not None],
            ids=id_array(ids),
            owners=id_array(columns.get("owners", [])),
            styles=columns.get("styles", []),
            megapixels=[size or None for size in columns.get("megapixels", [])],
            queued=await self._tasks.count_documents({"state": str(TaskState.QUEUED)}) if truncated else len(ids),
        )


def _group_columns(**columns: Document | str) -> Document:
    """A $group that collects each expression's values in the order of the documents."""
    return {"$group": {"_id": None, **{name: {"$push": value} for name, value in columns.items()}}}
