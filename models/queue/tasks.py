"""Tasks: what people asked for, and how far it is. MongoDB is the record; every change of state is one atomic step.

What runs belongs to a server: see `claims.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from models import errors
from models.batcher import Batch
from models.database import Database, Document
from models.images import Owner
from models.index import Index


class TaskState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (TaskState.QUEUED, TaskState.RUNNING)
FINAL = (TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED)

MOVES: dict[TaskState, frozenset[TaskState]] = {
    TaskState.QUEUED: frozenset({TaskState.RUNNING, TaskState.CANCELLED, TaskState.FAILED}),
    TaskState.RUNNING: frozenset({TaskState.QUEUED, *FINAL}),
    TaskState.DONE: frozenset(),
    TaskState.FAILED: frozenset({TaskState.QUEUED}),
    TaskState.CANCELLED: frozenset({TaskState.QUEUED}),
}
"""From a state, the states it may go to."""

AGAIN = [str(state) for state in FINAL if TaskState.QUEUED in MOVES[state]]


@dataclass(frozen=True, slots=True)
class Task:
    """One task. Times are UTC.

    source_key: the source's key in our bucket, None where `url` leads elsewhere.
    identity: source and recipe as one hash; two tasks with the same identity have the same result.
    turn: its place in the round of all people; lower is earlier.
    attempts: how often it was started. crashes: how often its server died over it. tries: passing errors so far.
    cancelling: somebody asked to stop it while it ran.
    seconds: what the render took, None until it is done. megapixels: of the source, None where nobody knows yet.
    """

    id: int
    owner: Owner
    url: str
    type: str
    style: str
    recipe: dict[str, Any]
    identity: str
    created: datetime
    source_key: str | None = None
    source_id: int | None = None
    state: TaskState = TaskState.QUEUED
    turn: int = 0
    attempts: int = 0
    crashes: int = 0
    tries: int = 0
    percent: int = 0
    cancelling: bool = False
    server: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    error: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    result_id: int | None = None
    result_url: str | None = None
    seconds: float | None = None
    megapixels: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which tasks are looked for; what is not said fits all."""

    states: tuple[TaskState, ...] = ()
    style: str | None = None
    username: str | None = None

    def fits(self, task: Task) -> bool:
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


EVERYTHING = Choice()
NEWEST = "-finished -_id"


class Tasks:
    """The collection `tasks`."""

    indexes = (
        Index("state turn _id owner_id"),
        Index("state lease_until"),
        Index("owner_id state"),
        Index(NEWEST, only={"state": {"$in": [str(state) for state in FINAL]}}),
        Index("owner -finished -_id", only={"state": {"$in": [str(state) for state in FINAL]}}),
        Index("rendering", unique=True, only={"rendering": {"$gt": ""}}),
    )

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")
        self._for_all = Batch(self._lists_for_all)

    # --- asking -------------------------------------------------------------------------------------------------

    async def add(self, task: Task, *, turn: int) -> Task:
        """Record a task as queued, for good, at this turn."""
        document = to_document(task) | {"turn": turn}
        number = await self._tasks.insert_with_id(document)
        return from_document({"_id": number, **document})

    async def by_id(self, task_id: int) -> Task:
        """Raises NotFound."""
        found = await self._tasks.find_one({"_id": task_id})
        if found is None:
            raise errors.NotFound(what="task", which=task_id)
        return from_document(found)

    async def count_live(self, *, owner_id: int | None = None, everybody: bool = False, limit: int = 0) -> int:
        """How many are queued or running, of one person (None: of nobody) or of everybody; counting ends at limit."""
        query: Document = {"state": {"$in": [str(state) for state in LIVE]}}
        if not everybody:
            query["owner_id"] = owner_id
        return await self._tasks.count(query, limit=limit)

    async def count(self, state: TaskState) -> int:
        """How many are in this state; reads the index alone."""
        return await self._tasks.count({"state": str(state)})

    async def position(self, task: Task) -> int:
        """1 for the next one to be taken."""
        earlier = await self._tasks.count({"state": str(TaskState.QUEUED), "turn": {"$lt": task.turn}})
        beside = {"state": str(TaskState.QUEUED), "turn": task.turn, "_id": {"$lt": task.id}}
        return 1 + earlier + await self._tasks.count(beside)

    async def lists(
        self, *, live: int, done: int, choice: Choice = EVERYTHING, cursor: str | None = None
    ) -> tuple[list[Task], list[Task]]:
        """The live queue and what is finished, so many of each at most, in one call.

        Live: the running ones, then the queued ones in the order in which they will be taken. Finished: newest first,
        after the cursor. Raises BadParameter for a cursor that we never gave.
        """
        if choice == EVERYTHING and cursor is None:
            return await self._for_all.send((live, done))
        return await self._lists(live, done, choice, cursor)

    async def finished(self, *, limit: int) -> list[Task]:
        """The finished ones, newest first."""
        return (await self.lists(live=0, done=limit))[1]

    async def _lists(self, live: int, done: int, choice: Choice, cursor: str | None) -> tuple[list[Task], list[Task]]:
        kept, wanted = {TaskState.RUNNING: live, TaskState.QUEUED: live, None: done}, list[list[Document]]()
        for state, sort in ((TaskState.RUNNING, "started _id"), (TaskState.QUEUED, "turn _id"), (None, NEWEST)):
            query = choice.query((state,) if state else FINAL)
            if query is not None and kept[state]:
                query |= _after(cursor) if cursor is not None and state is None else {}
                wanted.append([{"$match": query}, {"$sort": dict(Index(sort).pairs())}, {"$limit": kept[state]}])
        if not wanted:
            return [], []
        more: list[Document] = [{"$unionWith": {"coll": "tasks", "pipeline": steps}} for steps in wanted[1:]]
        found = [from_document(line) for line in await self._tasks.aggregate([*wanted[0], *more])]
        queue = sorted((task for task in found if task.state in LIVE), key=_live_order)
        over = sorted((task for task in found if task.state not in LIVE), key=_newest_order)
        return queue[:live], over

    async def _lists_for_all(self, asked: list[tuple[int, int]]) -> list[tuple[list[Task], list[Task]]]:
        """What most people look at: those who ask at once are answered from one look."""
        known = {lengths: await self._lists(*lengths, EVERYTHING, None) for lengths in set(asked)}
        return [(list(known[lengths][0]), list(known[lengths][1])) for lengths in asked]

    async def alike_running(self, task: Task) -> bool:
        """Whether another task with the same recipe runs just now: it might be making the same bytes."""
        others = {"state": str(TaskState.RUNNING), "_id": {"$ne": task.id}, "recipe": task.recipe}
        return await self._tasks.find_one(others, ["_id"]) is not None

    # --- acting -------------------------------------------------------------------------------------------------

    async def cancel(self, task_id: int) -> Task:
        """Cancel a queued task at once; ask the server of a running one to stop. Raises NotFound, WrongState."""
        while True:
            task = await self.by_id(task_id)
            if task.state not in LIVE:
                raise errors.WrongState(state=task.state)
            change: Document = {"$set": {"cancelling": True}}
            if task.state is TaskState.QUEUED:
                change = {"$set": {"state": str(TaskState.CANCELLED)}, "$currentDate": {"finished": True}}
            found = await self._tasks.change_one({"_id": task_id, "state": str(task.state)}, change)
            if found is not None:
                return from_document(found)

    async def retry(self, task_id: int, *, turn: int) -> Task:
        """Queue a failed or cancelled task again, under the same id. Raises NotFound, WrongState."""
        change = {
            "state": str(TaskState.QUEUED),
            "turn": turn,
            "not_before": None,
            "finished": None,
            "started": None,
            "error": None,
            "facts": {},
            "percent": 0,
            "crashes": 0,
            "tries": 0,
            "cancelling": False,
        }
        found = await self._tasks.change_one({"_id": task_id, "state": {"$in": AGAIN}}, {"$set": change})
        if found is None:
            raise errors.WrongState(state=(await self.by_id(task_id)).state)
        return from_document(found)


def new_task(owner: Owner, **known: Any) -> Task:
    """A task that has no id yet; it gets one by Tasks.add."""
    return Task(id=0, owner=owner, created=datetime.now(UTC), **known)


def to_document(task: Task) -> Document:
    """A task as MongoDB and an event hold it, without its id."""
    plain = {name: getattr(task, name) for name in Task.__slots__ if name not in ("id", "owner", "state", "server")}
    return {**plain, "state": str(task.state), "owner_id": task.owner.id, "owner": task.owner.username}


def from_document(found: Document) -> Task:
    """The task of such a document with its `_id`."""
    plain = {name: found[name] for name in Task.__slots__ if name in found}
    owner = Owner(found["owner_id"], found["owner"])
    return Task(**{**plain, "id": found["_id"], "state": TaskState(found["state"]), "owner": owner})


def write_cursor(task: Task) -> str:
    """Where a list of finished tasks goes on after this one."""
    finished = task.finished or task.created
    return f"{round(finished.timestamp() * 1000)}-{task.id}"


def _after(cursor: str) -> Document:
    moment, number = _read_cursor(cursor)
    return {"$or": [{"finished": {"$lt": moment}}, {"finished": moment, "_id": {"$lt": number}}]}


def _live_order(task: Task) -> tuple[bool, datetime | int, int]:
    """Running ones by their start, then queued ones by their turn: what $unionWith joins has no promised order."""
    queued = task.state is TaskState.QUEUED
    return queued, task.turn if queued else task.started or task.created, task.id


def _newest_order(task: Task) -> tuple[float, int]:
    return -(task.finished or task.created).timestamp(), -task.id


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    moment, _, number = cursor.partition("-")
    try:
        return datetime.fromtimestamp(int(moment) / 1000, UTC), int(number)
    except (ValueError, OverflowError, OSError) as error:
        raise errors.BadParameter(field="cursor", value=repr(cursor[:60]), allowed="one of our own answers") from error
