"""Parameters of a request, from the query string, a form or a JSON body, and the types that several endpoints share.

A value in the body wins over one in the query string; of a repeated name the last value counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from tornado.httputil import HTTPServerRequest

from handlers.param_errors import allowed_by
from models import errors
from models.database import MAX_ID
from models.errors import Phrase
from models.json_object import parse_json_object
from models.passwords import MAXIMUM_BYTES
from models.users import username_key

MAX_VALUE_CHARS = 60
EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
INVISIBLE = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
"""Unicode categories of characters that a username may not contain."""
FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters of other categories that are not visible: fillers, joiners, variation selectors."""
LOOK_ALIKE_SCRIPTS = frozenset(("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"))
"""Scripts with letters that look the same. A name that mixes them imitates another one."""


def _clean_username(name: str) -> str:
    name = name.strip()
    has_invisible = FILLERS.search(name) or any(unicodedata.category(character) in INVISIBLE for character in name)
    if not username_key(name) or has_invisible:
        raise ValueError(Phrase("1 to 64 characters, none of them invisible", "1 到 64 个可见字符"))
    letters = [character for character in unicodedata.normalize("NFKC", name) if character.isalpha()]
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters} & LOOK_ALIKE_SCRIPTS
    if len(scripts) > 1:
        raise ValueError(Phrase("letters of one script, not several that look alike", "不能混用字母形近的不同文字"))
    return " ".join(name.split())


def _clean_email(email: str) -> str:
    if not EMAIL.fullmatch(email.strip()):
        raise ValueError(Phrase("an address such as name@example.com", "形如 name@example.com 的地址"))
    return email.strip()


Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Username = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_clean_username)]
Email = Annotated[str, Field(min_length=3, max_length=254), AfterValidator(_clean_email)]
Password = Annotated[str, Field(max_length=MAXIMUM_BYTES)]
RecipeParam = Annotated[
    str | dict[str, Any], Field(description="a style's name, or a recipe as a JSON object (schema Recipe)")
]


class RequestParams(BaseModel):
    """The parameters of one endpoint."""

    model_config = ConfigDict(frozen=True)


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
    """Raises BadParameter, which names the first field that is wrong, its value and what is allowed."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "parameters"
        value = Phrase("nothing", "空值") if first["type"] == "missing" else shorten(first["input"])
        raise errors.BadParameter(field=field, value=value, allowed=allowed_by(first)) from error


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
        raise errors.MalformedBody(reason="it is not UTF-8") from error
