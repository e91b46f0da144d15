"""The standing: where every waiting task is in the queue, read in one call and kept in a few bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from models.database import Database, Document
from models.queue.tasks import Task, TaskState, from_document

DEEPEST = 100_000
"""So many waiting tasks are known by their place; those behind them are counted when somebody asks."""
MOST_RUNNING = 1000


def ids_of(given: Sequence[int] = ()) -> array[int]:
    """Eight bytes each."""
    return array("q", given)


@dataclass(frozen=True, slots=True)
class Standing:
    """running: what runs. ids, owners: of what waits, the next one first; 0 is nobody. styles, megapixels: of the first
    of these, as many as were asked for. queued: how many wait in all."""

    running: list[Task] = field(default_factory=list)
    ids: array[int] = field(default_factory=ids_of)
    owners: array[int] = field(default_factory=ids_of)
    styles: list[str] = field(default_factory=list)
    megapixels: list[float | None] = field(default_factory=list)
    queued: int = 0


class Standings:
    """The live half of the collection `tasks`, as a queue."""

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")

    async def look(self, *, head: int) -> Standing:
        """Ids and owners are read from the index alone; styles and sizes of the first `head`."""
        waiting: list[Document] = [{"$match": {"state": str(TaskState.QUEUED)}}, {"$sort": {"turn": 1, "_id": 1}}]
        running: list[Document] = [{"$match": {"state": str(TaskState.RUNNING)}}, {"$limit": MOST_RUNNING}]
        owner: Document = {"$ifNull": ["$owner_id", 0]}
        sizes = _pushed(styles="$style", megapixels={"$ifNull": ["$megapixels", 0.0]})
        found = await self._tasks.aggregate(
            [
                *waiting,
                {"$limit": DEEPEST},
                _pushed(ids="$_id", owners=owner),
                {"$unionWith": {"coll": "tasks", "pipeline": [*waiting, {"$limit": head}, sizes]}},
                {"$unionWith": {"coll": "tasks", "pipeline": running}},
            ]
        )
        known: dict[str, Any] = {}
        for line in found:
            known |= {name: value for name, value in line.items() if line["_id"] is None}
        ids = known.get("ids", [])
        deeper = len(ids) == DEEPEST
        return Standing(
            running=[from_document(line) for line in found if line["_id"] is not None],
            ids=ids_of(ids),
            owners=ids_of(known.get("owners", [])),
            styles=known.get("styles", []),
            megapixels=[size or None for size in known.get("megapixels", [])],
            queued=await self._tasks.count({"state": str(TaskState.QUEUED)}) if deeper else len(ids),
        )


def _pushed(**columns: Document | str) -> Document:
    """Columns of values in the order in which documents come."""
    return {"$group": {"_id": None, **{name: {"$push": value} for name, value in columns.items()}}}
