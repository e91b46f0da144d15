"""Leases: which server runs a task. Every change of state is one atomic step that names the state it expects.

A server that runs a task holds a lease on it, counted on the database's clock alone. Each report about a task names the
attempt that it is about, so that a late report after a lost lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from models import errors
from models.database import Database, Document
from models.driver_errors import DuplicateKey
from models.queue.fair_order import FairOrder, Place
from models.queue.lease import (
    NEWER,
    Finish,
    Lease,
    Outcome,
    lease_end,
    lease_of,
    start_running,
    stop_running,
    waiting,
)
from models.queue.newcomers import Newcomers
from models.queue.task import Task, TaskState, from_document
from models.queue.tasks import POSTPONED

CRASH_LIMIT = 3
"""A task is not retried after its server died this often."""
ORPHAN_MS = 6000
"""A lease whose response was lost is older than this when it is released: no call to the database takes so long."""
ORPHAN_LIMIT = 20
MAX_RENDERING = 10_000
MAX_WOKEN = 100
MAX_LEFT = 10_000


class Leases:
    """The running half of the collection `tasks`, for one server."""

    def __init__(self, database: Database, server: str, *, lease_s: float = 15.0) -> None:
        self._tasks = database.collection("tasks")
        self._leases = database.collection("tasks", journaled=False)
        self._server = server
        self._lease_ms = int(lease_s * 1000)
        self._finishing = database.batchers.make(self._finish_all)

    # --- acquiring ----------------------------------------------------------------------------------------------

    async def acquire(
        self, *, skip_suspects: bool = False, skip: Collection[int] = (), newcomers: Newcomers | None = None
    ) -> Lease | None:
        """Lease the next task in the order of the queue; None if there is none to run.

        A task is left queued while another one with the same dedup_key is being rendered, and if a newer version has
        accepted it. skip: ids of tasks to leave.
        skip_suspects: leave out tasks during which a server died before. A server runs at most one of these at a time,
        so that an image that kills servers is blamed on the tasks beside it no more than once.
        newcomers: lease no tasks but theirs.
        """
        query = waiting(skip_suspects=skip_suspects, skip=skip)
        fields = start_running(self._server, self._lease_ms)
        if newcomers is not None:
            query |= newcomers.query()
            fields |= newcomers.change()
        change = [{"$set": fields}]
        while True:
            try:
                # on a majority: a task that only a dying primary holds is rolled back, and must not run
                document = await self._tasks.find_one_and_update(query, change, sort="round _id")
            except DuplicateKey:
                query["dedup_key"] = {"$nin": await self._keys_being_rendered()}
                continue
            if document is None:
                return None
            return Lease(from_document(document), self._server, document.get("address", ""))

    async def acquire_several(
        self,
        limit: int,
        choose: Callable[[Sequence[Task]], Sequence[Task]],
        *,
        skip_suspects: bool = False,
        skip: Collection[int] = (),
    ) -> list[Lease]:
        """Lease those that `choose` selects of the next `limit` tasks, in two calls, as `acquire` does one.

        Fewer are leased if another server was faster, or if another task with the same dedup_key is being rendered; at
        least one, unless there is none to run.
        """
        query = waiting(skip_suspects=skip_suspects, skip=skip)
        documents = await self._tasks.find(query, sort="round _id", limit=limit)
        addresses = {document["_id"]: document.get("address", "") for document in documents}
        tasks = choose([from_document(document) for document in documents])
        if tasks and not await self._lease_all(tasks):
            tasks = await self._leased_among(tasks)
        if documents and not tasks:
            lease = await self.acquire(skip_suspects=skip_suspects, skip=skip)
            return [] if lease is None else [lease]
        return [lease_of(task, self._server, addresses[task.id]) for task in tasks]

    async def _lease_all(self, tasks: Sequence[Task]) -> bool:
        """Whether all of them could be leased."""
        change = [{"$set": start_running(self._server, self._lease_ms)}]
        queued: Document = {"state": str(TaskState.QUEUED), "not_before": None}
        try:
            changes = [({"_id": task.id, "attempts": task.attempts, **queued}, change) for task in tasks]
            return await self._tasks.bulk_update(changes) == len(tasks)
        except DuplicateKey:
            return False

    async def _leased_among(self, tasks: Sequence[Task]) -> list[Task]:
        query: Document = {
            "_id": {"$in": [task.id for task in tasks]},
            "state": str(TaskState.RUNNING),
            "server": self._server,
        }
        documents = await self._tasks.find(query, sort="_id", limit=len(tasks), fields=["attempts"])
        attempts = {document["_id"]: document["attempts"] for document in documents}
        return [task for task in tasks if attempts.get(task.id) == task.attempts + 1]

    async def left(self, unknown: Collection[int]) -> tuple[int, set[int]]:
        """How many queued tasks this server leaves: of a newer version, or unknown to it; and which of the latter."""
        queued: Document = {"state": str(TaskState.QUEUED)}
        newer = await self._tasks.count_documents({**queued, "version": NEWER}, limit=MAX_LEFT)
        if not unknown:
            return newer, set()
        query: Document = {**queued, "_id": {"$in": list(unknown)}, "version": {"$not": NEWER}}
        ids = {document["_id"] for document in await self._tasks.find(query, sort="_id", limit=0, fields=["_id"])}
        return newer + len(ids), ids

    async def _keys_being_rendered(self) -> list[str]:
        query: Document = {"rendering": {"$gt": ""}}
        documents = await self._tasks.find(query, sort="_id", limit=MAX_RENDERING, fields=["rendering"])
        return [document["rendering"] for document in documents]

    # --- renewing -----------------------------------------------------------------------------------------------

    async def renew(self, leases: Sequence[Lease]) -> list[Lease]:
        """Extend these leases. Returns those that were lost."""
        if not leases:
            return []
        query: Document = {
            "_id": {"$in": [lease.task.id for lease in leases]},
            "state": str(TaskState.RUNNING),
            "server": self._server,
        }
        await self._leases.update_many(query, [{"$set": {"lease_until": lease_end(self._lease_ms)}}])
        documents = await self._leases.find(query, sort="_id", limit=len(leases), fields=["attempts"])
        ours = {(document["_id"], document["attempts"]) for document in documents}
        return [lease for lease in leases if lease.key not in ours]

    async def cancel_requested(self, leases: Sequence[Lease]) -> list[Lease]:
        """Those whose tasks a user has cancelled; the event about it may have been lost."""
        query: Document = {"_id": {"$in": [lease.task.id for lease in leases]}, "cancel_requested": True}
        documents = await self._leases.find(query, sort="_id", limit=len(leases) or 1, fields=["attempts"])
        keys = {(document["_id"], document["attempts"]) for document in documents}
        return [lease for lease in leases if lease.key in keys]

    # --- ending -------------------------------------------------------------------------------------------------

    async def finish(self, lease: Lease, outcome: Outcome) -> Task | None:
        """Record how an attempt ended.

        Returns None if the lease was lost, if the outcome is CANCELLED without a user's request, or if it is anything
        else although a user requested to cancel.
        """
        return await self._finishing.submit(Finish(lease, outcome))

    async def release(self, lease: Lease) -> Task | None:
        """Requeue a task at its old position; the attempt does not count: its server stops, or has no thread for it.

        Returns None if the lease was lost or the task cancelled.
        """
        return await self._release(lease, {"attempts": lease.task.attempts - 1}, "released")

    async def postpone(self, lease: Lease, delay_s: float, place: Place, error: str | None = None) -> Task | None:
        """Requeue a running task after a temporary error; it waits for delay_s, and this counts as a retry.

        The attempt was its turn, so it gets another place: a source that is slow again and again does not come first
        again and again. error: its slug. Returns None if the lease was lost or the task cancelled.
        """
        not_before: Document = {"$add": ["$$NOW", int(delay_s * 1000)]}
        change = {"not_before": not_before, "retries": lease.task.retries + 1}
        return await self._release(lease, change | {"round": place.round, "turn": place.turn}, "postponed", error)

    async def wake_due(self, order: FairOrder) -> None:
        """Let the postponed tasks be leased that are due. One whose round is past gets another place.

        Otherwise all tasks that were postponed meanwhile would be served before everybody else's.
        """
        over: Document = {"$expr": {"$lte": ["$not_before", "$$NOW"]}}
        query: Document = {"state": str(TaskState.QUEUED), **POSTPONED, **over}
        for document in await self._tasks.find(query, sort="not_before", limit=MAX_WOKEN):
            task = from_document(document)
            change: Document = {"not_before": None}
            if order.is_past(task.round):
                place = await order.reassign(task.id, task.owner)
                change |= {"round": place.round, "turn": place.turn}
            await self._tasks.update_one({"_id": task.id, **query}, {"$set": change})

    async def _release(self, lease: Lease, change: Document, outcome: str, error: str | None = None) -> Task | None:
        query = lease.query() | {"cancel_requested": False}
        update = stop_running({"state": str(TaskState.QUEUED), "not_before": None, **change}, outcome, error=error)
        return _task(await self._tasks.find_one_and_update(query, update))

    async def record_crash(self, lease: Lease) -> Task | None:
        """The worker that ran it died: as `reclaim_expired`, for one task."""
        return _task(await self._tasks.find_one_and_update(lease.query(), _AFTER_CRASH))

    async def record_loss(self, lease: Lease) -> Task | None:
        """The cluster lost its job: as `reclaim_orphaned`, for one task."""
        return _task(await self._tasks.find_one_and_update(lease.query(), _AFTER_LOSS))

    async def reclaim_expired(self) -> list[Task]:
        """Requeue tasks whose lease has expired; one that crashed CRASH_LIMIT servers fails as `crashed`."""
        return await self._requeue({"$expr": {"$lt": ["$lease_until", "$$NOW"]}}, _AFTER_CRASH)

    async def reclaim_own(self) -> list[Task]:
        """The same for every task that this server was running before it died; called at its start."""
        return await self._requeue({"server": self._server}, _AFTER_CRASH)

    async def reclaim_orphaned(self, running: Iterable[Lease]) -> list[Task]:
        """Requeue tasks leased to this server that it is not running: the response to `acquire` was lost."""
        running_ids = [lease.task.id for lease in running]
        old: Document = {"$lt": ["$started", {"$subtract": ["$$NOW", ORPHAN_MS]}]}
        return await self._requeue({"server": self._server, "_id": {"$nin": running_ids}, "$expr": old}, _AFTER_LOSS)

    async def _requeue(self, query: Document, change: list[Document]) -> list[Task]:
        query = {"state": str(TaskState.RUNNING), **query}
        tasks: list[Task] = []
        while document := await self._tasks.find_one_and_update(query, change):
            tasks.append(from_document(document))
        return tasks

    async def _finish_all(self, ends: list[Finish]) -> list[Task | None]:
        if len(ends) == 1:
            document = await self._tasks.find_one_and_update(ends[0].query(), ends[0].change())
            return [from_document(document) if document else await self._read_finished(ends[0])]
        matched = await self._tasks.bulk_update([(end.query(), end.change()) for end in ends])
        if matched == len(ends):
            return [end.task() for end in ends]
        return [await self._read_finished(end) for end in ends]

    async def _read_finished(self, end: Finish) -> Task | None:
        """The task if this end is recorded already: a first call may have succeeded and its response been lost."""
        task = end.lease.task
        query: Document = {"_id": task.id, "attempts": task.attempts, "state": str(end.outcome.state)}
        return _task(await self._tasks.find_one(query))


def _requeue_update(is_last: Document, crashes: Document | str, outcome: str) -> list[Document]:
    """Requeue; fail as `crashed` where `is_last` holds; cancel where a user asked for it."""
    failed: Document = {"$cond": [is_last, str(TaskState.FAILED), str(TaskState.QUEUED)]}
    final: Document = {"$or": ["$cancel_requested", is_last]}
    crashed: Document = {"$and": [{"$not": "$cancel_requested"}, is_last]}
    return stop_running(
        {
            "state": {"$cond": ["$cancel_requested", str(TaskState.CANCELLED), failed]},
            "error": {"$cond": [crashed, errors.Crashed.slug, None]},
            "finished": {"$cond": [final, "$$NOW", None]},
            "error_details": {"$cond": [is_last, {"attempts": {"$add": ["$crashes", 1]}}, {}]},
            "crashes": crashes,
            "not_before": None,
            "address": {"$cond": [final, "$$REMOVE", "$address"]},
        },
        outcome,
    )


def _task(document: Document | None) -> Task | None:
    return from_document(document) if document else None


_AFTER_CRASH = _requeue_update({"$gte": [{"$add": ["$crashes", 1]}, CRASH_LIMIT]}, {"$add": ["$crashes", 1]}, "crashed")
_AFTER_LOSS = _requeue_update({"$gte": ["$attempts", ORPHAN_LIMIT]}, "$crashes", "lost")
