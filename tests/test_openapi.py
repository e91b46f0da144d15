"""The OpenAPI document, the table of routes and the real answers say the same."""

from __future__ import annotations

import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from handlers import API
from handlers.openapi import EXTRA_PATHS, RESPONSE_MODELS
from models.errors import all_errors
from processing.mosaic import STYLES
from tests.support.client import ApiClient
from tests.support.openapi_check import check_response, document


@pytest.mark.gen_test
async def test_the_document_is_served_as_it_is_built(api: ApiClient) -> None:
    served = await api.get("/api/openapi.json")

    assert (served.status, served["openapi"]) == (200, "3.1.0")
    assert served.json == document()


def test_every_route_and_method_is_described_and_nothing_else() -> None:
    described = {(path, method.upper()) for path, item in document()["paths"].items() for method in item}

    served = {
        (re.sub(r"\(\?P<(\w+)>[^)]+\)", r"{\1}", path), method)
        for path, handler, _ in API
        for method in handler.methods
    }
    assert described == served | {(path, "GET") for path in EXTRA_PATHS}
    assert set(RESPONSE_MODELS) == {handler for _, handler, _ in API}


def test_every_error_and_every_style_is_in_the_document() -> None:
    components = document()["components"]["schemas"]

    assert components["Refusal"]["properties"]["error"]["enum"] == sorted(kind.slug for kind in all_errors())
    recipes = {recipe["properties"]["style"]["const"] for recipe in components["Recipe"]["oneOf"]}
    assert recipes == set(STYLES)


def test_operations_have_names_of_their_own_and_every_schema_is_sound() -> None:
    operations = [operation for item in document()["paths"].values() for operation in item.values()]

    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for operation in operations)
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_the_document_is_openapi_to_a_validator_that_is_not_ours() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


@pytest.mark.gen_test
async def test_what_is_served_beside_the_table_is_what_the_document_says(api: ApiClient) -> None:
    for path, (_, media_type) in EXTRA_PATHS.items():
        answer = await api.get(path)

        assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (200, media_type)


@pytest.mark.gen_test
async def test_an_answer_that_is_not_described_fails_whatever_test_sees_it(api: ApiClient) -> None:
    answer = await api.get("/api/session/")
    odd = type(answer)(answer.status, answer.headers, answer.body.replace(b'"access"', b'"excess"'))

    with pytest.raises(AssertionError, match="not described"):
        check_response("GET", "/api/session/", odd)
    with pytest.raises(AssertionError, match="not described"):
        check_response("GET", "/api/session", type(answer)(418, answer.headers, answer.body))


@pytest.mark.gen_test
async def test_the_page_for_people_names_every_route_and_needs_nothing_from_elsewhere(api: ApiClient) -> None:
    page = await api.get("/api/docs/")

    text = page.body.decode()
    assert page.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert all(f"<h2><code>{path}</code></h2>" in text for path in document()["paths"])
    links = set(re.findall(r'(?:src|href)=["\']([^#"\'][^"\']*)', text))
    assert links == {"/static/reference.css", "/api/openapi.json"}
    assert "<script" not in text
    anchors = set(re.findall(r'id="([^"]+)"', text))
    assert set(re.findall(r'href=["\']#([^"\']+)', text)) <= anchors
