"""Requirements 40 to 44: queue limits, failures of the server and its database, and versions of dependencies."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from handlers import API
from handlers.base import ApiHandler
from handlers.endpoint import Endpoint, endpoint
from handlers.schemas.base import SuccessResponse
from handlers.services import Services
from settings import Settings
from tests.support.client import PASSWORD, ApiClient, ApiResponse
from tests.support.process import ServerProcess, suspend
from tests.support.waiting import finished, until

USER_LIMIT = 20


class TestQueueLimits:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        return settings_of(user_queue_limit=USER_LIMIT, queue_limit=USER_LIMIT + 10)  # the last 3 for newcomers

    @pytest.mark.requirement(40)
    @pytest.mark.gen_test
    async def test_one_user_cannot_fill_the_queue_or_delay_another(self, api: ApiClient, services: Services) -> None:
        ada, bob, cid = [await api.new_client().sign_up(name) for name in ("ada", "bob", "cid")]
        urls = {user.username: (await user.upload())["url"] for user in (ada, bob, cid)}
        await services.queue.pause(True)

        async def submit(user: ApiClient, seed: int) -> ApiResponse:
            return await user.post("/api/tasks/add/", url=urls[user.username], param={"style": "mosaic", "seed": seed})

        adas = [await submit(ada, number) for number in range(USER_LIMIT + 5)]
        bobs = [await submit(bob, number) for number in range(7)]
        full = await submit(cid, 1)
        await services.queue.pause(False)
        await finished(bob, bobs[0]["task"]["id"])

        accepted, refused = adas[:USER_LIMIT], adas[USER_LIMIT:]
        assert {response["code"] for response in accepted} == {1}
        assert {(response.status, response["error"]) for response in refused} == {(429, "too_many_tasks")}
        assert all(int(response.headers["Retry-After"]) > 0 for response in refused)
        assert (full.status, full["error"], int(full.headers["Retry-After"]) > 0) == (503, "queue_full", True)
        started = await services.database.collection("tasks").find(
            {"started": {"$ne": None}}, sort="started", limit=USER_LIMIT
        )
        owners = [task["owner_id"] for task in started]
        assert owners.index(bob.user_id) <= 2, "bob is served next, though ada was first with 20 tasks"


class FailingHandler(ApiHandler):
    """Raises an exception that no code expects."""

    @endpoint()
    async def get(self) -> SuccessResponse:
        raise RuntimeError("internal detail of /srv/secret/place")


@pytest.mark.requirement(42)
@pytest.mark.gen_test
async def test_an_unexpected_error_reveals_nothing_and_is_logged_once(
    api: ApiClient, app: Any, services: Services, log_watch: Any, expect_log: Callable[[str], None]
) -> None:
    expect_log("RuntimeError|500 GET /api/failing")
    app.add_handlers(".*", [("/api/failing", FailingHandler, {"authentication": services.authentication})])

    response = await api.get("/api/failing", headers={"X-Request-ID": "request1"})

    assert response.status == 500
    assert response.json.keys() == {"code", "error", "message"}
    assert (response["error"], response.headers["X-Request-ID"]) == ("internal", "request1")
    assert not re.search(r"RuntimeError|secret|Traceback|\.py", response.body.decode())
    (traceback,) = [line for line in log_watch.lines if "Traceback" in line]
    assert "[request1]" in traceback


@pytest.mark.requirement(43)
@pytest.mark.gen_test
async def test_every_endpoint_answers_503_while_the_database_hangs(tmp_path: Path, client: AsyncHTTPClient) -> None:
    """How soon it does is measured by the drill `freeze_mongod`."""
    with ServerProcess(tmp_path / "data") as server:
        ada = await ApiClient(client, server.base_url).sign_up("ada")
        url = (await ada.upload())["url"]
        mongod = int(server.log.split(" mongod: ")[1].split()[0])
        values = {
            "id": 7, "username": "ada", "email": "a@example.com", "password": PASSWORD, "from_user_name": "ada",
            "to_user_name": "bob", "follow_bool": 1, "url": url, "filename": "a", "user_id": ada.user_id,
            "ids": [7], "visibility": "private", "action": "retry",
        }  # fmt: skip
        without_database = (
            "styles",
            "preview",
            "preview/source",
            "rendition",
            "image/upload",
            "events",
            "metrics",
            "json",
        )
        paths = [path for path, _ in API if "(?P<" not in path and not path.endswith(without_database)]
        handlers = dict(API)

        async def status(method: str, path: str) -> tuple[str, str, int]:
            own_page = {"Referer": f"{ada.base_url}/"}
            endpoint = getattr(handlers.get(path), method.lower(), None)
            names = endpoint.params.model_fields if isinstance(endpoint, Endpoint) and endpoint.params else {}
            params = {name: value for name, value in values.items() if name in names}
            response = await (ada.get if method == "GET" else ada.post)(path, headers=own_page, **params)
            return method, path, response.status

        requests = [(method, path) for path in paths for method in ("GET", "POST")]
        requests += [("GET", "/u/ada"), ("GET", "/i/7"), ("GET", "/thumbnail/7/320")]
        await suspend(mongod)
        statuses = await asyncio.gather(*(status(*request) for request in requests))
        os.kill(mongod, signal.SIGCONT)

        async def available() -> bool:
            return (await ada.get("/api/session/")).status == 200

        assert [each for each in statuses if each[2] not in (503, 405)] == []
        await until(available)


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in importlib.metadata.version(name).split(".")[:3])


@pytest.mark.requirement(44)
def test_libraries_that_parse_foreign_bytes_are_recent_and_pinned() -> None:
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", Path("requirements/run.txt").read_text(), re.M))

    assert _version("tornado") >= (6, 5, 7)
    assert _version("pillow") >= (12, 3, 0)
    for name in ("tornado", "pillow", "motor", "pymongo", "pydantic-core", "python-multipart", "argon2-cffi"):
        assert pins[name] == importlib.metadata.version(name), f"{name} is not the pinned one"
    assert "--hash=sha256:" in Path("requirements/run.txt").read_text()


@pytest.mark.requirement(44)
def test_only_one_module_imports_motor() -> None:
    """Its critical fixes end in May 2027; PyMongo's own client has the same calls."""
    ours = [path for folder in ("handlers", "processing", "models") for path in Path(folder).rglob("*.py")]

    assert [str(path) for path in [*ours, Path("server.py")] if "motor.motor_asyncio" in path.read_text()] == [
        "models/database.py"
    ]
