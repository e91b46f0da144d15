"""Styles, tasks, and what each audience sees of a task."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import MISSING, Field

from handlers.auth import AuthenticatedUser
from handlers.params import Id
from handlers.schemas.base import EXACT, Moment, Schema, SharedResponse, SuccessResponse
from models import errors
from models.bucket import Bucket
from models.images.visibility import UNSTATED, Visibility, is_owned_by
from models.queue.task import Task, TaskState
from processing import mosaic_lazy as mosaic
from processing.images.named_objects import is_copy
from processing.queue.snapshot import Position

ANY_DEVELOPER = AuthenticatedUser(-1, "", developer=True)
ERRORS_BY_SLUG = {kind.slug: kind for kind in errors.all_errors()}


class StylesResponse(SuccessResponse):
    """Every style as the engine describes it: name, labels, parameters with ranges and defaults."""

    styles: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom a document about tasks is written.

    Only the owner of a task and developers see its addresses, its recipe and its owner.
    Of private images only the owner sees the addresses; with open access everyone sees those of a task of nobody, whose
    client has no session to be known by. host: as which the client reaches the server.
    """

    user: AuthenticatedUser | None
    language: errors.Language
    host: str = ""
    open_access: bool = False

    @property
    def common(self) -> Audience:
        """The audience of everybody who reads the same of tasks that are not their own."""
        is_developer = self.user is not None and self.user.developer
        return Audience(
            ANY_DEVELOPER if is_developer else None,
            self.language,
            self.host if is_developer or self.open_access else "",
            self.open_access,
        )

    def owns(self, task: Task) -> bool:
        return self.user is not None and is_owned_by(task, self.user.id)

    def can_see(self, task: Task) -> bool:
        return self.owns(task) or (self.user is not None and self.user.developer)

    def can_see_images(self, task: Task) -> bool:
        return self.owns(task) or ((self.can_see(task) or self._shares(task)) and not task.is_private)

    def _shares(self, task: Task) -> bool:
        return self.open_access and task.owner.id is None


@dataclass(slots=True, kw_only=True)
class TaskSchema:
    """position: 1 is next, 0 runs, null is finished. estimate_s: until it is done. From `owner` on only for the owner
    and developers; from `url` on, if an image is private, only for the owner, and with open access for everyone if the
    task is nobody's. visibility: of the result. recipe: in lists and events without the ids of tiles.
    """

    id: Id
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    position: int | None
    type: Literal["model"]
    style: str
    percent: Annotated[int, Field(ge=0, le=100)]
    attempts: int
    created: Moment
    started: Moment | None
    finished: Moment | None
    error: str | None
    message: str | None
    seconds: float | None
    megapixels: float | None
    estimate_s: float | None
    mine: bool
    owner: str | MISSING | None = MISSING
    recipe: dict[str, Any] | MISSING = MISSING
    visibility: Visibility | MISSING = MISSING
    url: str | MISSING = MISSING
    source_id: Id | MISSING | None = MISSING
    result_id: Id | MISSING | None = MISSING
    result_url: str | MISSING | None = MISSING

    __pydantic_config__ = EXACT


def task_schema(
    task: Task, percent: int, position: Position | None, audience: Audience, bucket: Bucket, *, listed: bool = False
) -> TaskSchema:
    """position: None where the task is finished, or where the queue has not been read yet.

    listed: in a list or an event, where recipes come without the ids of tiles, of which there may be thousands.
    """
    visible, images_visible = audience.can_see(task), audience.can_see_images(task)
    running = 0 if task.state is TaskState.RUNNING else None
    return TaskSchema(
        id=task.id,
        state=task.state.value,
        position=position.number if position else running,
        type="model",
        style=task.style,
        percent=percent,
        attempts=task.attempts,
        created=task.created,
        started=task.started,
        finished=task.finished,
        error=task.error,
        message=None if task.error is None else _error_message(task, task.error, audience),
        seconds=task.seconds,
        megapixels=task.megapixels,
        estimate_s=position.wait_s if position else None,
        mine=audience.owns(task),
        owner=task.owner.username if visible else MISSING,
        recipe=_recipe(task, listed=listed) if visible else MISSING,
        visibility=(task.visibility or UNSTATED) if visible else MISSING,
        url=_source_url(task, bucket) if images_visible else MISSING,
        source_id=task.source_id if images_visible else MISSING,
        result_id=task.result_id if images_visible else MISSING,
        result_url=_result_url(task, bucket) if images_visible else MISSING,
    )


def _recipe(task: Task, *, listed: bool) -> dict[str, Any]:
    return {name: value for name, value in task.recipe.items() if not (listed and name == "tiles")}


def _result_url(task: Task, bucket: Bucket) -> str | None:
    """Signed for an hour if the result or the bucket is private."""
    if task.state is not TaskState.DONE or task.result_key is None:
        return None
    return bucket.readable_url(task.result_key, private=task.visibility is Visibility.PRIVATE)


def _source_url(task: Task, bucket: Bucket) -> str:
    """From the key: the installation may have moved since. Of a copy, the address that the client gave."""
    if task.source_key is None:
        return task.url
    address_key = bucket.key_of(task.url) if is_copy(task.source_key) else None
    return bucket.url(address_key or task.source_key)


def _error_message(task: Task, slug: str, audience: Audience) -> str:
    """Why a task failed. Others do not see a value of the recipe: the id of a tile leads to the image."""
    kind = ERRORS_BY_SLUG.get(slug, errors.JobError)
    if "value" in task.error_details and not audience.can_see(task):
        return errors.JobError().message(audience.language)
    return kind.of(task.error_details).message(audience.language)


class TaskResponse(SuccessResponse):
    task: TaskSchema


class TaskTotals(Schema):
    queued: int
    running: int
    done: int
    failed: int
    cancelled: int


class RenderCostSchema(Schema):
    """Seconds: of every result, and for each of its megapixels.

    pieces: more for each megapixel of pieces of a material, in styles that are flat by default. small_pieces: more
    where these are at most 16 pixels wide, and less by the square of their width where they are wider.
    """

    fixed: float
    megapixel: float
    pieces: float
    small_pieces: float

    @classmethod
    def of(cls, cost: mosaic.RenderCost) -> RenderCostSchema:
        return cls(**{name.removesuffix("_s"): round(seconds, 4) for name, seconds in asdict(cost).items()})


class QueueResponse(SharedResponse):
    """tasks: queued and running, in order. done: finished, newest first. rates: seconds a megapixel, by style. costs:
    what a result with default cells takes, by style."""

    tasks: list[TaskSchema]
    done: list[TaskSchema]
    cursor: str | None
    totals: TaskTotals
    paused: bool
    rates: dict[str, float]
    costs: dict[str, RenderCostSchema]


class PausedResponse(SuccessResponse):
    paused: bool
