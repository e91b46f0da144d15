"""Every endpoint of the OpenAPI document, asked for whatever the document allows and what it forbids.

No answer is a fault of ours, and none is outside the document; a stranger asks, and somebody who is signed in. The
server is a real process, so that its log tells of what an answer might hide.
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
from handlers.http_server import HEADER_LIMIT_BYTES
from tests.support.client import PASSWORD
from tests.support.openapi_check import document
from tests.support.process import ServerProcess

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 6
"""Of what is allowed, and as many of what is not, for each method of each endpoint, by a stranger and by somebody."""
ASK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CALLBACK = "/api/image/upload"
"""Signed by the bucket: no session helps."""
FOR_PEOPLE = {path for path, handler in API if handler.state_changing} - {"/api/user/add", "/api/user/logout"}
STREAMS = re.compile("/tasks/events$")
OPERATIONS = [(path, method) for path, item in document()["paths"].items() for method in item]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Place:
    """A real server, and the document as schemathesis reads it."""

    server: ServerProcess
    schema: Any

    def newcomer(self, name: str) -> requests.Session:
        """Somebody new, signed in: some endpoints end a session, or count wrong passwords for a name."""
        session = requests.Session()
        newcomer = {"username": name, "email": "a@example.com", "password": PASSWORD}
        for path in ("add", "query"):
            answer = session.post(f"{self.server.base_url}/api/user/{path}/", json=newcomer, timeout=TIMEOUT_S)
            assert answer.json()["code"] == 1, answer.text
        return session


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Place]:
    developers = ",".join(name_of(path, method) for path, method in OPERATIONS if "add" not in path)
    arguments = (f"--mongodb_uri={mongodb_uri}", f"--database=fuzz_{secrets.token_hex(4)}", f"--developers={developers}")
    with ServerProcess(tmp_path_factory.mktemp("fuzz") / "data", *arguments) as server:
        schema = schemathesis.openapi.from_dict(document())
        schema.config.update(base_url=server.base_url)
        schema.config.generation.update(with_security_parameters=False)  # made-up tokens would outdo real cookies
        yield Place(server, schema)
    assert " ERROR " not in server.log
    assert "Traceback" not in server.log


def name_of(path: str, method: str) -> str:
    return f"{method} {path}"


@pytest.mark.requirement(24)
@pytest.mark.parametrize("who", ["a stranger", "somebody"])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_endpoint_answers_as_the_document_says(place: Place, path: str, method: str, who: str) -> None:
    operation = place.schema[path][method.upper()]
    session = place.newcomer(name_of(path, method)) if who == "somebody" else requests.Session()
    response = document()["paths"][path][method]
    modes = MODES if response["parameters"] or "requestBody" in response else MODES[:1]
    statuses: set[int] = set()

    @ASK
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        for mode in modes:
            case = data.draw(operation.as_strategy(generation_mode=mode))
            assume(_head_bytes(case) < HEADER_LIMIT_BYTES)
            if STREAMS.search(path):
                statuses.add(_listen(case, session))
            else:
                answer = case.call_and_validate(session=session, checks=CHECKS, timeout=TIMEOUT_S)
                statuses.add(answer.status_code)

    ask()
    if who == "somebody":
        assert 401 not in statuses or path == CALLBACK, "the cookie was not understood"
    elif path in FOR_PEOPLE:
        assert 401 in statuses, "nothing sound was asked, or a stranger was let in"


def _head_bytes(case: Any) -> int:
    """A longer one than the door takes is hung up on, whatever it asks: Tornado has not read whom to answer."""
    return len(requests.Request(**case.as_transport_kwargs()).prepare().url or "") + 1024


def _listen(case: Any, session: requests.Session) -> int:
    """A stream has no end: its head is what can be checked. Returns its status."""
    with session.request(**case.as_transport_kwargs(), stream=True, timeout=TIMEOUT_S) as answer:
        assert answer.status_code < 500
        listed = document()["paths"][case.path][case.method.lower()]["responses"]
        kinds = listed[str(answer.status_code)]["content"]
        assert answer.headers["Content-Type"].partition(";")[0] in kinds
        return answer.status_code


def test_every_line_of_the_servers_table_is_asked_for() -> None:
    """What the document left out, nobody would have asked for."""
    operations = {(re.sub(r"\{(\w+)\}", "{}", path.rstrip("/")), method) for path, method in OPERATIONS}
    table = {
        (re.sub(r"\(\?P<\w+>[^()]*\)", "{}", path), method.lower())
        for path, handler in API
        for method in handler.methods
    }

    assert table <= operations
