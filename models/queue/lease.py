"""A lease: the exclusive right of one server to run a task; how it begins, and how the attempt under it ends."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from models.database import Document
from models.images.visibility import Visibility
from models.queue.task import TASK_VERSION, Task, TaskState

MAX_HISTORY = 20
"""The latest attempts that a task remembers."""
NEWER: Document = {"$gt": TASK_VERSION}
"""Versions of tasks that a newer server has accepted."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The exclusive right of one server to run a task, as the database has recorded it.

    It names task, attempt and server; a `Run` is what that server does in its memory as long as it has the lease.
    address: of the client, as in `Place`. is_first: no earlier result existed when it was acquired, so none comes while
    it lasts.
    """

    task: Task
    server: str
    address: str = ""
    is_first: bool = False

    @property
    def key(self) -> tuple[int, int]:
        return self.task.id, self.task.attempts

    def query(self) -> Document:
        """Matches the task while this attempt holds its lease."""
        return {
            "_id": self.task.id,
            "state": str(TaskState.RUNNING),
            "server": self.server,
            "attempts": self.task.attempts,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. Fields that are None or empty leave the task's own values as they are.

    state: DONE, FAILED or CANCELLED. seconds: duration of the render. megapixels, visibility: of the
    result.
    error: a slug, with the details for its sentence. steps: seconds that each step of the job took.
    """

    state: TaskState
    result_id: int | None = None
    result_key: str | None = None
    seconds: float | None = None
    megapixels: float | None = None
    visibility: Visibility | None = None
    error: str | None = None
    error_details: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """The fields of Task that it sets, except the state and the time."""
        named = {
            "result_id": self.result_id,
            "result_key": self.result_key,
            "seconds": self.seconds,
            "megapixels": self.megapixels,
            "visibility": self.visibility,
            "error": self.error,
            "error_details": self.error_details or None,
            "percent": 100 if self.state is TaskState.DONE else None,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of one attempt, on its way to the database."""

    lease: Lease
    outcome: Outcome

    def query(self) -> Document:
        """CANCELLED is recorded only where a user asked for it, everything else only where no user did."""
        return self.lease.query() | {"cancel_requested": self.outcome.state is TaskState.CANCELLED}

    def change(self) -> list[Document]:
        values = {name: literal(value) for name, value in self.outcome.values().items()}
        state = literal(str(self.outcome.state))
        change: Document = {"state": state, "finished": "$$NOW", "address": "$$REMOVE", **values}
        return stop_running(change, str(self.outcome.state), error=self.outcome.error, steps=self.outcome.steps)

    def task(self) -> Task:
        """The task as recorded; its `finished` differs from the database's by the duration of a call at most."""
        outcome = self.outcome
        return replace(
            self.lease.task, state=outcome.state, finished=datetime.now(UTC), server=None, **outcome.values()
        )


def waiting(*, skip_suspects: bool, skip: Collection[int]) -> Document:
    """Matches the tasks that may be leased: not those of a newer version, nor those in `skip`.

    skip_suspects: nor those during which a server died.
    """
    query: Document = {"state": str(TaskState.QUEUED), "not_before": None, "version": {"$not": NEWER}}
    if skip_suspects:
        query["crashes"] = 0
    if skip:
        query["_id"] = {"$nin": list(skip)}
    return query


def start_running(server: str, lease_ms: int) -> Document:
    """The fields of a task that begin a lease."""
    return {
        "state": str(TaskState.RUNNING),
        "server": literal(server),
        "rendering": "$dedup_key",
        "lease_until": lease_end(lease_ms),
        "started": "$$NOW",
        "attempts": {"$add": ["$attempts", 1]},
        "cancel_requested": False,
    }


def lease_end(lease_ms: int) -> Document:
    """This long from now, by the clock of the database."""
    return {"$add": ["$$NOW", lease_ms]}


def lease_of(task: Task, server: str, address: str) -> Lease:
    """The lease of a queued task as recorded; `started` differs from the database's by a call's duration at most."""
    running = replace(
        task,
        state=TaskState.RUNNING,
        server=server,
        attempts=task.attempts + 1,
        started=datetime.now(UTC),
        cancel_requested=False,
    )
    return Lease(running, server, address)


def stop_running(
    change: Document, outcome: str, *, error: str | None = None, steps: dict[str, float] | None = None
) -> list[Document]:
    """A change that ends a lease, and remembers the attempt with its outcome in the task's `history`.

    outcome: done, failed, cancelled; released (given back before it began, or because its server stopped), postponed
    (tried again later), crashed (its server or worker died), lost (the cluster or a response was).
    """
    attempt: Document = {
        "attempt": "$attempts",
        "server": "$server",
        "started": "$started",
        "ended": "$$NOW",
        "outcome": literal(outcome),
        "error": literal(error),
        "steps": literal(steps or {}),
    }
    history: Document = {"$concatArrays": [{"$ifNull": ["$history", []]}, [attempt]]}
    latest: Document = {"history": {"$slice": [history, -MAX_HISTORY]}}
    return [{"$set": change | latest}, {"$unset": ["rendering", "lease_until", "server"]}]


def literal(value: Any) -> Document:
    """A value inside a pipeline that MongoDB must not read as an expression."""
    return {"$literal": value}
