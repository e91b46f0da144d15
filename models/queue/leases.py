"""Claims: who may speak for a running task. Every change of state is one atomic step that names what it expects.

A server that runs a task holds a lease on it, counted on the database's clock alone. What a server reports about a
task names the attempt it speaks of, so that a late word about a lost lease changes nothing.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from models import errors
from models.batcher import Batch
from models.database import Database, Document
from models.index import Duplicate
from models.queue.tasks import Task, TaskState, from_document

CRASH_LIMIT = 3
"""A task whose server died this often is not tried again."""
ORPHAN_MS = 6000
"""A claim whose answer got lost is older than this when it is given back: no call to the database takes so long."""
ORPHAN_LIMIT = 20
FEW = 3
"""Up to so many tasks are taken one by one; more of them in one step, which costs three calls."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt of one server at one task."""

    task: Task
    server: str

    @property
    def key(self) -> tuple[int, int]:
        return self.task.id, self.task.attempts

    def query(self) -> Document:
        """What must still hold for this attempt to have a say."""
        return {
            "_id": self.task.id,
            "state": str(TaskState.RUNNING),
            "server": self.server,
            "attempts": self.task.attempts,
        }


@dataclass(frozen=True, slots=True)
class _End:
    """How an attempt ended, on its way to the database."""

    claim: Claim
    state: TaskState
    known: dict[str, Any]

    def query(self) -> Document:
        return self.claim.query() | {"cancelling": self.state is TaskState.CANCELLED}

    def change(self) -> list[Document]:
        return _leaving({"state": _plain(str(self.state)), "finished": "$$NOW", **_all_plain(self.known)})


class Claims:
    """The running half of the collection `tasks`, for one server."""

    def __init__(self, database: Database, server: str, *, lease_s: float = 15.0) -> None:
        self._tasks = database.collection("tasks")
        self._leases = database.collection("tasks", journaled=False)
        self._server = server
        self._lease_ms = int(lease_s * 1000)
        self._ends = Batch(self._finish_all)

    # --- taking -------------------------------------------------------------------------------------------------

    async def take(self, limit: int, *, trusted_only: bool = False, turn: int | None = None) -> list[Claim]:
        """Take up to `limit` tasks in the order of the queue, each with a lease. turn: only of this turn.

        A task whose like (same source, same recipe) is being rendered just now is left until that one is done.
        trusted_only: leave those over which a server died before. At most one of these is taken with each call (with
        more than FEW none at all), so that a picture that kills servers is never blamed on the others that ran beside
        it twice.
        """
        if limit > FEW:
            return await self._take_many(limit, turn)
        taken: list[Claim] = []
        while len(taken) < limit and (claim := await self._take_one(trusted_only, turn)):
            taken.append(claim)
            trusted_only = trusted_only or claim.task.crashes > 0
        return taken

    async def _take_one(self, trusted_only: bool, turn: int | None) -> Claim | None:
        busy: list[str] = []
        while True:
            query = _waiting(trusted_only, turn)
            if busy:
                query["identity"] = {"$nin": busy}
            try:
                found = await self._tasks.change_one(query, [{"$set": self._start()}], sort="turn _id")
            except Duplicate:
                busy = await self._rendering()
                continue
            return Claim(from_document(found), self._server) if found else None

    async def _take_many(self, limit: int, turn: int | None) -> list[Claim]:
        fields = ["identity"]
        waiting = await self._tasks.find(_waiting(True, turn), sort="turn _id", limit=limit, fields=fields)
        unlike = {line["identity"]: line["_id"] for line in reversed(waiting)}
        if not unlike:
            return []
        batch = secrets.token_hex(8)
        chosen: Document = {"_id": {"$in": list(unlike.values())}, "state": str(TaskState.QUEUED)}
        with contextlib.suppress(Duplicate):  # one of them is being rendered elsewhere; those before it are ours
            await self._tasks.change_all(chosen, [{"$set": self._start() | {"batch": batch}}])
        ours = {"_id": {"$in": list(unlike.values())}, "server": self._server, "batch": batch}
        found = await self._tasks.find(ours, sort="turn _id", limit=limit)
        return [Claim(from_document(document), self._server) for document in found]

    async def _rendering(self) -> list[str]:
        found = await self._tasks.find({"rendering": {"$gt": ""}}, sort="_id", limit=10_000, fields=["rendering"])
        return [line["rendering"] for line in found]

    def _start(self) -> Document:
        return {
            "state": str(TaskState.RUNNING),
            "server": _plain(self._server),
            "rendering": "$identity",
            "lease_until": self._lease_end(),
            "started": "$$NOW",
            "attempts": {"$add": ["$attempts", 1]},
            "cancelling": False,
        }

    # --- keeping ------------------------------------------------------------------------------------------------

    async def renew(self, claims: Sequence[Claim]) -> list[Claim]:
        """Prolong the leases of what this server runs. Returns those that are not ours any more."""
        if not claims:
            return []
        held: Document = {
            "_id": {"$in": [claim.task.id for claim in claims]},
            "state": str(TaskState.RUNNING),
            "server": self._server,
        }
        await self._leases.change_all(held, [{"$set": {"lease_until": self._lease_end()}}])
        found = await self._leases.find(held, sort="_id", limit=len(claims), fields=["attempts"])
        ours = {(line["_id"], line["attempts"]) for line in found}
        return [claim for claim in claims if claim.key not in ours]

    async def cancelled(self, claims: Sequence[Claim]) -> list[Claim]:
        """Those that somebody asked to stop: the news of it may have been lost."""
        asked: Document = {"_id": {"$in": [claim.task.id for claim in claims]}, "cancelling": True}
        found = await self._leases.find(asked, sort="_id", limit=len(claims) or 1, fields=["attempts"])
        stopping = {(line["_id"], line["attempts"]) for line in found}
        return [claim for claim in claims if claim.key in stopping]

    def _lease_end(self) -> Document:
        return {"$add": ["$$NOW", self._lease_ms]}

    # --- ending -------------------------------------------------------------------------------------------------

    async def finish(self, claim: Claim, state: TaskState, **known: Any) -> Task | None:
        """End an attempt; None if it has no say any more.

        That is: its lease was lost, or it says cancelled where nobody asked for that, or anything else where somebody
        did.
        """
        return await self._ends.send(_End(claim, state, known))

    async def give_back(self, claim: Claim, *, pause_s: float = 0.0, failed: bool = False) -> Task | None:
        """Put a running task back into the queue, where it keeps its place; None if it is not ours or is cancelled.

        failed: an error that may pass stopped it: the try counts, and it rests for pause_s. Otherwise the server
        stops, and the attempt does not count.
        """
        change: Document = {
            "state": str(TaskState.QUEUED),
            "not_before": {"$add": ["$$NOW", int(pause_s * 1000)]},
            "attempts": claim.task.attempts - (0 if failed else 1),
            "tries": claim.task.tries + (1 if failed else 0),
        }
        return _task(await self._tasks.change_one(claim.query() | {"cancelling": False}, _leaving(change)))

    async def crashed(self, claim: Claim) -> Task | None:
        """The worker that ran it died: as `take_back`, for one task."""
        return _task(await self._tasks.change_one(claim.query(), _AFTER_A_CRASH))

    async def take_back(self) -> list[Task]:
        """Requeue what has an expired lease. What has taken CRASH_LIMIT servers with it is failed as `crashed`."""
        return await self._requeue({"$expr": {"$lt": ["$lease_until", "$$NOW"]}}, _AFTER_A_CRASH)

    async def take_back_own(self) -> list[Task]:
        """The same for everything that this server ran before it died; asked at its start."""
        return await self._requeue({"server": self._server}, _AFTER_A_CRASH)

    async def take_back_orphans(self, known: Iterable[Claim]) -> list[Task]:
        """Requeue what is ours by the record but not by our own memory: the answer to a claim got lost."""
        held = [claim.task.id for claim in known]
        old: Document = {"$lt": ["$started", {"$subtract": ["$$NOW", ORPHAN_MS]}]}
        return await self._requeue({"server": self._server, "_id": {"$nin": held}, "$expr": old}, _AFTER_A_LOSS)

    async def _requeue(self, whose: Document, change: list[Document]) -> list[Task]:
        moved: list[Task] = []
        while found := await self._tasks.change_one({"state": str(TaskState.RUNNING), **whose}, change):
            moved.append(from_document(found))
        return moved

    async def _finish_all(self, ends: list[_End]) -> list[Task | None]:
        if len(ends) == 1:
            found = await self._tasks.change_one(ends[0].query(), ends[0].change())
            return [_task(found) or await self._look(ends[0])]
        fitted = await self._tasks.change_each([(end.query(), end.change()) for end in ends])
        if fitted == len(ends):
            return [_ended(end) for end in ends]
        return [await self._look(end) for end in ends]

    async def _look(self, end: _End) -> Task | None:
        """What became of an end that found nothing to change: it may have been told before, its answer lost."""
        task = end.claim.task
        return _task(await self._tasks.find_one({"_id": task.id, "attempts": task.attempts, "state": str(end.state)}))


def _waiting(trusted_only: bool, turn: int | None) -> Document:
    """Queued and not resting."""
    query: Document = {"state": str(TaskState.QUEUED), "$expr": {"$lte": ["$not_before", "$$NOW"]}}
    query |= {} if turn is None else {"turn": turn}
    return query | ({"crashes": 0} if trusted_only else {})


def _leaving(change: Document) -> list[Document]:
    """A change by which a task stops running."""
    return [{"$set": change}, {"$unset": ["rendering", "lease_until", "server", "batch"]}]


_LAST_CRASH: Document = {"$gte": [{"$add": ["$crashes", 1]}, CRASH_LIMIT]}
_LAST_LOSS: Document = {"$gte": ["$attempts", ORPHAN_LIMIT]}


def _back(last: Document, crashes: Document | str) -> list[Document]:
    """Back into the queue; failed as `crashed` where `last` holds; cancelled where that was asked."""
    failed: Document = {"$cond": [last, str(TaskState.FAILED), str(TaskState.QUEUED)]}
    over: Document = {"$or": ["$cancelling", last]}
    return _leaving(
        {
            "state": {"$cond": ["$cancelling", str(TaskState.CANCELLED), failed]},
            "error": {"$cond": [{"$and": [{"$not": "$cancelling"}, last]}, errors.Crashed.slug, None]},
            "finished": {"$cond": [over, "$$NOW", None]},
            "facts": {"$cond": [last, {"attempts": {"$add": ["$crashes", 1]}}, {}]},
            "crashes": crashes,
            "not_before": None,
        }
    )


_AFTER_A_CRASH = _back(_LAST_CRASH, {"$add": ["$crashes", 1]})
_AFTER_A_LOSS = _back(_LAST_LOSS, "$crashes")


def _ended(end: _End) -> Task:
    """The task as the record has it now; its time of finishing is the database's, to the length of a call."""
    kept = {name: value for name, value in end.known.items() if name in Task.__slots__}
    return replace(end.claim.task, state=end.state, finished=datetime.now(UTC), server=None, **kept)


def _task(found: Document | None) -> Task | None:
    return from_document(found) if found else None


def _plain(value: Any) -> Document:
    """A value in a pipeline that is no expression, whatever it looks like."""
    return {"$literal": value}


def _all_plain(known: dict[str, Any]) -> Document:
    return {name: _plain(value) for name, value in known.items()}
