"""Parameters of a request, from the query string, a form or a JSON body, and the types that several endpoints share.

A value in the body wins over one in the query string; of a repeated name the last value counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from tornado.httputil import HTTPServerRequest

from handlers.param_errors import allowed_by
from models import errors
from models.accounts.emails import clean_email
from models.accounts.passwords import MAX_PASSWORD_LENGTH
from models.accounts.usernames import MAX_USERNAME_LENGTH, clean_username
from models.database import MAX_ID
from models.errors import Phrase
from models.json_object import parse_json_object

MAX_VALUE_CHARS = 60
MAX_TITLE_LENGTH = 200
MAX_ALT_LENGTH = 1000
MAX_IDS = 500
MAX_RENDITION_PX = 8192
MAX_REDUCTION = 32


Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Username = Annotated[str, Field(min_length=1, max_length=MAX_USERNAME_LENGTH), AfterValidator(clean_username)]
Email = Annotated[str, Field(min_length=3, max_length=254), AfterValidator(clean_email)]
Password = Annotated[str, Field(max_length=MAX_PASSWORD_LENGTH)]
Filename = Annotated[str, Field(max_length=1024)]
Title = Annotated[str, Field(max_length=MAX_TITLE_LENGTH)]
Param = Annotated[str, Field(max_length=20_000)]
RecipeParam = Annotated[
    str | dict[str, Any], Field(description="a style's name, or a recipe as a JSON object (schema Recipe)")
]


class RequestParams(BaseModel):
    """The parameters of one endpoint. Others are refused: a misspelt one would silently do nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ContractParams(RequestParams):
    """The parameters of an endpoint of the contract, whose clients may send others, which are ignored."""

    model_config = ConfigDict(extra="ignore")


P = TypeVar("P", bound=BaseModel)


def read_params(request: HTTPServerRequest, path: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All parameters by name; `path` adds those of the path.

    Raises MalformedBody for text that is not UTF-8 and JSON that is not an object.
    """
    values: dict[str, Any] = _last_values(request.query_arguments)
    if _media_type(request) == "application/json" and request.body:
        values.update(parse_json_object(request.body))
    else:
        values.update(_last_values(request.body_arguments))
    values.update(path or {})
    return values


def validate_params(model: type[P], values: Mapping[str, Any]) -> P:
    """Raises BadParameter, which names the first field that is wrong, its value and what is allowed.

    The value of a password is not repeated, nor that of an unknown parameter, which may be one with a misspelt name.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "parameters"
        allowed = _names(model) if first["type"] == "extra_forbidden" else allowed_by(first)
        raise errors.BadParameter(field=field, value=_describe_value(first), allowed=allowed) from None


def _describe_value(fault: ErrorDetails) -> Phrase | str:
    if fault["type"] == "missing":
        return Phrase("nothing", "空值")
    is_secret = fault["type"] == "extra_forbidden" or any("password" in str(part) for part in fault["loc"])
    return Phrase("this value", "这个值") if is_secret else shorten(fault["input"])


def _names(model: type[BaseModel]) -> Phrase:
    """Of the parameters that there are."""
    names = list(model.model_fields)
    return Phrase(f"no parameter of this name, only {', '.join(names)}", f"没有这个参数，只有 {'、'.join(names)}")


def shorten(value: object) -> str:
    """A value for an error message: on one line, at most MAX_VALUE_CHARS long."""
    text = repr(value)
    return text if len(text) <= MAX_VALUE_CHARS else text[: MAX_VALUE_CHARS - 1] + "…"


def _media_type(request: HTTPServerRequest) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _last_values(arguments: Mapping[str, list[bytes]]) -> dict[str, Any]:
    try:
        return {name: values[-1].decode() for name, values in arguments.items()}
    except UnicodeDecodeError as error:
        raise errors.MalformedBody(reason=Phrase("it is not UTF-8", "不是 UTF-8 编码")) from error
