"""The OpenAPI document, the route table and the real responses agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from handlers import API
from handlers.access_log import template_of
from handlers.base import is_contract_error, status_of
from handlers.openapi import SCHEMA_KEYWORDS
from models.errors import all_errors
from processing.mosaic import STYLES
from tests.support.client import ApiClient
from tests.support.openapi_check import check_response, document


@pytest.mark.gen_test
async def test_the_server_sends_the_document(api: ApiClient) -> None:
    served = await api.get("/api/openapi.json")

    assert (served.status, served["openapi"]) == (200, "3.1.0")
    assert served.json == document()


def test_the_document_describes_every_route_and_method_and_nothing_else() -> None:
    described = {(path, method.upper()) for path, item in document()["paths"].items() for method in item}

    assert described == {(template_of(path), method) for path, handler in API for method in handler.endpoints()}


def test_an_endpoint_lists_the_errors_that_it_declares_and_no_others() -> None:
    paths = document()["paths"]
    everywhere = {400, 413, 421, 500, 503}

    for path, handler in API:
        for method, endpoint in handler.endpoints().items():
            declared = {
                200 if handler.errors_as_200 and is_contract_error(error) else status_of(error)
                for error in endpoint.possible_errors
            }
            listed = {int(status) for status in paths[template_of(path)][method.lower()]["responses"]}
            assert listed - {304} == declared | {200}, path
            assert everywhere <= listed, path
    assert set(paths["/api/styles"]["get"]["responses"]) == {"200", "304", *map(str, everywhere)}


def test_every_error_and_every_style_is_in_the_document() -> None:
    components = document()["components"]["schemas"]

    assert components["ErrorResponse"]["properties"]["error"]["enum"] == sorted(kind.slug for kind in all_errors())
    recipe = components["Recipe"]
    mapping = recipe["discriminator"]["mapping"]
    assert set(mapping) == set(STYLES)
    assert list(mapping.values()) == [each["$ref"] for each in recipe["oneOf"]]
    for name, reference in mapping.items():
        assert components[reference.rpartition("/")[2]]["properties"]["style"]["const"] == name


def test_operation_ids_are_unique_and_every_schema_is_valid() -> None:
    operations = [operation for item in document()["paths"].values() for operation in item.values()]

    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    assert all(operation["summary"] for operation in operations)
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
        assert "None" not in schema.get("description", ""), "JSON says null"


def test_an_independent_validator_accepts_the_document() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_schemas_have_standard_words_and_arrays_their_items() -> None:
    def faults(schema: Any, place: str) -> Iterator[str]:
        if not isinstance(schema, dict):
            return
        yield from (f"{place}: {key}" for key in schema.keys() - SCHEMA_KEYWORDS if not key.startswith("x-"))
        if schema.get("type") == "array" and "items" not in schema:
            yield f"{place}: an array without items"
        for key in ("anyOf", "oneOf", "allOf"):
            for number, each in enumerate(schema.get(key, [])):
                yield from faults(each, f"{place}/{key}/{number}")
        for name, each in schema.get("properties", {}).items():
            yield from faults(each, f"{place}/{name}")
        yield from faults(schema.get("items"), f"{place}/items")

    schemas = document()["components"]["schemas"]
    assert [fault for name, schema in schemas.items() for fault in faults(schema, name)] == []


def test_a_recipe_is_a_string_or_an_object_of_the_schema() -> None:
    properties = document()["components"]["schemas"]["AddTaskParams"]["properties"]

    string_or_recipe = [{"type": "string"}, {"$ref": "#/components/schemas/Recipe"}]
    assert properties["param"]["anyOf"] == properties["model"]["anyOf"][0]["anyOf"] == string_or_recipe
    body = document()["paths"]["/api/tasks/add"]["post"]["requestBody"]
    assert body["required"] is True
    assert list(body["content"]) == ["application/json"]  # some generators would send several types at once


@pytest.mark.parametrize("path", ["/metrics", "/api/openapi.json"])
@pytest.mark.gen_test
async def test_a_response_without_a_schema_has_the_media_type_of_the_document(api: ApiClient, path: str) -> None:
    response = await api.get(path)

    media_types = document()["paths"][path]["get"]["responses"]["200"]["content"]
    assert response.status == 200
    assert response.headers["Content-Type"].partition(";")[0] in media_types


@pytest.mark.gen_test
async def test_a_response_that_is_not_described_fails_every_test_that_sees_it(api: ApiClient) -> None:
    response = await api.get("/api/session/")
    other = type(response)(response.status, response.headers, response.body.replace(b'"access"', b'"excess"'))

    with pytest.raises(AssertionError, match="not described"):
        check_response("GET", "/api/session/", other)
    with pytest.raises(AssertionError, match="not described"):
        check_response("GET", "/api/session", type(response)(418, response.headers, response.body))
    refused = await api.new_client().get("/api/user/export/")
    undeclared = refused.body.replace(b'"no_session"', b'"guest_limit"')
    with pytest.raises(AssertionError, match="guest_limit, which it does not declare"):
        check_response("GET", "/api/user/export/", type(refused)(refused.status, refused.headers, undeclared))
