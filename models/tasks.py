"""Tasks: what people asked for, and how far it is. MongoDB is the record; every change of state is one atomic step.

What runs belongs to a server: see `claims.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from models import errors
from models.batch import Batch
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


class Tasks:
    """The collection `tasks`."""

    indexes = (
        Index("state turn _id"),
        Index("state lease_until"),
        Index("owner_id state"),
        Index("-finished -_id", only={"state": {"$in": [str(state) for state in FINAL]}}),
        Index("owner -finished -_id", only={"state": {"$in": [str(state) for state in FINAL]}}),
        Index("rendering", unique=True, only={"rendering": {"$gt": ""}}),
    )

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")
        self._live_for_all = Batch(self._live_lists)
        self._finished_for_all = Batch(self._finished_lists)

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

    async def live(self, *, limit: int, choice: Choice = EVERYTHING) -> list[Task]:
        """The live queue: the running ones, then the queued ones in the order in which they will be taken."""
        return list(await self._live_for_all.send(limit)) if choice == EVERYTHING else await self._live(limit, choice)

    async def _live(self, limit: int, choice: Choice) -> list[Task]:
        found: list[Document] = []
        for state, sort in ((TaskState.RUNNING, "started _id"), (TaskState.QUEUED, "turn _id")):
            query = choice.query((state,))
            if query is not None and len(found) < limit:
                found += await self._tasks.find(query, sort=sort, limit=limit - len(found))
        return [from_document(document) for document in found]

    async def finished(self, *, limit: int, choice: Choice = EVERYTHING, cursor: str | None = None) -> list[Task]:
        """The finished ones, newest first. Raises BadParameter for a cursor that we never gave."""
        if choice == EVERYTHING and cursor is None:
            return list(await self._finished_for_all.send(limit))
        return await self._finished(limit, choice, cursor)

    async def _finished(self, limit: int, choice: Choice, cursor: str | None) -> list[Task]:
        query = choice.query(FINAL)
        if query is None:
            return []
        if cursor is not None:
            moment, number = _read_cursor(cursor)
            query["$or"] = [{"finished": {"$lt": moment}}, {"finished": moment, "_id": {"$lt": number}}]
        return [from_document(found) for found in await self._tasks.find(query, sort="-finished -_id", limit=limit)]

    async def _live_lists(self, limits: list[int]) -> list[list[Task]]:
        """What most people look at: those who ask at once are answered from one look."""
        known = {limit: await self._live(limit, EVERYTHING) for limit in set(limits)}
        return [known[limit] for limit in limits]

    async def _finished_lists(self, limits: list[int]) -> list[list[Task]]:
        known = {limit: await self._finished(limit, EVERYTHING, None) for limit in set(limits)}
        return [known[limit] for limit in limits]

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


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    moment, _, number = cursor.partition("-")
    try:
        return datetime.fromtimestamp(int(moment) / 1000, UTC), int(number)
    except (ValueError, OverflowError, OSError) as error:
        raise errors.BadParameter(field="cursor", value=repr(cursor[:60]), allowed="one of our own answers") from error
