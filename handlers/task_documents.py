"""What the outside sees of a task: the one place where its record becomes a JSON document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.auth import AuthenticatedUser
from handlers.documents import timestamp
from models import errors
from models.bucket import Bucket
from models.queue.tasks import Task, TaskState
from processing.queue.snapshot import Position

_BY_SLUG = {kind.slug: kind for kind in errors.all_errors()}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads a document. A stranger sees the queue move; addresses and people are shown to the owner and to
    developers alone."""

    user: AuthenticatedUser | None
    language: errors.Language

    def owns(self, task: Task) -> bool:
        return self.user is not None and task.owner.id == self.user.id

    def can_see(self, task: Task) -> bool:
        return self.owns(task) or (self.user is not None and self.user.developer)


def task_document(task: Task, percent: int, place: Position | None, reader: Viewer, bucket: Bucket) -> dict[str, Any]:
    """place: where it stands; None once it is over, or while nobody has looked."""
    document: dict[str, Any] = {
        "id": task.id,
        "state": str(task.state),
        "position": place.number if place else 0 if task.state is TaskState.RUNNING else None,
        "type": task.type,
        "style": task.style,
        "percent": percent,
        "attempts": task.attempts,
        "created": timestamp(task.created),
        "started": timestamp(task.started),
        "finished": timestamp(task.finished),
        "error": task.error,
        "message": _message(task, reader),
        "seconds": task.seconds,
        "megapixels": task.megapixels,
        "estimate_s": place.wait_s if place else None,
        "mine": reader.owns(task),
    }
    return document | _private(task, bucket) if reader.can_see(task) else document


def place_document(task_id: int, place: Position, *, mine: bool) -> dict[str, Any]:
    """What changes of a waiting task when those before it move on."""
    return {
        "id": task_id,
        "state": str(TaskState.QUEUED),
        "position": place.number,
        "estimate_s": place.wait_s,
        "mine": mine,
    }


def _private(task: Task, bucket: Bucket) -> dict[str, Any]:
    return {
        "owner": task.owner.username,
        "url": task.url,
        "recipe": task.recipe,
        "source_id": task.source_id,
        "result_id": task.result_id,
        "result_url": _readable(task, bucket) if task.state is TaskState.DONE else None,
    }


def _readable(task: Task, bucket: Bucket) -> str | None:
    """The result's address; signed for an hour where the bucket is private."""
    key = bucket.key_of(task.result_url) if task.result_url else None
    return bucket.readable_url(key) if key is not None else task.result_url


def _message(task: Task, reader: Viewer) -> str | None:
    """What went wrong; to others not with which value, for that is the recipe's: a tile's id leads to the picture."""
    if task.error is None:
        return None
    kind = _BY_SLUG.get(task.error, errors.JobError)
    if "value" in task.error_details and not reader.can_see(task):
        return errors.JobError().message(reader.language)
    return kind(**task.error_details).message(reader.language)
