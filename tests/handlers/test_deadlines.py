"""While the database hangs, whatever only reads its records is answered with 503 within the documented 5 seconds.

What takes too long for another reason does not blame the database.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from handlers import API
from handlers.base import LIST_TIMEOUT_S
from handlers.preview import PreviewHandler
from handlers.services import Services
from processing.images.preview_slots import THREADS
from settings import Settings
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.waiting import LIMIT_S, until

DOCUMENTED_S = 5.0
LOWERED_S = 0.2
"""Far below the deadline of one call to the database."""
READING = {path.replace("\\", ""): handler for path, handler in API if handler.timeout_s == LIST_TIMEOUT_S}
OTHERS = {
    "/api/image/pdf": "a file that is made while it is sent",
    "/api/image/plan": "a file that is made while it is sent",
    "/api/openapi.json": "without the database",
    "/api/styles": "without the database",
    "/api/tasks/events": "a stream",
    "/api/user/export": "a stream",
    "/health": "one call, and no error",
    "/metrics": "one call, and no error",
    "/tasks/events": "a stream",
    "/thumbnail/(?P<id>[0-9]{1,20})/(?P<width>[0-9]{1,9})": "a picture that may have to be made",
}
"""Other reading endpoints, and why their deadline is another one."""
VALUES: dict[str, object] = {"id": 7, "state": "failed", "owner": "dev"}


def test_every_endpoint_that_only_reads_records_has_the_deadline() -> None:
    reading = {path.replace("\\", "") for path, handler in API if _only_reads(handler)}

    assert reading - OTHERS.keys() == READING.keys()
    assert LIST_TIMEOUT_S < DOCUMENTED_S


def _only_reads(handler: Any) -> bool:
    method = handler.endpoints().get("GET")
    return method is not None and method.is_read_only


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(developers=("dev",))


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Suspend a child process; on busy cores it goes on for a moment after the signal."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.usefixtures("accounts_of_developers")
@pytest.mark.gen_test
async def test_the_deadline_is_that_of_the_whole_response_and_not_of_each_call(
    api: ApiClient,
    services: Services,
    shared_mongod: Any,
    monkeypatch: pytest.MonkeyPatch,
    expect_log: Callable[[str], None],
) -> None:
    expect_log("database_unavailable|does not answer")
    dev = await api.sign_in("dev")
    for handler in READING.values():
        monkeypatch.setattr(handler, "timeout_s", LOWERED_S)

    async def outcome(path: str) -> tuple[int, str]:
        params = {name: VALUES[name] for name in _names(path) & VALUES.keys()}
        response = await dev.get(path, **params)
        return response.status, response["error"]

    with suspended(shared_mongod.mongod.pid):
        outcomes = await asyncio.gather(*map(outcome, READING))
        (errors,) = services.metrics.database_errors.collect()

    assert dict(zip(READING, outcomes, strict=True)) == dict.fromkeys(READING, (503, "database_unavailable"))
    assert errors.samples[0].value == 0, "no call had failed yet"
    monkeypatch.undo()

    async def available() -> bool:
        return (await dev.get("/api/session")).status == 200

    await until(available)


@pytest.mark.gen_test
async def test_a_request_that_waits_too_long_for_its_turn_says_that_the_server_is_busy(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    busy = [asyncio.create_task(services.executors.preview(gate.wait, LIMIT_S)) for _ in range(THREADS)]
    try:
        with monkeypatch.context() as lowered:
            lowered.setattr(PreviewHandler, "timeout_s", LOWERED_S)
            response = await api.post_form("/api/preview/", {"param": "mosaic"}, "preview.jpg", png())
    finally:
        gate.set()
        await asyncio.gather(*busy)
    later = await api.post_form("/api/preview/", {"param": "mosaic"}, "preview.jpg", png())

    assert (response.status, response["error"]) == (503, "overloaded")
    assert int(response.headers["Retry-After"]) > 0
    assert later.status == 200


def _names(path: str) -> set[str]:
    params = READING[path].endpoints()["GET"].params
    return set(params.model_fields) if params is not None else set()
