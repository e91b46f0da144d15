"""Tasks: what people asked for, and how far it is. MongoDB is the record; every change of state is one atomic step.

What runs belongs to a server: see `claims.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from models import errors
from models.batcher import Batcher
from models.database import Database, Document, Index
from models.images import Owner


class TaskState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (TaskState.QUEUED, TaskState.RUNNING)
FINAL = (TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED)

TRANSITIONS: dict[TaskState, frozenset[TaskState]] = {
    TaskState.QUEUED: frozenset({TaskState.RUNNING, TaskState.CANCELLED, TaskState.FAILED}),
    TaskState.RUNNING: frozenset({TaskState.QUEUED, *FINAL}),
    TaskState.DONE: frozenset(),
    TaskState.FAILED: frozenset({TaskState.QUEUED}),
    TaskState.CANCELLED: frozenset({TaskState.QUEUED}),
}
"""From a state, the states it may go to."""

RETRYABLE = [str(state) for state in FINAL if TaskState.QUEUED in TRANSITIONS[state]]


@dataclass(frozen=True, slots=True)
class Task:
    """One task. Times are UTC.

    source_key: the source's key in our bucket, None where `url` leads elsewhere.
    dedup_key: source and recipe as one hash; two tasks with the same dedup_key have the same result.
    round: its place in the round of all people; lower is earlier.
    attempts: how often it was started. crashes: how often its server died over it. retries: transient errors so far.
    cancel_requested: somebody asked to stop it while it ran.
    seconds: what the render took, None until it is done. megapixels: of the source, None where nobody knows yet.
    """

    id: int
    owner: Owner
    url: str
    type: str
    style: str
    recipe: dict[str, Any]
    dedup_key: str
    created: datetime
    source_key: str | None = None
    source_id: int | None = None
    state: TaskState = TaskState.QUEUED
    round: int = 0
    attempts: int = 0
    crashes: int = 0
    retries: int = 0
    percent: int = 0
    cancel_requested: bool = False
    server: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    error: str | None = None
    error_details: dict[str, Any] = field(default_factory=dict)
    result_id: int | None = None
    result_url: str | None = None
    seconds: float | None = None
    megapixels: float | None = None


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are looked for; what is not said fits all."""

    states: tuple[TaskState, ...] = ()
    style: str | None = None
    username: str | None = None

    def matches(self, task: Task) -> bool:
        known = (task.style, task.owner.username)
        wanted = (self.style, self.username)
        return (not self.states or task.state in self.states) and all(
            want is None or want == have for want, have in zip(wanted, known, strict=True)
        )

    def query(self, among: tuple[TaskState, ...]) -> Document | None:
        """The query for these among some states, or None where nothing can fit."""
        states = [str(state) for state in among if not self.states or state in self.states]
        query: Document = {"state": {"$in": states}}
        if self.style is not None:
            query["style"] = self.style
        if self.username is not None:
            query["owner"] = self.username
        return query if states else None


ALL_TASKS = TaskFilter()
NEWEST = "-finished -_id"


class Tasks:
    """The collection `tasks`."""

    indexes = (
        Index("state round _id owner_id"),
        Index("state lease_until"),
        Index("owner_id state"),
        Index(NEWEST, partial_filter={"state": {"$in": [str(state) for state in FINAL]}}),
        Index("owner -finished -_id", partial_filter={"state": {"$in": [str(state) for state in FINAL]}}),
        Index("rendering", unique=True, partial_filter={"rendering": {"$gt": ""}}),
    )

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")
        self._unfiltered = Batcher(self._list_unfiltered)

    # --- asking -------------------------------------------------------------------------------------------------

    async def add(self, task: Task, *, round_number: int) -> Task:
        """Record a task as queued, for good, in this round."""
        document = to_document(task) | {"round": round_number}
        number = await self._tasks.insert_with_id(document)
        return from_document({"_id": number, **document})

    async def by_id(self, task_id: int) -> Task:
        """Raises NotFound."""
        document = await self._tasks.find_one({"_id": task_id})
        if document is None:
            raise errors.NotFound(what="task", which=task_id)
        return from_document(document)

    async def count_active(self, *, owner_id: int | None = None, all_owners: bool = False, limit: int = 0) -> int:
        """How many are queued or running, of one person (None: of nobody) or of everybody; counting ends at limit."""
        query: Document = {"state": {"$in": [str(state) for state in ACTIVE]}}
        if not all_owners:
            query["owner_id"] = owner_id
        return await self._tasks.count_documents(query, limit=limit)

    async def count(self, state: TaskState) -> int:
        """How many are in this state; reads the index alone."""
        return await self._tasks.count_documents({"state": str(state)})

    async def position(self, task: Task) -> int:
        """1 for the next one to be taken."""
        earlier = await self._tasks.count_documents({"state": str(TaskState.QUEUED), "round": {"$lt": task.round}})
        beside = {"state": str(TaskState.QUEUED), "round": task.round, "_id": {"$lt": task.id}}
        return 1 + earlier + await self._tasks.count_documents(beside)

    async def list_active_and_finished(
        self, *, active_limit: int, finished_limit: int, task_filter: TaskFilter = ALL_TASKS, cursor: str | None = None
    ) -> tuple[list[Task], list[Task]]:
        """The live queue and what is finished, so many of each at most, in one call.

        Live: the running ones, then the queued ones in the order in which they will be taken. Finished: newest first,
        after the cursor. Raises BadParameter for a cursor that we never gave.
        """
        if task_filter == ALL_TASKS and cursor is None:
            return await self._unfiltered.submit((active_limit, finished_limit))
        return await self._list(active_limit, finished_limit, task_filter, cursor)

    async def finished(self, *, limit: int) -> list[Task]:
        """The finished ones, newest first."""
        return (await self.list_active_and_finished(active_limit=0, finished_limit=limit))[1]

    async def _list(
        self, active_limit: int, finished_limit: int, task_filter: TaskFilter, cursor: str | None
    ) -> tuple[list[Task], list[Task]]:
        limits, pipelines = (
            {TaskState.RUNNING: active_limit, TaskState.QUEUED: active_limit, None: finished_limit},
            list[list[Document]](),
        )
        for state, sort in ((TaskState.RUNNING, "started _id"), (TaskState.QUEUED, "round _id"), (None, NEWEST)):
            query = task_filter.query((state,) if state else FINAL)
            if query is not None and limits[state]:
                query |= _after(cursor) if cursor is not None and state is None else {}
                pipelines.append([{"$match": query}, {"$sort": dict(Index(sort).pairs())}, {"$limit": limits[state]}])
        if not pipelines:
            return [], []
        unions: list[Document] = [{"$unionWith": {"coll": "tasks", "pipeline": steps}} for steps in pipelines[1:]]
        tasks = [from_document(document) for document in await self._tasks.aggregate([*pipelines[0], *unions])]
        active = sorted((task for task in tasks if task.state in ACTIVE), key=_active_order)
        finished = sorted((task for task in tasks if task.state not in ACTIVE), key=_newest_order)
        return active[:active_limit], finished

    async def _list_unfiltered(self, requests: list[tuple[int, int]]) -> list[tuple[list[Task], list[Task]]]:
        """What most people look at: those who ask at once are answered from one look."""
        results = {lengths: await self._list(*lengths, ALL_TASKS, None) for lengths in set(requests)}
        return [(list(results[lengths][0]), list(results[lengths][1])) for lengths in requests]

    async def has_running_duplicate(self, task: Task) -> bool:
        """Whether another task with the same recipe runs just now: it might be making the same bytes."""
        others = {"state": str(TaskState.RUNNING), "_id": {"$ne": task.id}, "recipe": task.recipe}
        return await self._tasks.find_one(others, ["_id"]) is not None

    # --- acting -------------------------------------------------------------------------------------------------

    async def cancel(self, task_id: int) -> Task:
        """Cancel a queued task at once; ask the server of a running one to stop. Raises NotFound, InvalidState."""
        while True:
            task = await self.by_id(task_id)
            if task.state not in ACTIVE:
                raise errors.InvalidState(state=task.state)
            change: Document = {"$set": {"cancel_requested": True}}
            if task.state is TaskState.QUEUED:
                change = {"$set": {"state": str(TaskState.CANCELLED)}, "$currentDate": {"finished": True}}
            document = await self._tasks.find_one_and_update({"_id": task_id, "state": str(task.state)}, change)
            if document is not None:
                return from_document(document)

    async def retry(self, task_id: int, *, round_number: int) -> Task:
        """Queue a failed or cancelled task again, under the same id. Raises NotFound, InvalidState."""
        change = {
            "state": str(TaskState.QUEUED),
            "round": round_number,
            "not_before": None,
            "finished": None,
            "started": None,
            "error": None,
            "error_details": {},
            "percent": 0,
            "crashes": 0,
            "retries": 0,
            "cancel_requested": False,
        }
        document = await self._tasks.find_one_and_update(
            {"_id": task_id, "state": {"$in": RETRYABLE}}, {"$set": change}
        )
        if document is None:
            raise errors.InvalidState(state=(await self.by_id(task_id)).state)
        return from_document(document)


def new_task(owner: Owner, **known: Any) -> Task:
    """A task that has no id yet; it gets one by Tasks.add."""
    return Task(id=0, owner=owner, created=datetime.now(UTC), **known)


def to_document(task: Task) -> Document:
    """A task as MongoDB and an event hold it, without its id."""
    plain = {name: getattr(task, name) for name in Task.__slots__ if name not in ("id", "owner", "state", "server")}
    return {**plain, "state": str(task.state), "owner_id": task.owner.id, "owner": task.owner.username}


def from_document(document: Document) -> Task:
    """The task of such a document with its `_id`."""
    plain = {name: document[name] for name in Task.__slots__ if name in document}
    owner = Owner(document["owner_id"], document["owner"])
    return Task(**{**plain, "id": document["_id"], "state": TaskState(document["state"]), "owner": owner})


def write_cursor(task: Task) -> str:
    """Where a list of finished tasks goes on after this one."""
    finished = task.finished or task.created
    return f"{round(finished.timestamp() * 1000)}-{task.id}"


def _after(cursor: str) -> Document:
    moment, number = _read_cursor(cursor)
    return {"$or": [{"finished": {"$lt": moment}}, {"finished": moment, "_id": {"$lt": number}}]}


def _active_order(task: Task) -> tuple[bool, datetime | int, int]:
    """Running ones by their start, then queued ones by their turn: what $unionWith joins has no promised order."""
    queued = task.state is TaskState.QUEUED
    return queued, task.round if queued else task.started or task.created, task.id


def _newest_order(task: Task) -> tuple[float, int]:
    return -(task.finished or task.created).timestamp(), -task.id


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    moment, _, number = cursor.partition("-")
    try:
        return datetime.fromtimestamp(int(moment) / 1000, UTC), int(number)
    except (ValueError, OverflowError, OSError) as error:
        raise errors.BadParameter(field="cursor", value=repr(cursor[:60]), allowed="one of our own answers") from error
