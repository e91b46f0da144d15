"""What endpoints declare, and that protection against forged requests is on unless one says why not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tornado.web
from pydantic import TypeAdapter

from handlers import ROUTES
from handlers.base import ApiHandler
from handlers.bucket.base import BucketHandler
from handlers.endpoint import Endpoint, endpoint
from handlers.params import RequestParams
from handlers.schemas.base import SuccessResponse
from handlers.services import Services
from models import errors
from tests.support.client import ApiClient

CSRF_EXEMPT = {
    "AddUserHandler.get",
    "AddUserHandler.post",
    "PreviewHandler.post",
    "QueryTasksHandler.get",
    "QueryTasksHandler.post",
    "QueryUserHandler.get",
    "QueryUserHandler.post",
    "PreviewSourceHandler.post",
    "RenditionHandler.post",
    "UploadCallbackHandler.post",
}
"""Adding a name here needs a reason beside the endpoint; docs/security.md explains the check."""


class EchoParams(RequestParams):
    number: int


class EchoResponse(SuccessResponse):
    number: int


class EchoHandler(ApiHandler):
    @endpoint(errors=(errors.NotFound,))
    async def post(self, params: EchoParams) -> EchoResponse:
        """Answer with the number."""
        return EchoResponse(number=params.number)

    get = post


class EndlessHandler(ApiHandler):
    timeout_s = 0.01

    @endpoint()
    async def get(self) -> SuccessResponse:
        """Wait for a database that never answers."""
        await asyncio.Event().wait()
        return SuccessResponse()


def methods_of(handler: type[tornado.web.RequestHandler]) -> Iterator[tuple[str, Any]]:
    """The HTTP methods that a handler of ours implements."""
    for name in ("get", "post", "put", "patch", "delete"):
        method = getattr(handler, name)
        if isinstance(method, Endpoint) or not method.__module__.startswith("tornado."):
            yield name, method


def test_every_method_that_may_change_state_is_protected_or_listed() -> None:
    """Only the embedded bucket has methods of its own: tokens authorise them, and it never reads a cookie."""
    exempt = set()
    for _, handler in ROUTES:
        methods = dict(methods_of(handler))
        for name, method in methods.items():
            if isinstance(method, Endpoint):
                if "post" in methods and methods["post"] is method and not method.is_csrf_protected:
                    assert method.csrf_exempt
                    exempt.add(f"{handler.__name__}.{name}")
            elif name != "get":
                assert issubclass(handler, BucketHandler), f"{handler.__name__}.{name} is not an endpoint"

    assert exempt == CSRF_EXEMPT


def test_an_endpoint_reads_its_declaration_from_the_annotations() -> None:
    declared = EchoHandler.post

    assert isinstance(declared, Endpoint)
    assert EchoHandler.get is declared
    assert EchoHandler.endpoints() == {"GET": declared, "POST": declared}
    assert declared.params is EchoParams
    assert declared.response_models == (EchoResponse,)
    assert declared.summary == "Answer with the number."
    assert {errors.NotFound, errors.BadParameter, errors.CsrfError} <= set(declared.possible_errors)


@pytest.fixture
def app(services: Services) -> tornado.web.Application:
    return tornado.web.Application(
        [
            ("/echo", EchoHandler, {"authentication": services.authentication}),
            ("/endless", EndlessHandler, {"authentication": services.authentication}),
        ],
        cookie_secret="secret",
        log_function=lambda _: None,
    )


@pytest.mark.gen_test
async def test_a_new_endpoint_is_protected_without_asking_for_it(api: ApiClient) -> None:
    own = [await api.post("/echo", number=7), await api.get("/echo", number=7)]
    foreign = [
        await api.post("/echo", {"Sec-Fetch-Site": "cross-site"}, number=7),
        await api.post("/echo", {"Origin": "https://evil.example"}, number=7),
        await api.get("/echo", {"Sec-Fetch-Site": "cross-site"}, number=7),
        await api.get("/echo", {"Sec-Fetch-Site": "none"}, number=7),
    ]

    assert [answer.json for answer in own] == [{"code": 1, "number": 7}] * 2
    assert [(answer.status, answer["error"]) for answer in foreign] == [(403, "cross_site")] * 4


@pytest.mark.gen_test
async def test_a_wrong_parameter_and_a_wrong_method_are_refused(api: ApiClient) -> None:
    wrong = await api.post("/echo", number="seven")
    put = await api.request("PUT", "/echo", body=b"")

    assert (wrong.status, wrong["error"], wrong["field"]) == (400, "bad_parameter", "number")
    assert (put.status, put["error"], put.headers["Allow"]) == (405, "wrong_method", "GET, POST")


@pytest.mark.gen_test
async def test_what_outlasts_its_time_is_unavailable(api: ApiClient, expect_log: Callable[[str], None]) -> None:
    expect_log("GET /endless: database_unavailable")

    answer = await api.get("/endless")

    assert (answer.status, answer["error"]) == (503, "database_unavailable")


def test_every_response_model_forbids_fields_that_it_does_not_declare() -> None:
    models = {
        model
        for _, handler in ROUTES
        if issubclass(handler, ApiHandler)
        for each in handler.endpoints().values()
        for model in (*each.response_models, *each.responses.values())
    }

    schemas = [TypeAdapter(model).json_schema(mode="serialization") for model in models]
    assert all(schema["additionalProperties"] is False for schema in schemas)
    parts = [part for schema in schemas for part in schema.get("$defs", {}).values() if part["type"] == "object"]
    assert all(part["additionalProperties"] is False for part in parts)
