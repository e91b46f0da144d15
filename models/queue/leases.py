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
from models.batcher import Batcher
from models.database import Database, Document, DuplicateKey
from models.queue.tasks import Task, TaskState, from_document

CRASH_LIMIT = 3
"""A task whose server died this often is not tried again."""
ORPHAN_MS = 6000
"""A claim whose answer got lost is older than this when it is given back: no call to the database takes so long."""
ORPHAN_LIMIT = 20
FEW = 3
"""Up to so many tasks are taken one by one; more of them in one step, which costs three calls."""


@dataclass(frozen=True, slots=True)
class Lease:
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

    lease: Lease
    state: TaskState
    changes: dict[str, Any]

    def query(self) -> Document:
        return self.lease.query() | {"cancel_requested": self.state is TaskState.CANCELLED}

    def change(self) -> list[Document]:
        return _stop_running({"state": _literal(str(self.state)), "finished": "$$NOW", **_all_literal(self.changes)})


class Leases:
    """The running half of the collection `tasks`, for one server."""

    def __init__(self, database: Database, server: str, *, lease_s: float = 15.0) -> None:
        self._tasks = database.collection("tasks")
        self._leases = database.collection("tasks", journaled=False)
        self._server = server
        self._lease_ms = int(lease_s * 1000)
        self._ends = Batcher(self._finish_all)

    # --- taking -------------------------------------------------------------------------------------------------

    async def acquire(self, limit: int, *, skip_suspects: bool = False, in_round: int | None = None) -> list[Lease]:
        """Take up to `limit` tasks in the order of the queue, each with a lease. turn: only of this turn.

        A task whose like (same source, same recipe) is being rendered just now is left until that one is done.
        trusted_only: leave those over which a server died before. At most one of these is taken with each call (with
        more than FEW none at all), so that a picture that kills servers is never blamed on the others that ran beside
        it twice.
        """
        if limit > FEW:
            return await self._take_many(limit, in_round)
        leases: list[Lease] = []
        while len(leases) < limit and (lease := await self._acquire_one(skip_suspects, in_round)):
            leases.append(lease)
            skip_suspects = skip_suspects or lease.task.crashes > 0
        return leases

    async def _acquire_one(self, skip_suspects: bool, in_round: int | None) -> Lease | None:
        busy: list[str] = []
        while True:
            query = _queued_query(skip_suspects, in_round)
            if busy:
                query["dedup_key"] = {"$nin": busy}
            try:
                document = await self._tasks.find_one_and_update(
                    query, [{"$set": self._lease_fields()}], sort="round _id"
                )
            except DuplicateKey:
                busy = await self._keys_being_rendered()
                continue
            return Lease(from_document(document), self._server) if document else None

    async def _take_many(self, limit: int, in_round: int | None) -> list[Lease]:
        fields = ["dedup_key"]
        waiting = await self._tasks.find(_queued_query(True, in_round), sort="round _id", limit=limit, fields=fields)
        unlike = {line["dedup_key"]: line["_id"] for line in reversed(waiting)}
        if not unlike:
            return []
        batch = secrets.token_hex(8)
        chosen: Document = {"_id": {"$in": list(unlike.values())}, "state": str(TaskState.QUEUED)}
        with contextlib.suppress(DuplicateKey):  # one of them is being rendered elsewhere; those before it are ours
            await self._tasks.update_many(chosen, [{"$set": self._lease_fields() | {"batch": batch}}])
        ours = {"_id": {"$in": list(unlike.values())}, "server": self._server, "batch": batch}
        documents = await self._tasks.find(ours, sort="round _id", limit=limit)
        return [Lease(from_document(document), self._server) for document in documents]

    async def _keys_being_rendered(self) -> list[str]:
        documents = await self._tasks.find({"rendering": {"$gt": ""}}, sort="_id", limit=10_000, fields=["rendering"])
        return [document["rendering"] for document in documents]

    def _lease_fields(self) -> Document:
        return {
            "state": str(TaskState.RUNNING),
            "server": _literal(self._server),
            "rendering": "$dedup_key",
            "lease_until": self._lease_end(),
            "started": "$$NOW",
            "attempts": {"$add": ["$attempts", 1]},
            "cancel_requested": False,
        }

    # --- keeping ------------------------------------------------------------------------------------------------

    async def renew(self, leases: Sequence[Lease]) -> list[Lease]:
        """Prolong the leases of what this server runs. Returns those that are not ours any more."""
        if not leases:
            return []
        query: Document = {
            "_id": {"$in": [lease.task.id for lease in leases]},
            "state": str(TaskState.RUNNING),
            "server": self._server,
        }
        await self._leases.update_many(query, [{"$set": {"lease_until": self._lease_end()}}])
        documents = await self._leases.find(query, sort="_id", limit=len(leases), fields=["attempts"])
        ours = {(document["_id"], document["attempts"]) for document in documents}
        return [lease for lease in leases if lease.key not in ours]

    async def cancel_requested(self, leases: Sequence[Lease]) -> list[Lease]:
        """Those that somebody asked to stop: the news of it may have been lost."""
        query: Document = {"_id": {"$in": [lease.task.id for lease in leases]}, "cancel_requested": True}
        documents = await self._leases.find(query, sort="_id", limit=len(leases) or 1, fields=["attempts"])
        keys = {(document["_id"], document["attempts"]) for document in documents}
        return [lease for lease in leases if lease.key in keys]

    def _lease_end(self) -> Document:
        return {"$add": ["$$NOW", self._lease_ms]}

    # --- ending -------------------------------------------------------------------------------------------------

    async def finish(self, lease: Lease, state: TaskState, **changes: Any) -> Task | None:
        """End an attempt; None if it has no say any more.

        That is: its lease was lost, or it says cancelled where nobody asked for that, or anything else where somebody
        did.
        """
        return await self._ends.submit(_End(lease, state, changes))

    async def release(self, lease: Lease, *, pause_s: float = 0.0, failed: bool = False) -> Task | None:
        """Put a running task back into the queue, where it keeps its place; None if it is not ours or is cancelled.

        failed: an error that may pass stopped it: the try counts, and it rests for pause_s. Otherwise the server
        stops, and the attempt does not count.
        """
        change: Document = {
            "state": str(TaskState.QUEUED),
            "not_before": {"$add": ["$$NOW", int(pause_s * 1000)]},
            "attempts": lease.task.attempts - (0 if failed else 1),
            "retries": lease.task.retries + (1 if failed else 0),
        }
        return _task(
            await self._tasks.find_one_and_update(lease.query() | {"cancel_requested": False}, _stop_running(change))
        )

    async def record_crash(self, lease: Lease) -> Task | None:
        """The worker that ran it died: as `take_back`, for one task."""
        return _task(await self._tasks.find_one_and_update(lease.query(), _AFTER_A_CRASH))

    async def reclaim_expired(self) -> list[Task]:
        """Requeue what has an expired lease. What has taken CRASH_LIMIT servers with it is failed as `crashed`."""
        return await self._requeue({"$expr": {"$lt": ["$lease_until", "$$NOW"]}}, _AFTER_A_CRASH)

    async def reclaim_own(self) -> list[Task]:
        """The same for everything that this server ran before it died; asked at its start."""
        return await self._requeue({"server": self._server}, _AFTER_A_CRASH)

    async def reclaim_orphaned(self, running: Iterable[Lease]) -> list[Task]:
        """Requeue what is ours by the record but not by our own memory: the answer to a claim got lost."""
        running_ids = [lease.task.id for lease in running]
        old: Document = {"$lt": ["$started", {"$subtract": ["$$NOW", ORPHAN_MS]}]}
        return await self._requeue({"server": self._server, "_id": {"$nin": running_ids}, "$expr": old}, _AFTER_A_LOSS)

    async def _requeue(self, query: Document, change: list[Document]) -> list[Task]:
        tasks: list[Task] = []
        while document := await self._tasks.find_one_and_update({"state": str(TaskState.RUNNING), **query}, change):
            tasks.append(from_document(document))
        return tasks

    async def _finish_all(self, ends: list[_End]) -> list[Task | None]:
        if len(ends) == 1:
            document = await self._tasks.find_one_and_update(ends[0].query(), ends[0].change())
            return [_task(document) or await self._read_finished(ends[0])]
        matched = await self._tasks.bulk_update([(end.query(), end.change()) for end in ends])
        if matched == len(ends):
            return [_finished_task(end) for end in ends]
        return [await self._read_finished(end) for end in ends]

    async def _read_finished(self, end: _End) -> Task | None:
        """What became of an end that found nothing to change: it may have been told before, its answer lost."""
        task = end.lease.task
        return _task(await self._tasks.find_one({"_id": task.id, "attempts": task.attempts, "state": str(end.state)}))


def _queued_query(skip_suspects: bool, in_round: int | None) -> Document:
    """Queued and not resting."""
    query: Document = {"state": str(TaskState.QUEUED), "$expr": {"$lte": ["$not_before", "$$NOW"]}}
    query |= {} if in_round is None else {"round": in_round}
    return query | ({"crashes": 0} if skip_suspects else {})


def _stop_running(change: Document) -> list[Document]:
    """A change by which a task stops running."""
    return [{"$set": change}, {"$unset": ["rendering", "lease_until", "server", "batch"]}]


_LAST_CRASH: Document = {"$gte": [{"$add": ["$crashes", 1]}, CRASH_LIMIT]}
_LAST_LOSS: Document = {"$gte": ["$attempts", ORPHAN_LIMIT]}


def _requeue_update(is_last: Document, crashes: Document | str) -> list[Document]:
    """Back into the queue; failed as `crashed` where `last` holds; cancelled where that was asked."""
    failed: Document = {"$cond": [is_last, str(TaskState.FAILED), str(TaskState.QUEUED)]}
    over: Document = {"$or": ["$cancel_requested", is_last]}
    return _stop_running(
        {
            "state": {"$cond": ["$cancel_requested", str(TaskState.CANCELLED), failed]},
            "error": {"$cond": [{"$and": [{"$not": "$cancel_requested"}, is_last]}, errors.Crashed.slug, None]},
            "finished": {"$cond": [over, "$$NOW", None]},
            "error_details": {"$cond": [is_last, {"attempts": {"$add": ["$crashes", 1]}}, {}]},
            "crashes": crashes,
            "not_before": None,
        }
    )


_AFTER_A_CRASH = _requeue_update(_LAST_CRASH, {"$add": ["$crashes", 1]})
_AFTER_A_LOSS = _requeue_update(_LAST_LOSS, "$crashes")


def _finished_task(end: _End) -> Task:
    """The task as the record has it now; its time of finishing is the database's, to the length of a call."""
    changes = {name: value for name, value in end.changes.items() if name in Task.__slots__}
    return replace(end.lease.task, state=end.state, finished=datetime.now(UTC), server=None, **changes)


def _task(document: Document | None) -> Task | None:
    return from_document(document) if document else None


def _literal(value: Any) -> Document:
    """A value in a pipeline that is no expression, whatever it looks like."""
    return {"$literal": value}


def _all_literal(changes: dict[str, Any]) -> Document:
    return {name: _literal(value) for name, value in changes.items()}
