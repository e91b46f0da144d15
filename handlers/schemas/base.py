"""How documents are written as JSON, and the two that every endpoint may send: success and error.

A field that is MISSING is not part of the document. The items of lists, images and tasks, are plain dataclasses: to
validate each of 250 tasks would cost more than to write them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import MISSING, BaseModel, ConfigDict, Field, PlainSerializer, TypeAdapter, WithJsonSchema


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
