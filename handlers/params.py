"""Parameters of a request: from the query string, a form or a JSON body, as one dictionary of plain values.

What is said in the body wins over what is said in the query string; of a repeated name the last value counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError
from tornado.escape import utf8
from tornado.httputil import HTTPServerRequest

from models import errors

LARGEST_ID = 2**53 - 1
MAX_VALUE_CHARS = 60

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]


def read_params(request: HTTPServerRequest, path: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All parameters by name. Raises MalformedBody for text that is not UTF-8 and JSON that is not an object."""
    given: dict[str, Any] = _last_values(request.query_arguments)
    if _media_type(request) == "application/json" and request.body:
        given.update(parse_json_object(request.body))
    else:
        given.update(_last_values(request.body_arguments))
    given.update(path or {})
    return given


def parse_json_object(body: bytes) -> dict[str, Any]:
    """A JSON object without repeated names, NaN or lone surrogates. Raises MalformedBody."""
    try:
        value = json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
        utf8(json.dumps(value, ensure_ascii=False))
    except (ValueError, RecursionError) as error:
        raise errors.MalformedBody(reason="it is not valid JSON") from error
    if not isinstance(value, dict):
        raise errors.MalformedBody(reason="a JSON object is expected")
    return value


def bad_parameter(error: ValidationError) -> errors.BadParameter:
    """The first thing that pydantic found wrong, as an error that names field, value and what is allowed."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "parameters"
    if first["type"] == "missing":
        return errors.BadParameter(field=field, value="nothing", allowed="this parameter is required")
    return errors.BadParameter(field=field, value=shorten(first["input"]), allowed=first["msg"])


def shorten(value: object) -> str:
    """A value as people may see it again: shortened, on one line."""
    text = repr(value)
    return text if len(text) <= MAX_VALUE_CHARS else text[: MAX_VALUE_CHARS - 1] + "…"


def _media_type(request: HTTPServerRequest) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _last_values(arguments: Mapping[str, list[bytes]]) -> dict[str, Any]:
    try:
        return {name: values[-1].decode() for name, values in arguments.items()}
    except UnicodeDecodeError as error:
        raise errors.MalformedBody(reason="it is not UTF-8") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
