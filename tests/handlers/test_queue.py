"""The queue for developers: its state, tasks by any filter, one task's story, changes of many tasks at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from handlers import API
from handlers.services import Services
from handlers.task_base import DeveloperHandler
from models.queue.task import TaskState
from settings import VERSION, Settings
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.waiting import finished, until

pytestmark = pytest.mark.usefixtures("accounts_of_developers")
ENDPOINTS = [
    (path, method) for path, handler in API if issubclass(handler, DeveloperHandler) for method in handler.endpoints()
]
PARAMS: dict[str, dict[str, Any]] = {"/api/queue/task": {"id": 1}, "/api/queue/change": {"action": "clear"}}
"""Of endpoints that need some."""
BROKEN = b"no picture"


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(developers=("dev",))


async def fail(ada: ApiClient, services: Services, count: int) -> list[int]:
    """Tasks of ada that failed as `not_a_picture`: their source was replaced after the upload."""
    uploaded = await ada.upload(png(31, 17))
    key = services.bucket.key_of(uploaded["url"])
    assert key is not None
    services.bucket.put(key, BROKEN, mime="image/png")
    tasks = [await ada.add_task(uploaded["url"], {"style": "mosaic", "seed": seed}) for seed in range(count)]
    ended = [await finished(ada, task["id"]) for task in tasks]
    assert {task["error"] for task in ended} == {"not_a_picture"}
    return [task["id"] for task in ended]


@pytest.mark.gen_test
async def test_only_developers_see_and_change_the_queue_of_others(api: ApiClient) -> None:
    ada = await api.new_client().sign_up("ada")

    assert len(ENDPOINTS) >= 4
    for path, method in ENDPOINTS:
        params = PARAMS.get(path, {})
        send = [client.get if method == "GET" else client.post for client in (api, ada)]
        assert [(await each(path, **params)).status for each in send] == [401, 403], path


@pytest.mark.gen_test
async def test_a_tasks_story_has_its_attempts_steps_and_log(
    api: ApiClient, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ada, dev = await api.new_client().sign_up("ada"), await api.new_client().sign_in("dev")
    private = await ada.add_task((await ada.upload())["url"], "brick", visibility="private")
    await finished(ada, private["id"])

    async def story() -> dict[str, Any] | None:
        document = (await dev.get("/api/queue/task/", id=private["id"])).json
        return document if len(document["log"]) == 3 else None

    document = await until(story)
    (attempt,) = document["attempts"]
    assert (attempt["attempt"], attempt["outcome"], attempt["error"]) == (1, "done", None)
    assert list(attempt["steps"]) == ["fetch", "render", "store"]
    assert attempt["server"] == document["log"][0]["server"]
    assert [line["message"].partition(": ")[2].split()[0] for line in document["log"]] == ["queued", "running,", "done"]
    assert document["task"]["owner"] == "ada"
    assert "url" not in document["task"]  # the picture is private
    assert (await dev.get("/api/queue/task/", id=7)).status == 404


@pytest.mark.gen_test
async def test_failed_tasks_are_found_by_error_and_changed_at_once(api: ApiClient, services: Services) -> None:
    ada, dev = await api.new_client().sign_up("ada"), await api.new_client().sign_in("dev")
    failed = await fail(ada, services, 3)
    done = await ada.add_task((await ada.upload())["url"])
    await finished(ada, done["id"])

    both = await dev.get("/api/queue/tasks/", state="failed,done", limit=2)
    assert (both["count"], len(both["tasks"])) == (4, 2)
    rest = await dev.get("/api/queue/tasks/", state="failed,done", limit=2, cursor=both["cursor"])
    assert {task["id"] for task in both["tasks"] + rest["tasks"]} == {*failed, done["id"]}
    assert (await dev.get("/api/queue/tasks/", error="not_a_picture", owner="ADA"))["count"] == 3
    assert (await dev.get("/api/queue/tasks/", error="timed_out"))["count"] == 0
    await services.queue.pause(True)
    first = await dev.post("/api/queue/change/", action="retry", error="not_a_picture", limit=2)
    assert (first["changed"], first["left"]) == (2, 1)
    assert (await dev.post("/api/queue/change/", action="retry", id=failed[2]))["changed"] == 1
    assert {(await services.tasks.by_id(task_id)).state for task_id in failed} == {TaskState.QUEUED}
    cancelled = await dev.post("/api/queue/change/", action="cancel", style="mosaic", owner="ada")
    assert (cancelled["changed"], cancelled["left"]) == (3, 0)
    cleared = await dev.post("/api/queue/change/", action="clear", state="cancelled")
    assert (cleared["changed"], cleared["left"]) == (3, 0)
    assert (await ada.get("/tasks/query/"))["totals"]["done"] == 1
    impossible = await dev.post("/api/queue/change/", action="cancel", state="done")
    assert (impossible.status, impossible["field"]) == (400, "state")
    assert "queued, running" in impossible["message"]


@pytest.mark.gen_test
async def test_the_state_has_servers_the_last_hour_and_errors_and_promises_nothing_while_paused(
    api: ApiClient, services: Services
) -> None:
    ada, dev = await api.new_client().sign_up("ada"), await api.new_client().sign_in("dev")
    url = (await ada.upload())["url"]
    await finished(ada, (await ada.add_task(url))["id"])
    await fail(ada, services, 1)

    async def counted() -> dict[str, Any] | None:
        document = (await dev.get("/api/queue/status/")).json
        return document if sum(minute["failed"] for minute in document["minutes"]) else None

    status = await until(counted)
    assert len(status["minutes"]) == 60
    assert sum(minute["done"] for minute in status["minutes"]) == 1
    assert any(minute["wait_p95_s"] is not None for minute in status["minutes"])
    assert [(each["error"], each["count"]) for each in status["errors"]] == [("not_a_picture", 1)]
    (server,) = status["servers"]
    assert (server["version"], server["threads"], server["alive"], server["workers"]) == (VERSION, 2, True, {})
    waiting = {"style": "mosaic", "seed": 9}
    await dev.post("/api/tasks/pause/")
    await until(lambda: services.queue.paused)
    paused = (await ada.add_task(url, waiting))["id"]

    async def nothing_is_promised() -> bool:
        (task,) = (await ada.get("/tasks/query/", id=paused))["tasks"]
        return task["estimate_s"] is None

    await until(nothing_is_promised)
    assert (await dev.get("/api/queue/status/"))["paused"] is True


@pytest.mark.gen_test
async def test_an_account_takes_the_log_of_its_tasks_with_it(
    api: ApiClient, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ada = await api.new_client().sign_up("ada")
    task = await ada.add_task((await ada.upload())["url"])
    await finished(ada, task["id"])

    async def logged() -> bool:
        return len(await services.task_log.of(task["id"])) == 3

    await until(logged)
    await ada.post("/api/user/delete/", password="a long enough password")

    async def forgotten() -> bool:
        return not await services.task_log.of(task["id"])

    await until(forgotten)
