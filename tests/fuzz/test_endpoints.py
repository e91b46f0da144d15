"""Every endpoint of the OpenAPI document, with requests that the document allows and requests that it forbids.

No response is a server error, and each fits the document, for anonymous clients and for signed-in users. The server is
a real process, so that its log shows what a response may hide.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from handlers import API
from handlers.access_log import template_of
from handlers.transport.http_server import HEADER_LIMIT_BYTES
from models.errors import NotAuthenticated
from settings import Settings
from tests.support.accounts import add_account_to
from tests.support.client import PASSWORD
from tests.support.openapi_check import document
from tests.support.process import ServerProcess

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 5
"""Allowed requests, and as many forbidden ones, for each method of each endpoint."""
SETTINGS = settings(
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CALLBACK = "/api/image/upload"
"""Only the bucket's signature authorises it."""
FOR_USERS = {
    template_of(path)
    for path, handler in API
    if any(NotAuthenticated in endpoint.possible_errors for endpoint in handler.endpoints().values())
} - {"/api/feed", "/api/user/guest"}
"""Endpoints that answer every valid request of an anonymous client with 401."""
STREAMS = re.compile("/tasks/events$")
OPERATIONS = [(path, method) for path, item in document()["paths"].items() for method in item]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
TIMEOUT_S = 120.0


@dataclass(frozen=True, eq=False)
class FuzzServer:
    """A real server, and the document as schemathesis reads it."""

    server: ServerProcess
    settings: Settings
    schema: Any

    def strategy(self, path: str, method: str, mode: GenerationMode) -> Any:
        """Of requests that the document allows or forbids."""
        return self.schema[path][method.upper()].as_strategy(generation_mode=mode)

    def sign_up(self, name: str) -> requests.Session:
        """A new user, signed in, and a developer except where something is added.

        Some operations end a session, or count wrong passwords for a name.
        """
        session = requests.Session()
        add_account_to(self.settings, name)
        user = {"username": name, "password": PASSWORD}
        answer = session.post(f"{self.server.base_url}/api/user/query/", json=user, timeout=TIMEOUT_S)
        assert answer.json()["login"] is True, answer.text
        return session


@pytest.fixture(scope="module")
def fuzz_server(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[FuzzServer]:
    developers = ",".join(name_of(path, method) for path, method in OPERATIONS if "add" not in path)
    database = f"fuzz_{secrets.token_hex(4)}"
    arguments = (f"--mongodb_uri={mongodb_uri}", f"--database={database}", f"--developers={developers}")
    arguments += ("--sign_up_burst=10000",)
    with ServerProcess(tmp_path_factory.mktemp("fuzz") / "data", *arguments) as server:
        schema = schemathesis.openapi.from_dict(document())
        schema.config.update(base_url=server.base_url)
        schema.config.generation.update(with_security_parameters=False)  # invented tokens would replace the cookies
        yield FuzzServer(server, Settings(mongodb_uri=mongodb_uri, database=database), schema)
    assert " ERROR " not in server.log
    assert "Traceback" not in server.log


def name_of(path: str, method: str) -> str:
    return f"{method} {path}"


@pytest.mark.requirement(24)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_endpoint_answers_as_the_document_says(fuzz_server: FuzzServer, path: str, method: str) -> None:
    """Both kinds of clients send the same requests: to invent them takes longer than to answer them."""
    clients = {"anonymous": requests.Session(), "user": fuzz_server.sign_up(name_of(path, method))}
    statuses: dict[str, set[int]] = {name: set() for name in clients}
    described = document()["paths"][path][method]
    modes = MODES if described["parameters"] or "requestBody" in described else MODES[:1]
    strategies = {mode: fuzz_server.strategy(path, method, mode) for mode in modes}

    @settings(SETTINGS, max_examples=EXAMPLES)
    @given(st.data())
    def send(data: st.DataObject) -> None:
        for mode in modes:
            case = data.draw(strategies[mode])
            assume(_header_bytes(case) < HEADER_LIMIT_BYTES)
            for name, session in clients.items():
                statuses[name].add(_status(case, session))

    send()
    assert 401 not in statuses["user"] or path == CALLBACK, "the session was not accepted"
    assert 401 in statuses["anonymous"] or path not in FOR_USERS, (
        "no request was valid, or an anonymous client was accepted"
    )


def _status(case: Any, session: requests.Session) -> int:
    """Send a request and compare the response with the document. Returns its status."""
    if STREAMS.search(case.path):
        return _read_header(case, session)
    return int(case.call_and_validate(session=session, checks=CHECKS, timeout=TIMEOUT_S).status_code)


def _header_bytes(case: Any) -> int:
    """Tornado closes the connection if the header is longer than its limit."""
    return len(requests.Request(**case.as_transport_kwargs()).prepare().url or "") + 1024


def _read_header(case: Any, session: requests.Session) -> int:
    """Check the header of a stream, which does not end. Returns its status."""
    with session.request(**case.as_transport_kwargs(), stream=True, timeout=TIMEOUT_S) as answer:
        assert answer.status_code < 500
        listed = document()["paths"][case.path][case.method.lower()]["responses"]
        kinds = listed[str(answer.status_code)]["content"]
        assert answer.headers["Content-Type"].partition(";")[0] in kinds
        return answer.status_code


def test_every_endpoint_of_the_route_table_is_tested() -> None:
    served = {(template_of(path), method.lower()) for path, handler in API for method in handler.endpoints()}

    assert served == set(OPERATIONS)
