"""Every JSON document that we send: handlers return these models, and the OpenAPI document is made from them.

A field that is MISSING is not part of the document. The items of lists, images and tasks, are plain dataclasses: to
validate each of 250 tasks would cost more than to write them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import MISSING, BaseModel, ConfigDict, Field, PlainSerializer, TypeAdapter, WithJsonSchema

from handlers.auth import AuthenticatedUser
from handlers.params import Id
from models import errors
from models.bucket import Bucket
from models.image_formats import IMAGE_FORMATS
from models.images import Image, ImageKind
from models.queue.tasks import Task, TaskState
from models.visibility import UNSTATED, Visibility
from processing.images import thumbnails
from processing.queue.snapshot import Position

ERRORS_BY_SLUG = {kind.slug: kind for kind in errors.all_errors()}


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    text = moment.isoformat(timespec="milliseconds")
    if not text.endswith("+00:00"):
        text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


Moment = Annotated[
    datetime,
    PlainSerializer(timestamp),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "description": "ISO 8601, UTC"}
    ),
]


EXACT = ConfigDict(extra="forbid")


class Schema(BaseModel):
    """A JSON object with exactly these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@cache
def _adapter(model: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def to_json(document: Any) -> bytes:
    """A document as JSON."""
    return _adapter(document.__class__).dump_json(document)


def to_dict(document: Any) -> dict[str, Any]:
    """A document as JSON values."""
    return dict(_adapter(document.__class__).dump_python(document, mode="json"))


class SuccessResponse(Schema):
    """Success."""

    code: Literal[1] = 1


class ErrorResponse(Schema):
    """Every error: a code below 1, a slug of docs/error.txt, and a sentence for people."""

    code: Annotated[int, Field(le=0)]
    error: str
    message: str
    field: str | MISSING = Field(default=MISSING, description="the parameter that is wrong, where one is")


# --- users ------------------------------------------------------------------------------------------------------------


class UserResponse(SuccessResponse):
    """A user; `id` and `token` only with the right password."""

    username: str
    email: str
    login: bool
    follow_user: list[str]
    followed_user: list[str]
    id: Id | MISSING = MISSING
    token: str | MISSING = MISSING


class CurrentUser(Schema):
    id: Id
    username: str
    email: str
    developer: bool


class ClientConfig(Schema):
    """What a client may send. formats: media types of images that can be read; lengths are in characters.

    protects_files: whether the files of private images need a signed address.
    """

    max_upload_mb: int
    max_megapixels: int
    max_result_megapixels: int
    formats: tuple[str, ...] = tuple(IMAGE_FORMATS)
    upload_part_mb: int = 4
    max_title_length: int = 200
    max_alt_length: int = 1000
    protects_files: bool = True


class SessionResponse(SuccessResponse):
    """guest: whether this is a session without an account. guests_allowed: whether one can be opened."""

    user: CurrentUser | None
    guest: bool
    guests_allowed: bool
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


@dataclass(slots=True, kw_only=True)
class ImageSchema:
    """placeholder: `#rrggbb` or empty. thumbnails: addresses by width in pixels. map_url: a cell map, as JSON.

    batch_size: how many public images were made together with this one, itself included; 1 for a single one.
    """

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
    visibility: Visibility
    batch_size: int

    __pydantic_config__ = EXACT

    @classmethod
    def of(
        cls,
        image: Image,
        bucket: Bucket,
        *,
        source: Image | None = None,
        own: bool = False,
        batch_size: int = 1,
        base_path: str = "",
    ) -> Self:
        """source: the image that it was made of, where its owner shows it. own: whether its owner reads the document.

        base_path: of the site on its host.

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
            thumbnails={str(width): f"{base_path}/thumbnail/{image.id}/{width}" for width in thumbnails.WIDTHS},
            page=f"{base_path}/i/{image.id}",
            map_url=_signed_url(image.map_key, image, bucket) if image.map_key is not None else None,
            visibility=image.visibility,
            batch_size=batch_size,
        )


@dataclass(slots=True, kw_only=True)
class ImageResponse(ImageSchema):
    """One image."""

    code: Literal[1] = 1


class VisibilityResponse(SuccessResponse):
    """changed: the ids of the images that the user owns."""

    changed: list[Id]


class FeedResponse(SuccessResponse):
    images: list[ImageSchema]
    cursor: str | None


def _readable_url(image: Image, bucket: Bucket) -> str:
    """An address that a browser can load."""
    return _signed_url(image.key, image, bucket) if image.key is not None else image.url


def _signed_url(key: str, image: Image, bucket: Bucket) -> str:
    """The address of an object of this image, signed for an hour if the image or the bucket is private."""
    return bucket.readable_url(key, private=image.visibility is Visibility.PRIVATE)


# --- tasks ------------------------------------------------------------------------------------------------------------


class StylesResponse(SuccessResponse):
    """Every style as the engine describes it: name, labels, parameters with ranges and defaults."""

    styles: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads a document. Only the owner of a task and developers see its addresses, its recipe and its owner.

    Of private images only the owner sees the addresses. host: as which the reader reaches the server.
    """

    user: AuthenticatedUser | None
    language: errors.Language
    host: str = ""

    def owns(self, task: Task) -> bool:
        return self.user is not None and task.owner.id == self.user.id

    def can_see(self, task: Task) -> bool:
        return self.owns(task) or (self.user is not None and self.user.developer)

    def can_see_images(self, task: Task) -> bool:
        return self.owns(task) or (self.can_see(task) and not task.is_private)


@dataclass(slots=True, kw_only=True)
class TaskSchema:
    """position: 1 is next, 0 runs, null is finished. estimate_s: until it is done. From `owner` on only for the owner
    and developers; from `url` on, if an image is private, only for the owner. visibility: of the result.
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


def task_schema(task: Task, percent: int, position: Position | None, viewer: Viewer, bucket: Bucket) -> TaskSchema:
    """position: None where the task is finished, or where the queue has not been read yet."""
    visible, images_visible = viewer.can_see(task), viewer.can_see_images(task)
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
        message=None if task.error is None else _error_message(task, task.error, viewer),
        seconds=task.seconds,
        megapixels=task.megapixels,
        estimate_s=position.wait_s if position else None,
        mine=viewer.owns(task),
        owner=task.owner.username if visible else MISSING,
        recipe=task.recipe if visible else MISSING,
        visibility=(task.visibility or UNSTATED) if visible else MISSING,
        url=_source_url(task, bucket) if images_visible else MISSING,
        source_id=task.source_id if images_visible else MISSING,
        result_id=task.result_id if images_visible else MISSING,
        result_url=_result_url(task, bucket) if images_visible else MISSING,
    )


def _result_url(task: Task, bucket: Bucket) -> str | None:
    """Signed for an hour if the result or the bucket is private."""
    if task.state is not TaskState.DONE or task.result_key is None:
        return None
    return bucket.readable_url(task.result_key, private=task.visibility is Visibility.PRIVATE)


def _source_url(task: Task, bucket: Bucket) -> str:
    """From the key: the installation may have moved since."""
    return bucket.url(task.source_key) if task.source_key is not None else task.url


def _error_message(task: Task, slug: str, viewer: Viewer) -> str:
    """Why a task failed. Others do not see a value of the recipe: the id of a tile leads to the image."""
    kind = ERRORS_BY_SLUG.get(slug, errors.JobError)
    if "value" in task.error_details and not viewer.can_see(task):
        return errors.JobError().message(viewer.language)
    return kind(**task.error_details).message(viewer.language)


class TaskResponse(SuccessResponse):
    task: TaskSchema


class TaskTotals(Schema):
    queued: int
    running: int
    done: int
    failed: int
    cancelled: int


class QueueResponse(SuccessResponse):
    """tasks: queued and running, in order. done: finished, newest first. rates: seconds a megapixel, by style."""

    tasks: list[TaskSchema]
    done: list[TaskSchema]
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


def sse_event(name: Literal["task", "queue", "reset"], data: Schema | TaskSchema, event_id: str = "") -> bytes:
    """A server-sent event. event_id: what a client sends as Last-Event-ID after a break; "" for none."""
    number = f"id: {event_id}\n" if event_id else ""
    return b"%bevent: %b\ndata: %b\n\n" % (number.encode(), name.encode(), to_json(data))


# --- operators --------------------------------------------------------------------------------------------------------


class HealthResponse(Schema):
    """200 and code 1 where ready, otherwise 503, code -1 and the problems."""

    code: Literal[1, -1]
    ready: bool
    problems: list[str]
