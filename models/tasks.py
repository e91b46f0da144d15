"""Tasks: what people asked for, and how far it is. MongoDB is the record; every change of state is one atomic step.

A server that runs a task holds a lease on it, counted on the database's clock alone. What a server reports about a
task names the attempt it speaks of, so that a late word about a lost lease changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from models import errors
from models.database import Database, Document, Duplicate, Index
from models.images import Owner

CRASH_LIMIT = 3
"""A task whose server died this often is not tried again."""


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


@dataclass(frozen=True, slots=True)
class Task:
    """One task. Times are UTC.

    source_key: the source's key in our bucket, None where `url` leads elsewhere.
    identity: source and recipe as one hash; two tasks with the same identity have the same result.
    turn: its place in the round of all people; lower is earlier.
    attempts: how often it was started. crashes: how often its server died over it. tries: passing errors so far.
    seconds, megapixels: what the render took, of how large a source; None until it is done.
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
class Claim:
    """One attempt of one server at one task."""

    task: Task
    server: str

    def query(self) -> Document:
        """What must still hold for this attempt to have a say."""
        return {
            "_id": self.task.id,
            "state": str(TaskState.RUNNING),
            "server": self.server,
            "attempts": self.task.attempts,
        }


class Tasks:
    """The collection `tasks`, and `turns`: for each person the last turn given, and under `now` the last one taken."""

    indexes = (
        Index("state turn _id"),
        Index("state lease_until"),
        Index("owner_id state"),
        Index("-finished -_id", only={"state": {"$in": [str(state) for state in FINAL]}}),
        Index("rendering", unique=True, only={"rendering": {"$type": "string"}}),
    )

    def __init__(self, database: Database, *, lease_s: float = 15.0) -> None:
        self._tasks = database.collection("tasks")
        self._turns = database.collection("turns", journaled=False)
        self._lease_ms = int(lease_s * 1000)

    # --- asking -------------------------------------------------------------------------------------------------

    async def add(self, task: Task) -> Task:
        """Record a task as queued, for good, at its owner's next turn."""
        document = to_document(task) | {"turn": await self._next_turn(task.owner), "not_before": datetime.now(UTC)}
        number = await self._tasks.insert_with_id(document)
        return from_document({"_id": number, **document})

    async def by_id(self, task_id: int) -> Task:
        """Raises NotFound."""
        found = await self._tasks.find_one({"_id": task_id})
        if found is None:
            raise errors.NotFound(what="task", which=task_id)
        return from_document(found)

    async def count_live(self, *, owner_id: int | None = None, limit: int = 0) -> int:
        """How many are queued or running, of one person or of all."""
        query: Document = {"state": {"$in": [str(state) for state in LIVE]}}
        if owner_id is not None:
            query["owner_id"] = owner_id
        return await self._tasks.count(query, limit=limit)

    async def totals(self) -> dict[str, int]:
        """How many tasks there are in each state."""
        found = await self._tasks.aggregate([{"$group": {"_id": "$state", "count": {"$sum": 1}}}])
        return {str(state): 0 for state in TaskState} | {line["_id"]: line["count"] for line in found}

    async def position(self, task: Task) -> int:
        """1 for the next one to be taken."""
        ahead = {"$or": [{"turn": {"$lt": task.turn}}, {"turn": task.turn, "_id": {"$lt": task.id}}]}
        return 1 + await self._tasks.count({"state": str(TaskState.QUEUED), **ahead})

    async def live(self, *, limit: int) -> list[Task]:
        """The live queue: the running ones, then the queued ones in the order in which they will be taken."""
        running = await self._tasks.find({"state": str(TaskState.RUNNING)}, sort="started", limit=limit)
        queued = await self._tasks.find({"state": str(TaskState.QUEUED)}, sort="turn _id", limit=limit)
        return [from_document(found) for found in (*running, *queued)][:limit]

    async def finished(self, *, limit: int, before: Task | None = None) -> list[Task]:
        """The finished ones, newest first."""
        query: Document = {"state": {"$in": [str(state) for state in FINAL]}}
        if before is not None and before.finished is not None:
            query["$or"] = [
                {"finished": {"$lt": before.finished}},
                {"finished": before.finished, "_id": {"$lt": before.id}},
            ]
        return [from_document(found) for found in await self._tasks.find(query, sort="-finished -_id", limit=limit)]

    # --- running ------------------------------------------------------------------------------------------------

    async def claim(self, server: str) -> Claim | None:
        """Take the next task, with a lease; None where there is nothing to take.

        A task whose like (same source, same recipe) is being rendered just now is left until that one is done.
        """
        busy: list[str] = []
        while True:
            try:
                found = await self._claim(server, busy)
            except Duplicate:
                busy = [other["rendering"] for other in await self._rendering()]
                continue
            if found is None:
                return None
            await self._turns.update_one({"_id": "now"}, {"$max": {"last": found["turn"]}}, upsert=True)
            return Claim(from_document(found), server)

    async def renew(self, server: str, task_ids: list[int]) -> None:
        """Prolong the leases of what this server runs."""
        held: Document = {"_id": {"$in": task_ids}, "state": str(TaskState.RUNNING), "server": server}
        await self._tasks.change_all(held, [{"$set": {"lease_until": self._lease_end()}}])

    async def finish(self, claim: Claim, state: TaskState, **known: Any) -> Task | None:
        """End an attempt; None if it has no say any more (lease lost, or done wished where cancelled was asked)."""
        query = claim.query() | ({"cancelling": False} if state is TaskState.DONE else {})
        change = {"state": str(state), "finished": datetime.now(UTC), **known}
        return await self._move(query, change)

    async def give_back(self, claim: Claim, *, pause_s: float = 0.0, failed: bool = False) -> Task | None:
        """Put a running task back into the queue, where it keeps its place.

        failed: an error that may pass stopped it: the try counts, and it rests for pause_s. Otherwise the server
        stops, and the attempt does not count.
        """
        change = {
            "state": str(TaskState.QUEUED),
            "not_before": datetime.now(UTC) + timedelta(seconds=pause_s),
            "attempts": claim.task.attempts - (0 if failed else 1),
            "tries": claim.task.tries + (1 if failed else 0),
        }
        return await self._move(claim.query(), change)

    async def take_back(self, *, server: str | None = None) -> list[Task]:
        """Requeue what a dead server left: everything of `server` (ourselves, before a restart), else expired leases.

        A task that has taken CRASH_LIMIT servers with it is failed as `crashed`.
        """
        moved: list[Task] = []
        whose: Document = {"server": server} if server else {"$expr": {"$lt": ["$lease_until", "$$NOW"]}}
        while True:
            found = await self._tasks.change_one({"state": str(TaskState.RUNNING), **whose}, _AFTER_A_CRASH)
            if found is None:
                return moved
            moved.append(from_document(found))

    # --- acting -------------------------------------------------------------------------------------------------

    async def cancel(self, task_id: int) -> Task:
        """Cancel a queued task at once; ask the server of a running one to stop. Raises NotFound, WrongState."""
        now = datetime.now(UTC)
        stopped = await self._move(
            {"_id": task_id, "state": str(TaskState.QUEUED)}, {"state": str(TaskState.CANCELLED), "finished": now}
        )
        asked = stopped or await self._move(
            {"_id": task_id, "state": str(TaskState.RUNNING)}, {"cancelling": True}, still_held=True
        )
        return asked or await self._refuse(task_id)

    async def retry(self, task_id: int) -> Task:
        """Queue a failed or cancelled task again, under the same id. Raises NotFound, WrongState."""
        task = await self.by_id(task_id)
        again = [str(state) for state, moves in MOVES.items() if state in FINAL and TaskState.QUEUED in moves]
        change = {
            "state": str(TaskState.QUEUED),
            "turn": await self._next_turn(task.owner),
            "not_before": datetime.now(UTC),
            "finished": None,
            "started": None,
            "error": None,
            "facts": {},
            "percent": 0,
            "crashes": 0,
            "tries": 0,
            "cancelling": False,
        }
        return await self._move({"_id": task_id, "state": {"$in": again}}, change) or await self._refuse(task_id)

    # --- inside -------------------------------------------------------------------------------------------------

    async def _claim(self, server: str, busy: list[str]) -> Document | None:
        query: Document = {"state": str(TaskState.QUEUED), "$expr": {"$lte": ["$not_before", "$$NOW"]}}
        if busy:
            query["identity"] = {"$nin": busy}
        change = {
            "state": str(TaskState.RUNNING),
            "server": server,
            "rendering": "$identity",
            "lease_until": self._lease_end(),
            "started": "$$NOW",
            "attempts": {"$add": ["$attempts", 1]},
            "percent": 0,
            "cancelling": False,
        }
        return await self._tasks.change_one(query, [{"$set": change}], sort="turn _id")

    def _lease_end(self) -> Document:
        return {"$add": ["$$NOW", self._lease_ms]}

    async def _rendering(self) -> list[Document]:
        return await self._tasks.find({"rendering": {"$type": "string"}}, sort="_id", limit=1000, fields=["rendering"])

    async def _next_turn(self, owner: Owner) -> int:
        """One after the owner's last turn, but never before the turn that is being served now."""
        now = await self._turns.find_one({"_id": "now"})
        served = now["last"] if now else 0
        step = [{"$set": {"last": {"$add": [{"$max": [{"$ifNull": ["$last", 0]}, served]}, 1]}}}]
        while True:
            try:
                found = await self._turns.change_one({"_id": owner.id or 0}, step, upsert=True)
            except Duplicate:
                continue
            return int(found["last"]) if found else served + 1

    async def _move(self, query: Document, change: Document, *, still_held: bool = False) -> Task | None:
        update: Document = {"$set": change}
        if not still_held:
            update["$unset"] = {"rendering": "", "lease_until": "", "server": ""}
        found = await self._tasks.change_one(query, update)
        return from_document(found) if found else None

    async def _refuse(self, task_id: int) -> Task:
        raise errors.WrongState(state=(await self.by_id(task_id)).state)


_LAST_CRASH: Document = {"$gte": [{"$add": ["$crashes", 1]}, CRASH_LIMIT]}
_AFTER_A_CRASH: list[Document] = [
    {
        "$set": {
            "state": {"$cond": [_LAST_CRASH, str(TaskState.FAILED), str(TaskState.QUEUED)]},
            "error": {"$cond": [_LAST_CRASH, errors.Crashed.slug, None]},
            "finished": {"$cond": [_LAST_CRASH, "$$NOW", None]},
            "facts": {"$cond": [_LAST_CRASH, {"attempts": CRASH_LIMIT}, {}]},
            "crashes": {"$add": ["$crashes", 1]},
        }
    },
    {"$unset": ["rendering", "lease_until", "server"]},
]


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
