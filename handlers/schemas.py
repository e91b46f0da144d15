"""Every JSON document that we send: handlers return these models, and the OpenAPI document is made from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from handlers.auth import AuthenticatedUser
from handlers.params import Id
from models import errors
from models.bucket import Bucket
from models.image_formats import IMAGE_FORMATS
from models.images import Image, ImageKind
from models.queue.tasks import Task, TaskState
from processing.images import thumbnails
from processing.queue.snapshot import Position

ERRORS_BY_SLUG = {kind.slug: kind for kind in errors.all_errors()}


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(timestamp),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "description": "ISO 8601, UTC"}
    ),
]


class Schema(BaseModel):
    """A JSON object with exactly these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SuccessResponse(Schema):
    """Success."""

    code: Literal[1] = 1


class ErrorResponse(Schema):
    """Every error: a code below 1, a slug of docs/error.txt, and a sentence for people."""

    code: Annotated[int, Field(le=0)]
    error: str
    message: str
    field: str = Field(default="", description="the parameter that is wrong, where one is")


# --- users ------------------------------------------------------------------------------------------------------------


class UserResponse(SuccessResponse):
    """A user, as anybody sees them."""

    username: str
    email: str
    login: bool
    follow_user: list[str]
    followed_user: list[str]


class SignedInResponse(UserResponse):
    """The answer to the right password."""

    id: Id
    token: str


class CurrentUser(Schema):
    id: Id
    username: str
    email: str
    developer: bool


class ClientConfig(Schema):
    """What a client may send. formats: media types of images that can be read; lengths are in characters."""

    max_upload_mb: int
    max_megapixels: int
    formats: tuple[str, ...] = tuple(IMAGE_FORMATS)
    upload_part_mb: int = 4
    max_title_length: int = 200
    max_alt_length: int = 1000


class SessionResponse(SuccessResponse):
    user: CurrentUser | None
    access: Literal["session", "open"]
    limits: ClientConfig


class DeletionResponse(SuccessResponse):
    """finished: whether everything is deleted already; the server deletes the rest in the background."""

    finished: bool


# --- images -----------------------------------------------------------------------------------------------------------


class UploadTokenResponse(SuccessResponse):
    """expires: Unix time."""

    token: str
    key: str
    upload_url: str
    url: str
    expires: int


class UploadResponse(SuccessResponse):
    id: Id
    filename: str
    url: str
    param: str


class RegisterImageResponse(SuccessResponse):
    id: Id


class ImageSchema(Schema):
    """placeholder: `#rrggbb` or empty. thumbnails: addresses by width in pixels. map_url: a cell map, as JSON."""

    id: Id
    url: str
    readable_url: str
    param: str
    kind: Literal["source", "result"]
    filename: str
    filesize: int
    mime: str
    width: int
    height: int
    placeholder: Annotated[str, Field(pattern=r"^(#[0-9a-f]{6})?$")]
    username: str | None
    created: Moment
    style: str
    recipe: dict[str, Any]
    title: str
    alt: str
    show_source: bool
    source_url: str | None
    thumbnails: dict[str, str]
    page: str
    map_url: str | None

    @classmethod
    def of(cls, image: Image, bucket: Bucket, *, source: Image | None = None, own: bool = False) -> Self:
        """source: the image that it was made of, where its owner shows it. own: whether its owner reads the document.

        Only the owner sees the ids of a photomosaic's tiles: anybody who has an id can read the image.
        """
        recipe = image.recipe if own else {key: value for key, value in image.recipe.items() if key != "tiles"}
        return cls(
            id=image.id,
            url=bucket.url(image.key) if image.key is not None else image.url,
            readable_url=_readable_url(image, bucket),
            param=image.param,
            kind="result" if image.kind is ImageKind.RESULT else "source",
            filename=image.filename,
            filesize=image.filesize,
            mime=image.mime,
            width=image.width,
            height=image.height,
            placeholder=image.placeholder,
            username=image.owner.username,
            created=image.created,
            style=image.style,
            recipe=recipe,
            title=image.title,
            alt=image.alt,
            show_source=image.show_source,
            source_url=_readable_url(source, bucket) if source else None,
            thumbnails={str(width): f"/thumbnail/{image.id}/{width}" for width in thumbnails.WIDTHS},
            page=f"/i/{image.id}",
            map_url=bucket.readable_url(image.map_key) if image.map_key is not None else None,
        )


class ImageResponse(ImageSchema, SuccessResponse):
    """One image."""


class FeedResponse(SuccessResponse):
    images: list[ImageSchema]
    cursor: str | None


def _readable_url(image: Image, bucket: Bucket) -> str:
    """An address that a browser can load; in a private bucket it is signed for an hour."""
    return bucket.readable_url(image.key) if image.key is not None else image.url


# --- tasks ------------------------------------------------------------------------------------------------------------


class StylesResponse(SuccessResponse):
    """Every style as the engine describes it: name, labels, parameters with ranges and defaults."""

    styles: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads a document. Only the owner of a task and developers see its addresses, its recipe and its owner."""

    user: AuthenticatedUser | None
    language: errors.Language

    def owns(self, task: Task) -> bool:
        return self.user is not None and task.owner.id == self.user.id

    def can_see(self, task: Task) -> bool:
        return self.owns(task) or (self.user is not None and self.user.developer)


class TaskSchema(Schema):
    """A task, as anybody sees it. position: 1 is next, 0 runs, null is finished. estimate_s: until it is done."""

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


class TaskDetailsSchema(TaskSchema):
    """A task, as its owner and developers see it."""

    owner: str | None
    url: str
    recipe: dict[str, Any]
    source_id: Id | None
    result_id: Id | None
    result_url: str | None


AnyTaskSchema = TaskDetailsSchema | TaskSchema


def task_schema(
    task: Task, percent: int, position: Position | None, viewer: Viewer, bucket: Bucket
) -> TaskDetailsSchema | TaskSchema:
    """position: None where the task is finished, or where nobody has read the queue yet."""
    running = 0 if task.state is TaskState.RUNNING else None
    public: dict[str, Any] = {
        "id": task.id,
        "state": str(task.state),
        "position": position.number if position else running,
        "type": task.type,
        "style": task.style,
        "percent": percent,
        "attempts": task.attempts,
        "created": task.created,
        "started": task.started,
        "finished": task.finished,
        "error": task.error,
        "message": _error_message(task, viewer),
        "seconds": task.seconds,
        "megapixels": task.megapixels,
        "estimate_s": position.wait_s if position else None,
        "mine": viewer.owns(task),
    }
    if not viewer.can_see(task):
        return TaskSchema(**public)
    key = bucket.key_of(task.result_url) if task.result_url else None
    result_url = bucket.readable_url(key) if key is not None else task.result_url
    return TaskDetailsSchema(
        **public,
        owner=task.owner.username,
        url=task.url,
        recipe=task.recipe,
        source_id=task.source_id,
        result_id=task.result_id,
        result_url=result_url if task.state is TaskState.DONE else None,
    )


def _error_message(task: Task, viewer: Viewer) -> str | None:
    """Why a task failed. Others do not see a value of the recipe: the id of a tile leads to the image."""
    if task.error is None:
        return None
    kind = ERRORS_BY_SLUG.get(task.error, errors.JobError)
    if "value" in task.error_details and not viewer.can_see(task):
        return errors.JobError().message(viewer.language)
    return kind(**task.error_details).message(viewer.language)


class TaskResponse(SuccessResponse):
    task: AnyTaskSchema


class TaskTotals(Schema):
    queued: int
    running: int
    done: int
    failed: int
    cancelled: int


class QueueResponse(SuccessResponse):
    """tasks: queued and running, in order. done: finished, newest first. rates: seconds a megapixel, by style."""

    tasks: list[AnyTaskSchema]
    done: list[AnyTaskSchema]
    cursor: str | None
    totals: TaskTotals
    paused: bool
    rates: dict[str, float]


class PausedResponse(SuccessResponse):
    paused: bool


# --- events -----------------------------------------------------------------------------------------------------------


class PositionEvent(Schema):
    """`task`: the new position of a queued task of this user."""

    id: Id
    state: Literal["queued"] = "queued"
    position: int
    estimate_s: float | None
    mine: Literal[True] = True


class QueueEvent(Schema):
    """`queue`: how many tasks are in each state, and whether developers paused the queue."""

    paused: bool
    totals: TaskTotals


class ResetEvent(Schema):
    """`reset`: events are missing, request the queue again."""


def sse_event(name: Literal["task", "queue", "reset"], data: Schema, event_id: str = "") -> bytes:
    """A server-sent event. event_id: what a client sends as Last-Event-ID after a break; "" for none."""
    number = f"id: {event_id}\n" if event_id else ""
    return f"{number}event: {name}\ndata: {data.model_dump_json()}\n\n".encode()


# --- operators --------------------------------------------------------------------------------------------------------


class HealthResponse(Schema):
    """200 and code 1 where ready, otherwise 503, code -1 and the problems."""

    code: Literal[1, -1]
    ready: bool
    problems: list[str]
