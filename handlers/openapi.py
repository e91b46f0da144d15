"""The OpenAPI 3.1 document, built from the table of routes, the parameters, the answers and the errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from handlers import schemas as answers
from handlers.account import ChangeUserHandler, DeleteUserHandler
from handlers.base import ApiHandler, in_contract, status_of
from handlers.events import TaskEventsHandler
from handlers.export import ExportHandler
from handlers.feed import FeedHandler
from handlers.health import HealthHandler
from handlers.images import ChangeImageHandler, DeleteImageHandler, QueryImageHandler
from handlers.preview import PreviewHandler, PreviewParams
from handlers.session import SessionHandler
from handlers.styles import StylesHandler
from handlers.tasks import (
    AddTaskHandler,
    AddTaskParams,
    CancelTaskHandler,
    PauseQueueHandler,
    QueryTasksHandler,
    ResumeQueueHandler,
    RetryTaskHandler,
)
from handlers.thumbnail import ThumbnailHandler
from handlers.uploads import RegisterImageHandler, UploadCallbackHandler, UploadTokenHandler
from handlers.users import AddUserHandler, FollowHandler, QueryUserHandler, SignOutHandler
from models.errors import all_errors
from processing.mosaic import STYLES

Json = dict[str, Any]
Route = tuple[str, type[ApiHandler], str]
Stated = type[BaseModel] | str
"""What a success is: a schema, or the media type of something that is not JSON."""

SCHEMAS = "#/components/schemas/"
JSON_TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
TITLE = "Tessera"
VERSION = "1"

RESPONSE_MODELS: dict[type[ApiHandler], Stated] = {
    AddUserHandler: answers.SuccessResponse,
    QueryUserHandler: answers.UserResponse,
    FollowHandler: answers.SuccessResponse,
    SignOutHandler: answers.SuccessResponse,
    ChangeUserHandler: answers.SuccessResponse,
    DeleteUserHandler: answers.DeletionResponse,
    ExportHandler: "application/zip",
    SessionHandler: answers.SessionResponse,
    UploadTokenHandler: answers.UploadTokenResponse,
    UploadCallbackHandler: answers.UploadResponse,
    RegisterImageHandler: answers.RegisterImageResponse,
    QueryImageHandler: answers.ImageResponse,
    ChangeImageHandler: answers.ImageResponse,
    DeleteImageHandler: answers.SuccessResponse,
    ThumbnailHandler: "image/webp",
    FeedHandler: answers.FeedResponse,
    StylesHandler: answers.StylesResponse,
    PreviewHandler: "image/*",
    AddTaskHandler: answers.TaskResponse,
    QueryTasksHandler: answers.QueueResponse,
    TaskEventsHandler: "text/event-stream",
    CancelTaskHandler: answers.TaskResponse,
    RetryTaskHandler: answers.TaskResponse,
    PauseQueueHandler: answers.PausedResponse,
    ResumeQueueHandler: answers.PausedResponse,
    HealthHandler: answers.HealthResponse,
}
"""What a success of each endpoint is."""

TAGS = {
    "People": ("/api/user/", "/api/session"),
    "Pictures": ("/api/image/", "/thumbnail/", "/api/feed"),
    "Tasks": ("/api/styles", "/api/preview", "/api/tasks/", "/tasks/"),
    "For those who run it": ("/",),
}
"""Chapters of the document and of docs/api.md, and how the paths of each begin; the first that fits."""

EXTRA_PATHS = {
    "/metrics": ("Counters in the formats of Prometheus.", "text/plain"),
    "/api/openapi.json": ("This document.", "application/json"),
    "/api/docs": ("This document as a page for people.", "text/html"),
}
"""What is served beside the table: path, summary and media type. They take no parameters and refuse nothing."""


class OpenApiHandler(ApiHandler):
    """This document."""

    methods = ("GET",)

    document: Callable[[], Json]

    async def get(self, **_: str) -> None:
        self.set_header("Cache-Control", "public, max-age=60")
        self.finish(self.document())


def openapi_document(routes: Sequence[Route], stated: Mapping[type[ApiHandler], Stated] = RESPONSE_MODELS) -> Json:
    """routes: path, handler and its parts. stated: what each handler answers."""
    models = {handler.params for _, handler, _ in routes}
    models |= {answer for answer in stated.values() if not isinstance(answer, str)} | {answers.ErrorResponse}
    models |= {style.params for style in STYLES.values()}
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template=SCHEMAS + "{model}",
    )
    components: Json = schemas["$defs"]
    components["Refusal"]["properties"]["error"]["enum"] = sorted(kind.slug for kind in all_errors())
    recipes = [_recipe(name, components.pop(style.params.__name__)) for name, style in STYLES.items()]
    components["Recipe"] = {"oneOf": recipes}
    for parameters in (AddTaskParams, PreviewParams):
        said = components[parameters.__name__]["properties"]["param"]
        said["description"] = "a style's name, or a recipe as a JSON object (schema Recipe)"
    paths = {_template(path): _path_item(path, handler, stated[handler], components) for path, handler, _ in routes}
    paths |= {path: {"get": _plain(path, *said)} for path, said in EXTRA_PATHS.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": "Photos into mosaics; docs/api.md tells more."},
        "tags": [{"name": tag} for tag in TAGS],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
            },
        },
    }


def _tag(path: str) -> str:
    """The chapter of docs/api.md."""
    return next(tag for tag, beginnings in TAGS.items() if path.startswith(beginnings))


def _plain(path: str, summary: str, media_type: str) -> Json:
    content = {media_type: {"schema": {"type": "object" if media_type == "application/json" else "string"}}}
    return {
        "operationId": f"get{re.sub('[^a-z]+', '-', path)}",
        "summary": summary,
        "tags": [_tag(path)],
        "parameters": [],
        "responses": {
            "200": {"description": "Success", "content": content},
            "304": {"description": "You have it already (If-None-Match)"},
        },
    }


def _recipe(style: str, params: Json) -> Json:
    """One style's parameters with its name, which a recipe says as `style`."""
    named: Json = {"style": {"const": style}, "version": {"type": "integer", "minimum": 1}}
    own = {name: _to_json_schema(said) for name, said in params["properties"].items()}
    return {**params, "title": f"Recipe of {style}", "properties": named | own, "required": ["style"]}


def _to_json_schema(said: Json) -> Json:
    """A parameter without the engine's own kinds (palette, regions, ...), which a form knows and JSON does not.

    A default of null means that the engine chooses where nothing is said: it is no value that one could send.
    """
    said = {word: value for word, value in said.items() if word != "default" or value is not None}
    kind = said.get("type", "null")
    return said if kind in JSON_TYPES else {**{k: v for k, v in said.items() if k != "type"}, "x-kind": kind}


def _path_item(path: str, handler: type[ApiHandler], stated: Stated, components: Json) -> Json:
    return {method.lower(): _operation(path, method, handler, stated, components) for method in handler.methods}


def _operation(
    path: str, method: Literal["GET", "POST"], handler: type[ApiHandler], stated: Stated, components: Json
) -> Json:
    schema = components[handler.params.__name__]
    in_path = re.findall(r"\(\?P<(\w+)>", path)
    operation: Json = {
        "operationId": f"{method.lower()}{re.sub('[^a-z]+', '-', _template(path))}".rstrip("-"),
        "summary": (handler.__doc__ or "").strip().splitlines()[0],
        "tags": [_tag(_template(path))],
        "parameters": _parameters(schema, in_path, in_query=method == "GET"),
        "responses": _responses(handler, stated),
        "security": [{}, {"bearer": []}, {"cookie": []}],
    }
    if method == "POST" and schema.get("properties"):
        content = {"schema": {"$ref": SCHEMAS + handler.params.__name__}}
        operation["requestBody"] = {"content": dict.fromkeys(handler.content_types, content)}
    return operation


def _parameters(schema: Json, in_path: Sequence[str], *, in_query: bool) -> list[Json]:
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in in_path or name in required,
            "schema": said,
        }
        for name, said in schema.get("properties", {}).items()
        if in_query or name in in_path
    ]


def _responses(handler: type[ApiHandler], stated: Stated) -> Json:
    refusal: Json = {"$ref": SCHEMAS + "Refusal"}
    if isinstance(stated, str):
        content: Json = {stated: {"schema": {"type": "string"}}}
    else:
        success: Json = {"$ref": SCHEMAS + stated.__name__}
        content = {"application/json": {"schema": {"anyOf": [success, refusal]} if handler.errors_as_200 else success}}
    said = "Success, or what the contract refuses" if handler.errors_as_200 else "Success"
    responses: Json = {"200": {"description": said, "content": content}}
    if isinstance(stated, str) and stated.startswith("image/") and "GET" in handler.methods:
        responses["304"] = {"description": "You have it already (If-None-Match)"}
    if stated is answers.HealthResponse:
        refusal = {"anyOf": [success, refusal]}
    for status in sorted(_statuses(handler)):
        responses[str(status)] = {"description": "Refusal", "content": {"application/json": {"schema": refusal}}}
    return responses


def _statuses(handler: type[ApiHandler]) -> set[int]:
    """Every status that a refusal of this endpoint may have."""
    return {status_of(kind) for kind in all_errors() if not (handler.errors_as_200 and in_contract(kind))}


def _template(path: str) -> str:
    """A path of the table as OpenAPI writes it: `/thumbnail/{id}/{width}`."""
    return re.sub(r"\(\?P<(\w+)>[^)]+\)", r"{\1}", path)
