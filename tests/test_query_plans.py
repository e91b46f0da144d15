"""No query of a page or of the API reads a whole collection, or sorts much in memory: every call is explained.

The plans are those for a small but mixed collection; the planner does not read a whole collection where an index has
the condition, whatever the size.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from handlers import API
from handlers.access_log import template_of
from handlers.services import Services
from models.database import Database
from settings import Settings
from tests.support.client import PASSWORD, ApiClient
from tests.support.commands import CommandRecorder
from tests.support.large_data import Amounts, fill, finished_tasks, picture_id, username
from tests.support.pictures import png
from tests.support.waiting import finished

AMOUNTS = Amounts().times(0.002)
NOT_WALKED = {
    "/api/openapi.json",
    "/api/preview",
    "/api/preview/source",
    "/api/rendition",
    "/api/styles",
    "/api/tasks/events",
    "/api/tasks/pause",
    "/api/tasks/query",
    "/api/tasks/resume",
    "/tasks/events",
}
"""Endpoints that send no query, or those of other endpoints."""
EXPLAINED = ("find", "aggregate", "count", "distinct", "update", "delete", "findAndModify")
FEW = {"servers": "a document for each server", "events": "followed from its end"}
"""Collections that are read whole, and why that is right."""
SMALL_SORTS = {
    "'state': 'running'": "the tasks that run at one time",
    "'find': 'task_log'": "the lines of one task",
    "'_id': '$error'": "the errors that were counted, each once",
    "'sort': {'created': 1, '_id': 1}": "the tasks that a developer changes, of which MongoDB keeps the oldest only",
}
"""Parts of calls that sort in memory, and what that is."""
SESSION = ("lsid", "$db", "$clusterTime", "$readPreference", "writeConcern", "readConcern", "txnNumber", "maxTimeMS")


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(developers=("dev",))


@pytest.fixture
def recorder() -> CommandRecorder:
    """Of the calls of the server."""
    return CommandRecorder()


@pytest.fixture
def database(io_loop: Any, mongodb_uri: str, database_name: str, recorder: CommandRecorder) -> Iterator[Database]:
    async def make() -> Database:
        return Database(mongodb_uri, database_name, listeners=[recorder])

    opened = io_loop.run_sync(make)
    yield opened
    opened.close()


async def walk(api: ApiClient) -> None:
    """Use every endpoint that reads or writes the database, as a person with pictures and tasks does."""
    ada = await api.sign_up("ada")
    source = await ada.upload(png())
    first = await ada.add_task(source["url"], request_id="a-request-id")
    done = await finished(ada, first["id"])
    result = done["result_id"]
    await ada.add_task(source["url"], {"style": "photomosaic", "tiles": [result, picture_id(1)]})
    await ada.post("/api/user/follow/", from_user_name="ada", to_user_name=username(0), follow_bool=1)
    for name in ("ada", username(0), username(3)):
        await ada.get("/api/user/query/", username=name)
        await ada.get(f"/u/{name.replace(' ', '%20')}")
    for view in ({}, {"view": "following"}, {"view": "mine"}, {"view": "mine", "kind": "source"}):
        page = await ada.get("/api/feed/", limit=1, **view)
        if page["cursor"]:
            await ada.get("/api/feed/", limit=1, cursor=page["cursor"], **view)
    for view in ({"view": "user", "username": username(3)}, {"view": "batch", "id": picture_id(45)}):
        await ada.get("/api/feed/", limit=2, **view)
    for query in (
        {},
        {"owner": "ada"},
        {"state": "done,failed"},
        {"id": first["id"]},
        {"style": "hexagon", "limit": 2},
    ):
        page = await ada.get("/tasks/query/", **query)
        if page["cursor"]:
            await ada.get("/tasks/query/", cursor=page["cursor"], **query)
    await ada.get("/api/image/query/", id=picture_id(45))
    await ada.get("/api/image/tiles/", id=picture_id(45))
    for whose in ("own", "followed", "everybody"):
        await ada.get("/api/image/pool/", of=whose)
    await ada.get("/api/image/pool/", of="own", param_prefix="sha256:")
    await ada.get(f"/i/{picture_id(45)}")
    await ada.get(f"/thumbnail/{result}/320")
    await ada.get("/api/image/pdf/", id=result)
    await ada.get("/api/image/plan/", id=result)
    await ada.post("/api/image/change/", id=result, title="A title")
    await ada.post("/api/image/addinfo/", url="http://elsewhere/a", filename="a", param="", user_id=ada.user_id)
    await ada.post("/api/image/visibility/", ids=[result, source["id"]], visibility="private")
    failed = await ada.add_task(source["url"], {"style": "mosaic", "seed": 3})
    await ada.post("/api/tasks/cancel/", id=failed["id"])
    await ada.post("/api/tasks/retry/", id=failed["id"])
    for path in ("/api/session/", "/health", "/metrics", "/", "/tasks", "/gallery", "/api/user/export/"):
        await ada.get(path)
    guest = api.new_client()
    await guest.post("/api/user/guest/")
    await guest.upload(png())
    await guest.post("/api/user/add/", username="bea", email="bea@example.com", password=PASSWORD)
    await guest.sign_in("bea")
    await ada.post("/api/image/delete/", id=result)
    await ada.post("/api/user/change/", password=PASSWORD, email="new@example.com")
    await ada.post("/api/user/follow/", from_user_name="ada", to_user_name=username(0), follow_bool=0)
    await guest.post("/api/user/logout/")
    await ada.post("/api/user/delete/", password=PASSWORD)


async def walk_console(dev: ApiClient) -> None:
    """Use every endpoint that is for developers."""
    failed = (await dev.get("/api/queue/tasks/", state="failed", limit=1)).json
    await dev.get("/api/queue/tasks/", state="failed", limit=1, cursor=failed["cursor"])
    selections: list[dict[str, Any]] = [{}, {"owner": username(3)}, {"error": "job"}, {"style": "hexagon"}]
    for selection in selections:
        await dev.get("/api/queue/tasks/", **selection)
    await dev.get("/api/queue/status/")
    await dev.get("/api/queue/task/", id=failed["tasks"][0]["id"])
    await dev.post("/api/queue/change/", action="retry", state="failed", limit=1)
    await dev.post("/api/queue/change/", action="cancel", style="hexagon", limit=1)


def stages(plan: Any) -> Iterator[str]:
    """The names of all stages of the winning plans in an explanation."""
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for name, value in plan.items():
            if name not in ("rejectedPlans", "command"):
                yield "$sort" if name == "$sort" else ""
                yield from stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from stages(value)


def parts_of(name: str, command: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What has plans of its own: a pipeline, and each one that it is joined with, which is not explained with it."""
    plain = {key: value for key, value in command.items() if key not in SESSION}
    if name != "aggregate":
        yield plain
        return
    unions = [step["$unionWith"] for step in plain["pipeline"] if "$unionWith" in step]
    yield plain | {"pipeline": [step for step in plain["pipeline"] if "$unionWith" not in step]}
    for union in unions:
        yield {"aggregate": union["coll"], "pipeline": union["pipeline"], "cursor": {}}


def shape_of(value: Any) -> Any:
    """A command without its values: calls of one shape have one plan."""
    if isinstance(value, dict):
        return {name: shape_of(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape_of(each) for each in value if isinstance(each, dict)] or [len(value) > 1]
    return value if isinstance(value, str) and len(value) <= 10 else type(value).__name__


@pytest.mark.usefixtures("accounts_of_developers")
@pytest.mark.gen_test
async def test_no_query_scans_a_collection_or_sorts_in_memory(
    recorder: CommandRecorder,
    services: Services,
    api: ApiClient,
    mongodb_uri: str,
    database_name: str,
    expect_log: Callable[[str], None],
) -> None:
    expect_log("source_missing")  # tasks that are queued again have records, but no files
    await fill(services.database, AMOUNTS)
    recorder.commands.clear()
    await walk(api)
    await walk_console(await api.new_client().sign_in("dev"))

    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongodb_uri, io_loop=asyncio.get_running_loop())
    problems: list[str] = []
    shapes: set[str] = set()
    for name, command in recorder.commands:
        if name not in EXPLAINED or command[name] in FEW:
            continue
        for part in parts_of(name, command):
            shape = json.dumps(shape_of(part), sort_keys=True)
            if shape in shapes:
                continue
            shapes.add(shape)
            plan = await client[database_name].command({"explain": part, "verbosity": "queryPlanner"})
            small = {"SORT", "$sort"} if any(call in str(part) for call in SMALL_SORTS) else set[str]()
            if wrong := {"COLLSCAN", "SORT", "$sort"} & set(stages(plan)) - small:
                problems.append(f"{', '.join(sorted(wrong))}: {part}")
    client.close()
    samples = [sample for metric in services.metrics.requests.collect() for sample in metric.samples]
    assert {template_of(path) for path, _ in API} - {sample.labels["route"] for sample in samples} == NOT_WALKED
    assert len(shapes) > 100
    assert problems == []


COUNTED = 20
"""In place of 100,000."""


@pytest.mark.usefixtures("recorder", "http_server")
@pytest.mark.gen_test
async def test_the_curves_of_the_console_read_a_bounded_number_of_tasks(
    recorder: CommandRecorder, services: Services, mongodb_uri: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("models.queue.activity.MAX_TASKS", "models.queue.failed.MAX_COUNTED"):
        monkeypatch.setattr(limit, COUNTED)
    just_now = {"created": datetime.now(UTC), "started": datetime.now(UTC), "finished": datetime.now(UTC)}
    tasks = [{**task, **just_now} for task in finished_tasks(replace(AMOUNTS, tasks=40 * COUNTED))]
    await services.database.collection("tasks").insert_many(tasks)
    recorder.commands.clear()

    activity = await services.activity.read()

    assert sum(minute.done + minute.failed + minute.cancelled for minute in activity.minutes) == COUNTED
    assert [counted.count for counted in activity.errors] == [COUNTED]
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongodb_uri, io_loop=asyncio.get_running_loop())
    counting = [command for name, command in recorder.commands if name == "aggregate" and "finished" in str(command)]
    assert len(counting) == 2
    for command in counting:
        explained = {key: value for key, value in command.items() if key not in SESSION}
        plan = await client[database_name].command({"explain": explained, "verbosity": "executionStats"})
        assert "IXSCAN" in set(stages(plan))
        assert max(values_of(plan, "totalDocsExamined")) <= COUNTED + 3, "one more of each state"
    client.close()


def values_of(plan: Any, name: str) -> Iterator[int]:
    """All values with this name in an explanation."""
    children = plan.values() if isinstance(plan, dict) else plan if isinstance(plan, list) else ()
    if isinstance(plan, dict) and name in plan:
        yield plan[name]
    for child in children:
        yield from values_of(child, name)
