"""What the outside sees of an image and of a task: the one place where records become JSON documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handlers.authentication import Person
from models import errors
from models.bucket import Bucket
from models.images import Image
from models.tasks import Task, TaskState
from processing import thumbnails

_BY_SLUG = {kind.slug: kind for kind in errors.every_error()}


def image_document(image: Image, bucket: Bucket, *, source: Image | None = None) -> dict[str, Any]:
    """source: the picture it was made of, where its owner shows it."""
    return {
        "id": image.id,
        "url": _address(image, bucket),
        "param": image.param,
        "kind": str(image.kind),
        "filename": image.filename,
        "filesize": image.filesize,
        "mime": image.mime,
        "width": image.width,
        "height": image.height,
        "placeholder": image.placeholder,
        "username": image.owner.username,
        "created": timestamp(image.created),
        "style": image.style,
        "recipe": image.recipe,
        "title": image.title,
        "alt": image.alt,
        "show_source": image.show_source,
        "source_url": _address(source, bucket) if source else None,
        "thumbnails": {str(width): f"/thumbnail/{image.id}/{width}" for width in thumbnails.WIDTHS},
        "page": f"/i/{image.id}",
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a task stands just now. position: 1 is next, 0 runs; None: it is over. wait_s: seconds until it is done."""

    percent: int
    position: int | None
    wait_s: float | None


def task_document(task: Task, standing: Standing, viewer: Person | None, language: errors.Language) -> dict[str, Any]:
    """A stranger sees the queue move; addresses and people are shown to the owner and to developers alone."""
    mine = viewer is not None and task.owner.id == viewer.id
    document: dict[str, Any] = {
        "id": task.id,
        "state": str(task.state),
        "position": standing.position,
        "type": task.type,
        "style": task.style,
        "percent": standing.percent,
        "attempts": task.attempts,
        "created": timestamp(task.created),
        "started": timestamp(task.started),
        "finished": timestamp(task.finished),
        "error": task.error,
        "message": _message(task, language),
        "seconds": task.seconds,
        "megapixels": task.megapixels,
        "estimate_s": standing.wait_s,
        "mine": mine,
    }
    if mine or (viewer is not None and viewer.developer):
        document |= _private(task)
    return document


def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, or None."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _private(task: Task) -> dict[str, Any]:
    return {
        "owner": task.owner.username,
        "url": task.url,
        "recipe": task.recipe,
        "source_id": task.source_id,
        "result_id": task.result_id,
        "result_url": task.result_url if task.state is TaskState.DONE else None,
    }


def _message(task: Task, language: errors.Language) -> str | None:
    if task.error is None:
        return None
    kind = _BY_SLUG.get(task.error, errors.JobError)
    return kind(**task.facts).message(language)


def _address(image: Image, bucket: Bucket) -> str:
    return bucket.url(image.key) if image.key is not None else image.url
