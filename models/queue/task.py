"""One task: what a user asked for, and how far it is."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from models.database import Document
from models.images.image import Owner
from models.images.visibility import OPEN, Visibility

TASK_VERSION = 1
"""Of recipes and jobs. Raise it with a recipe that earlier versions cannot make: their servers leave such tasks."""


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
"""From each state, the states that may follow."""

RETRYABLE = [str(state) for state in FINAL if TaskState.QUEUED in TRANSITIONS[state]]


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be added. Times are UTC.

    source_key: the source's key in our bucket, None if `url` leads elsewhere.
    dedup_key: hash of source and recipe; two tasks with the same dedup_key have the same result.
    megapixels: of the result, None if not known yet.
    visibility: of the result, None if the user did not choose one. source_visibility: None without a record of it.
    batch: what the results of several tasks have in common that were added together.
    version: TASK_VERSION of the server that accepted the task.
    request_id: with it the client asks again, after a lost response, without a second task.
    """

    owner: Owner
    _: KW_ONLY
    url: str
    type: str
    style: str
    recipe: dict[str, Any]
    dedup_key: str
    source_key: str | None = None
    source_id: int | None = None
    megapixels: float | None = None
    visibility: Visibility | None = None
    source_visibility: Visibility | None = None
    batch: str | None = None
    request_id: str | None = None
    version: int = TASK_VERSION
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def with_id(self, task_id: int, *, round_number: int = 0) -> Task:
        """The queued task that this becomes."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return Task(id=task_id, round=round_number, **values)


@dataclass(frozen=True, slots=True)
class Task(NewTask):
    """A task that was added, and how far it is.

    round: position in the round robin of all users; lower is earlier.
    attempts: how often it was started. crashes: how often its server died meanwhile. retries: temporary errors so far.
    cancel_requested: a user cancelled it while it was running.
    seconds: duration of the render, None until it is done.
    """

    _: KW_ONLY
    id: int
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
    result_key: str | None = None
    seconds: float | None = None

    @property
    def is_private(self) -> bool:
        """Whether only the owner may learn the addresses of source and result."""
        return any(each is not None and each not in OPEN for each in (self.visibility, self.source_visibility))


_FIELDS = tuple(each.name for each in fields(Task))
_VISIBILITIES = ("visibility", "source_visibility")


def to_document(task: Task) -> Document:
    """A task as MongoDB and events hold it, without its id."""
    plain = {name: getattr(task, name) for name in _FIELDS if name not in ("id", "owner", "state", "server")}
    visibilities = {name: plain[name] and str(plain[name]) for name in _VISIBILITIES}
    owner = {"owner_id": task.owner.id, "owner": task.owner.username}
    return {**plain, **visibilities, **owner, "state": str(task.state)}


def from_document(document: Document) -> Task:
    """The task of such a document with its `_id`."""
    plain = {name: document[name] for name in _FIELDS if name in document}
    owner = Owner(document["owner_id"], document["owner"])
    plain |= {name: Visibility(document[name]) for name in _VISIBILITIES if document.get(name)}
    return Task(**{**plain, "id": document["_id"], "state": TaskState(document["state"]), "owner": owner})
