"""What each endpoint answers, as schemas: the one description that the OpenAPI document and its tests read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from handlers.params import Id

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="ISO 8601, UTC")]


class Answer(BaseModel):
    """Success."""

    model_config = ConfigDict(extra="forbid")

    code: Literal[1]


class Refusal(BaseModel):
    """Every refusal: a code below 1, a slug of docs/error.txt, and a sentence for people."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[int, Field(le=0)]
    error: str
    message: str
    field: str = Field(default="", description="the parameter at fault, where one is")


class Document(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class UserAnswer(Answer):
    """A user; `id` and `token` only with the right password."""

    username: str
    email: str
    login: bool
    follow_user: list[str]
    followed_user: list[str]
    id: Id = Field(default=1)
    token: str = ""


class Me(Document):
    id: Id
    username: str
    email: str
    developer: bool


class SessionAnswer(Answer):
    user: Me | None
    access: Literal["session", "open"]
    max_upload_mb: int
    max_megapixels: int
    formats: list[str]
    upload_part_mb: int


class GoneAnswer(Answer):
    """finished: whether everything is deleted already; otherwise it goes on."""

    finished: bool


class GrantAnswer(Answer):
    token: str
    key: str
    upload_url: str
    url: str
    expires: int


class UploadedAnswer(Answer):
    id: Id
    filename: str
    url: str
    param: str


class RegisteredAnswer(Answer):
    id: Id


class ImageDocument(Document):
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


class ImageAnswer(ImageDocument):
    """One picture."""

    code: Literal[1]


class FeedAnswer(Answer):
    images: list[ImageDocument]
    cursor: str | None


class StylesAnswer(Answer):
    """Every style as the engine describes it: name, labels, parameters with ranges and defaults."""

    styles: list[dict[str, Any]]


class TaskDocument(Document):
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


class TaskAnswer(Answer):
    task: TaskDocument


class Totals(Document):
    queued: int
    running: int
    done: int
    failed: int
    cancelled: int


class QueueAnswer(Answer):
    tasks: list[TaskDocument]
    done: list[TaskDocument]
    cursor: str | None
    totals: Totals
    sight: int
    paused: bool
    rates: dict[str, float]


class PausedAnswer(Answer):
    paused: bool


class HealthAnswer(BaseModel):
    """200 where ready, otherwise 503 with the problems."""

    model_config = ConfigDict(extra="forbid")

    code: Literal[1, -1]
    ready: bool
    problems: list[str]
