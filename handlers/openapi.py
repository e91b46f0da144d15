"""The OpenAPI 3.1 document, built from the route table and from what each endpoint declares."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from handlers.base import ApiHandler, is_contract_error, status_of
from handlers.code_samples import code_samples
from handlers.endpoint import Endpoint, endpoint
from handlers.schemas.base import ErrorResponse
from models.errors import TesseraError, all_errors
from processing import mosaic_lazy as mosaic

Json = dict[str, Any]
ApiRoute = tuple[str, type[ApiHandler]]

JSON = "application/json"
REF = "#/components/schemas/"
SCHEMA_KEYWORDS = frozenset(
    [
        "type",
        "title",
        "description",
        "default",
        "enum",
        "const",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "items",
        "minItems",
        "maxItems",
        "uniqueItems",
        "properties",
        "required",
        "additionalProperties",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "$ref",
        "discriminator",
        "examples",
    ]
)
ANY_OBJECT = {"additionalProperties": True, "type": "object"}
JSON_TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
TITLE = "Tessera"
VERSION = "1"

LICENSE = {"name": "MIT", "identifier": "MIT"}
TAG_TEXTS = {
    "Users": "Accounts, sessions, and who follows whom.",
    "Images": "Uploads, pictures, thumbnails and the gallery.",
    "Tasks": "Styles, previews, and the queue in which mosaics are made.",
    "Operators": "The queue for developers, health, metrics, and this document.",
}
TAGS = {
    "Users": ("/api/user/", "/api/session"),
    "Images": ("/api/image/", "/thumbnail/", "/api/feed"),
    "Tasks": ("/api/styles", "/api/preview", "/api/rendition", "/api/tasks/", "/tasks/"),
    "Operators": ("/",),
}
"""Sections of the document and of docs/api.md, with the prefixes of their paths; the first match counts."""


class OpenApiDocument:
    """The document of a route table, built when it is first requested. base_path: of the site on its host."""

    def __init__(self, routes: Sequence[ApiRoute], base_path: str = "") -> None:
        self._routes, self._base_path = routes, base_path

    @cached_property
    def json(self) -> Json:
        return openapi_document(self._routes, self._base_path)


class OpenApiHandler(ApiHandler):
    def initialize(self, openapi: OpenApiDocument) -> None:
        self.openapi = openapi

    @endpoint(media_type=JSON)
    async def get(self) -> None:
        """This document."""
        self.set_header("Cache-Control", "public, max-age=60")
        self.finish(self.openapi.json)


def openapi_document(routes: Iterable[ApiRoute], base_path: str = "") -> Json:
    """The document as JSON values. base_path: of the site on its host."""
    operations = [
        (path, method, handler, each) for path, handler in routes for method, each in handler.endpoints().items()
    ]
    components = _schemas([each for *_, each in operations])
    paths: Json = {}
    for path, method, handler, each in operations:
        item = paths.setdefault(_template(path), {})
        item[method.lower()] = _operation(path, method, handler, each, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "description": "Turns photos into mosaics. Bodies may be forms too. See docs/api.md.",
            "contact": {"name": TITLE},
            "license": LICENSE,
        },
        "servers": [{"url": base_path or "/"}],
        "tags": [{"name": tag, "description": TAG_TEXTS[tag]} for tag in TAGS],
        "paths": paths,
        "components": {
            "schemas": _referenced(components, paths),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
            },
        },
    }


def _schemas(endpoints: Iterable[Endpoint]) -> Json:
    """Parameters as they are validated, responses as they are written, and the recipes of all styles."""
    models: dict[type, JsonSchemaMode] = {ErrorResponse: "serialization"}
    for each in endpoints:
        models |= {each.params: "validation"} if each.params is not None else {}
        models |= dict.fromkeys((*each.response_models, *each.responses.values()), "serialization")
    models |= {style.params: "validation" for style in mosaic.STYLES.values()}
    adapters = ((model.__name__, mode, TypeAdapter[Any](model)) for model, mode in models.items())
    _, schemas = TypeAdapter.json_schemas(sorted(adapters), ref_template=REF + "{model}")
    components: Json = schemas["$defs"]
    components["ErrorResponse"]["properties"]["error"]["enum"] = sorted(kind.slug for kind in all_errors())
    recipes = {
        f"{name.title()}Recipe": _recipe(name, components.pop(style.params.__name__))
        for name, style in mosaic.STYLES.items()
    }
    references = {schema["properties"]["style"]["const"]: REF + name for name, schema in recipes.items()}
    components |= recipes
    components["Recipe"] = {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "style", "mapping": references},
    }
    for schema in components.values():
        _refer_to_recipe(schema)
    return components


def _refer_to_recipe(schema: Json) -> None:
    """Where a parameter is the name of a style or any object, that object is a recipe."""
    for each in schema.get("properties", {}).values():
        for union in (each, *each.get("anyOf", ())):
            if ANY_OBJECT in union.get("anyOf", ()) and "Recipe" in union.get("description", ""):
                union["anyOf"] = [{"$ref": f"{REF}Recipe"} if kind == ANY_OBJECT else kind for kind in union["anyOf"]]


def _referenced(components: Json, paths: Json) -> Json:
    """The schemas that paths lead to; parameters of a GET are written out where they are used."""
    text, names = json.dumps(paths), set[str]()
    while fresh := {name for name in components if f'"{REF}{name}"' in text} - names:
        names |= fresh
        text = json.dumps([components[name] for name in fresh])
    return {name: schema for name, schema in components.items() if name in names}


def _recipe(style: str, params: Json) -> Json:
    """The parameters of a style, and its name as `style`."""
    common: Json = {"style": {"const": style}, "version": {"type": "integer", "minimum": 1}}
    own = {name: _to_json_schema(schema) for name, schema in params["properties"].items()}
    description = {"description": params["description"].replace("None", "null")} if "description" in params else {}
    return {**params, **description, "title": f"Recipe of {style}", "properties": common | own, "required": ["style"]}


def _to_json_schema(schema: Json) -> Json:
    """The schema of a parameter without the engine's own types (palette, regions, ...), which JSON does not have.

    A default of null is removed: it means that the engine chooses. Where null can be sent, type and range are those of
    the alternatives, not of the whole.
    """
    kind = schema.get("type", "null")
    dropped = {"default"} if schema.get("default") is None else set[str]()
    if kind not in JSON_TYPES:
        dropped |= {"type"}
        schema = {**schema, "x-kind": kind}
    elif "anyOf" in schema:
        dropped |= {"type", "minimum", "maximum"}
    schema = {key: value for key, value in schema.items() if key not in dropped}
    return _standard(schema)


def _standard(schema: Json) -> Json:
    """The schema with `x-` before words that JSON Schema does not have, and `items` in place of equal `prefixItems`."""
    standard: Json = {}
    for key, value in schema.items():
        if key == "prefixItems" and all(item == value[0] for item in value):
            standard["items"] = _standard(value[0])
        elif key in ("anyOf", "oneOf", "allOf"):
            standard[key] = [_standard(each) for each in value]
        elif key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            standard[key] = _standard(value)
        else:
            standard[key if key in SCHEMA_KEYWORDS or key.startswith("x-") else f"x-{key}"] = value
    return standard


def _operation(path: str, method: str, handler: type[ApiHandler], each: Endpoint, components: Json) -> Json:
    template = _template(path)
    operation: Json = {
        "operationId": f"{method.lower()}{re.sub('[^a-z]+', '-', template)}".rstrip("-"),
        "summary": each.summary,
        "description": each.description,
        "tags": [next(tag for tag, prefixes in TAGS.items() if template.startswith(prefixes))],
        "parameters": [],
        "responses": _responses(method, handler, each),
        "security": [{}, {"bearer": []}, {"cookie": []}],
    }
    if each.params is not None:
        schema = components[each.params.__name__]
        in_path = re.findall(r"\(\?P<(\w+)>", path)
        operation["parameters"] = _parameters(schema, in_path, in_query=method == "GET")
        if method == "POST" and schema.get("properties"):
            # One media type: several with one schema are several bodies at once for some generators of clients.
            content = {handler.content_types[0]: {"schema": {"$ref": REF + each.params.__name__}}}
            operation["requestBody"] = {"required": bool(schema.get("required")), "content": content}
    operation["x-codeSamples"] = code_samples(
        template,
        method,
        components[each.params.__name__].get("required", []) if each.params is not None else [],
        body_types=handler.content_types if method == "POST" else (),
        answer=each.media_type or JSON,
    )
    return operation


def _parameters(schema: Json, in_path: Sequence[str], *, in_query: bool) -> list[Json]:
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in in_path or name in required,
            "schema": property_schema,
        }
        for name, property_schema in schema.get("properties", {}).items()
        if in_query or name in in_path
    ]


def _responses(method: str, handler: type[ApiHandler], each: Endpoint) -> Json:
    success = [{"$ref": REF + model.__name__} for model in each.response_models]
    failure: Json = {"$ref": REF + ErrorResponse.__name__}
    by_status: dict[int, list[type[TesseraError]]] = {}
    for error in each.possible_errors:
        as_200 = handler.errors_as_200 and is_contract_error(error)
        by_status.setdefault(200 if as_200 else status_of(error), []).append(error)
    with_200 = by_status.pop(200, [])
    if each.media_type:
        content: Json = {each.media_type: {"schema": {"type": "object" if each.media_type == JSON else "string"}}}
    else:
        content = {JSON: {"schema": _any_of([*success, *([failure] if with_200 else [])])}}
    responses: Json = {"200": {"description": _describe("Success", with_200), "content": content}}
    if method == "GET" and each.media_type != "text/event-stream":
        responses["304"] = {"description": "Not modified (If-None-Match)"}
    for status in sorted(by_status):
        further = [{"$ref": REF + each.responses[status].__name__}] if status in each.responses else []
        schema = _any_of([*further, failure])
        responses[str(status)] = {
            "description": _describe("Error", by_status[status]),
            "content": {JSON: {"schema": schema}},
        }
    return responses


def _describe(kind: str, errors: Sequence[type[TesseraError]]) -> str:
    slugs = ", ".join(dict.fromkeys(error.slug for error in errors))
    return f"{kind}: {slugs}" if kind == "Error" else f"{kind}, or {slugs}" if slugs else kind


def _any_of(schemas: list[Json]) -> Json:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _template(path: str) -> str:
    """A path of the table in OpenAPI's notation: `/thumbnail/{id}/{width}`."""
    return re.sub(r"\(\?P<(\w+)>[^)]+\)", r"{\1}", path).replace("\\", "")
