"""How documents are written as JSON, and the two that every endpoint may send: success and error.

A field that is MISSING is not part of the document. The items of lists, images and tasks, are plain dataclasses: to
validate each of 250 tasks would cost more than to write them.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache, cached_property
from typing import Annotated, Any, Literal

from pydantic import MISSING, BaseModel, ConfigDict, Field, PlainSerializer, TypeAdapter, WithJsonSchema

TWO_DIGITS = tuple(f"{number:02}" for number in range(60))
MILLISECONDS = tuple(f"{number:03}" for number in range(1000))


def timestamp(moment: datetime) -> str:
    """ISO 8601 with milliseconds. A list of tasks has 150 of them: `isoformat` takes five times as long.

    moment: in UTC, as the database returns all times.
    """
    day = f"{moment.year:04}-{TWO_DIGITS[moment.month]}-{TWO_DIGITS[moment.day]}"
    clock = f"{TWO_DIGITS[moment.hour]}:{TWO_DIGITS[moment.minute]}:{TWO_DIGITS[moment.second]}"
    return f"{day}T{clock}.{MILLISECONDS[moment.microsecond // 1000]}Z"


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

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


@cache
def _adapter(model: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def to_json(document: Any) -> bytes:
    """A document as JSON."""
    if isinstance(document, SharedResponse):
        return document.as_json
    return _adapter(document.__class__).dump_json(document)


def to_dict(document: Any) -> dict[str, Any]:
    """A document as JSON values."""
    return dict(_adapter(document.__class__).dump_python(document, mode="json"))


class SuccessResponse(Schema):
    """Success."""

    code: Literal[1] = 1


class SharedResponse(SuccessResponse):
    """Success, which several requests get: it is written as JSON once."""

    @cached_property
    def as_json(self) -> bytes:
        return _adapter(self.__class__).dump_json(self)


class ErrorResponse(Schema):
    """Every error: a code below 1, a slug of docs/error.txt, and a sentence for people."""

    code: Annotated[int, Field(le=0)]
    error: str
    message: str
    field: str | MISSING = Field(default=MISSING, description="the parameter that is wrong, where one is")
