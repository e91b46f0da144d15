"""Validates every response in tests against the OpenAPI document: status, body and error."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from handlers import API
from handlers.openapi import openapi_document
from models.errors import NoSuchPath

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
        _check_error(method, path, answer, responses[str(answer.status)]["description"])
        described = (template, method.lower(), str(answer.status))
        if _valid.get(described) == answer.body:
            return
        validator = _validator(*described)
        assert validator is not None, f"{method} {path} returned JSON, which is not described"
        mistakes = [error.message for error in validator.iter_errors(answer.json)]
        assert not mistakes, f"{method} {path} returned what is not described: {mistakes}"
        _valid[described] = answer.body


def _check_error(method: str, path: str, answer: ApiResponse, description: str) -> None:
    """An endpoint declares every error that it answers: the document lists them by status.

    A path of no route may fit into the template of one.
    """
    if answer.body.startswith(b'{"code":-') and (slug := answer.json.get("error")) is not None:
        declared = {*re.findall(r"\w+", description), NoSuchPath.slug}
        assert slug in declared, f"{method} {path} answered {slug}, which it does not declare"
