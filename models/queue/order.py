"""The standing: where every waiting task is in the queue, read in one call and kept in a few bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from models.database import Database, Document
from models.queue.tasks import Task, TaskState, from_document

MAX_TRACKED = 100_000
"""So many waiting tasks are known by their place; those behind them are counted when somebody asks."""
MAX_RUNNING = 1000


def id_array(ids: Sequence[int] = ()) -> array[int]:
    """Eight bytes each."""
    return array("q", ids)


@dataclass(frozen=True, slots=True)
class QueueOrder:
    """running: what runs. ids, owners: of what waits, the next one first; 0 is nobody. styles, megapixels: of the first
    of these, as many as were asked for. queued: how many wait in all."""

    running: list[Task] = field(default_factory=list)
    ids: array[int] = field(default_factory=id_array)
    owners: array[int] = field(default_factory=id_array)
    styles: list[str] = field(default_factory=list)
    megapixels: list[float | None] = field(default_factory=list)
    queued: int = 0


class OrderReader:
    """The live half of the collection `tasks`, as a queue."""

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")

    async def read(self, *, head: int) -> QueueOrder:
        """Ids and owners are read from the index alone; styles and sizes of the first `head`."""
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
    """Columns of values in the order in which documents come."""
    return {"$group": {"_id": None, **{name: {"$push": value} for name, value in columns.items()}}}
