"""What each endpoint answers, as schemas: the one description that the OpenAPI document and its tests read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from handlers.params import Id

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="ISO 8601, UTC")]


class SuccessResponse(BaseModel):
    """Success."""

    model_config = ConfigDict(extra="forbid")

    code: Literal[1]


class ErrorResponse(BaseModel):
    """Every refusal: a code below 1, a slug of docs/error.txt, and a sentence for people."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[int, Field(le=0)]
    error: str
    message: str
    field: str = Field(default="", description="the parameter at fault, where one is")


class Document(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class UserResponse(SuccessResponse):
    """A user; `id` and `token` only with the right password."""

    username: str
    email: str
    login: bool
    follow_user: list[str]
    followed_user: list[str]
    id: Id = Field(default=1)
    token: str = ""


class CurrentUser(Document):
    id: Id
    username: str
    email: str
    developer: bool


class SessionResponse(SuccessResponse):
    user: CurrentUser | None
    access: Literal["session", "open"]
    max_upload_mb: int
    max_megapixels: int
    formats: list[str]
    upload_part_mb: int


class DeletionResponse(SuccessResponse):
    """finished: whether everything is deleted already; otherwise it goes on."""

    finished: bool


class UploadTokenResponse(SuccessResponse):
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


class ImageSchema(Document):
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


class ImageResponse(ImageSchema):
    """One picture."""

    code: Literal[1]


class FeedResponse(SuccessResponse):
    images: list[ImageSchema]
    cursor: str | None


class StylesResponse(SuccessResponse):
    """Every style as the engine describes it: name, labels, parameters with ranges and defaults."""

    styles: list[dict[str, Any]]


class TaskSchema(Document):
    """The last six are there for those who may see them."""

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
    owner: str | None = None
    url: str = ""
    recipe: dict[str, Any] = {}
    source_id: Id | None = None
    result_id: Id | None = None
    result_url: str | None = None


class TaskResponse(SuccessResponse):
    task: TaskSchema


class Totals(Document):
    queued: int
    running: int
    done: int
    failed: int
    cancelled: int


class QueueResponse(SuccessResponse):
    tasks: list[TaskSchema]
    done: list[TaskSchema]
    cursor: str | None
    totals: Totals
    sight: int
    paused: bool
    rates: dict[str, float]


class PausedResponse(SuccessResponse):
    paused: bool


class HealthResponse(BaseModel):
    """200 where ready, otherwise 503 with the problems."""

    model_config = ConfigDict(extra="forbid")

    code: Literal[1, -1]
    ready: bool
    problems: list[str]
