"""Validates every response in tests against the OpenAPI document: status and body."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from handlers import API
from handlers.openapi import openapi_document

if TYPE_CHECKING:
    from tests.support.client import ApiResponse


@cache
def document() -> dict[str, Any]:
    return openapi_document(API)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {
        template: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)) + "/?")
        for template in document()["paths"]
    }


@cache
def _validator(template: str, method: str, status: str) -> Draft202012Validator | None:
    """None if the response is not JSON."""
    content = document()["paths"][template][method]["responses"][status]["content"]
    media_type = content.get("application/json")
    return media_type and Draft202012Validator({**media_type["schema"], "components": document()["components"]})


_valid: dict[tuple[str, str, str], bytes] = {}
"""The last valid body by template, method and status: who waits for a change asks many times and gets the same."""


def check_response(method: str, path: str, answer: ApiResponse) -> None:
    """Ignores what the document does not describe: pages, files, the bucket, methods that are not allowed."""
    template = next((path_template for path_template, pattern in _patterns().items() if pattern.fullmatch(path)), None)
    if template is None or method.lower() not in document()["paths"][template]:
        return
    responses = document()["paths"][template][method.lower()]["responses"]
    assert str(answer.status) in responses, f"{method} {path} returned {answer.status}, which is not described"
    if answer.headers.get("Content-Type", "").startswith("application/json"):
        described = (template, method.lower(), str(answer.status))
        if _valid.get(described) == answer.body:
            return
        validator = _validator(*described)
        assert validator is not None, f"{method} {path} returned JSON, which is not described"
        mistakes = [error.message for error in validator.iter_errors(answer.json)]
        assert not mistakes, f"{method} {path} returned what is not described: {mistakes}"
        _valid[described] = answer.body
