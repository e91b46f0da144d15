"""JSON objects from requests, without what JSON readers interpret differently."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from models.errors import MalformedBody, Phrase


def parse_json_object(body: bytes) -> dict[str, Any]:
    """A JSON object without repeated names, NaN or lone surrogates. Raises MalformedBody."""
    try:
        value = json.loads(body, object_pairs_hook=unique, parse_constant=_reject_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedBody(reason=Phrase("it is not valid JSON", "不是有效的 JSON")) from error
    if not isinstance(value, dict):
        raise MalformedBody(reason=Phrase("a JSON object is expected", "应为 JSON 对象"))
    return value


def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a dictionary. Raises MalformedBody if a name is repeated."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise MalformedBody(reason=Phrase("a name is repeated", "名称重复"))
        values[name] = value
    return values


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
