"""The queue over HTTP: pages, filters and permissions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from handlers.services import Services
from models.images.image import Owner
from models.queue.task import NewTask, TaskState, to_document
from settings import Settings
from tests.support.client import ApiClient

pytestmark = pytest.mark.usefixtures("accounts_of_developers")

RECIPE = {"style": "mosaic", "seed": 0}


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(developers=("dev",), user_queue_limit=3, queue_limit=5)


async def keep(
    services: Services, count: int, *, owner: Owner, state: TaskState, style: str = "mosaic", since: int = 0
) -> None:
    """Tasks on record, as if they had been asked for long ago; `finished` a second apart, the last one newest."""
    tasks = services.database.collection("tasks", journaled=False)
    plain = to_document(
        NewTask(owner, url="http://x/a", type="model", style=style, recipe=RECIPE, dedup_key="i").with_id(0)
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    final = state not in (TaskState.QUEUED, TaskState.RUNNING)
    await tasks.insert_many(
        [
            {
                **plain,
                "_id": since + number,
                "state": str(state),
                "round": number,
                "finished": start + timedelta(seconds=number) if final else None,
                "not_before": datetime(2100, 1, 1, tzinfo=UTC),
            }
            for number in range(1, count + 1)
        ]
    )


@pytest.mark.gen_test
async def test_finished_tasks_are_read_page_by_page_newest_first(api: ApiClient, services: Services) -> None:
    await keep(services, 25, owner=Owner(9, "eve"), state=TaskState.DONE)

    seen, cursor = [], None
    for _ in range(4):
        more = {"cursor": cursor} if cursor else {}
        page = await api.get("/api/tasks/query/", limit=10, **more)
        seen += [task["id"] for task in page["done"]]
        cursor = page["cursor"]
        if cursor is None:
            break

    assert seen == list(range(25, 0, -1))


@pytest.mark.gen_test
async def test_the_queue_is_filtered_by_state_style_and_id(api: ApiClient, services: Services) -> None:
    await keep(services, 3, owner=Owner(9, "eve"), state=TaskState.QUEUED)
    await keep(services, 2, owner=Owner(9, "eve"), state=TaskState.FAILED, style="hexagon", since=100)

    queued = await api.get("/tasks/query/", state="queued")
    hexagons = await api.get("/tasks/query/", style="hexagon")
    one = await api.get("/tasks/query/", id=2)
    none = [await api.get("/tasks/query/", id=2, **other) for other in ({"state": "failed"}, {"style": "hexagon"})]

    assert ([task["position"] for task in queued["tasks"]], queued["done"]) == ([1, 2, 3], [])
    assert (hexagons["tasks"], [task["id"] for task in hexagons["done"]]) == ([], [102, 101])
    assert [task["position"] for task in one["tasks"]] == [2]
    assert [(page["tasks"], page["done"]) for page in none] == [([], [])] * 2
    assert one["totals"] == {"queued": 3, "running": 0, "done": 0, "failed": 2, "cancelled": 0}


@pytest.mark.gen_test
async def test_only_the_owner_and_developers_may_filter_by_owner(api: ApiClient, services: Services) -> None:
    ada = await api.new_client().sign_up("ada")
    bob, dev = await api.new_client().sign_up("bob"), await api.new_client().sign_in("dev")
    await keep(services, 2, owner=Owner(ada.user_id, "ada"), state=TaskState.DONE)
    await keep(services, 1, owner=Owner(bob.user_id, "bob"), state=TaskState.DONE, since=50)

    own = await ada.get("/tasks/query/", owner="ada")
    developers = await dev.get("/tasks/query/", owner="ada")

    assert [task["id"] for task in own["done"]] == [task["id"] for task in developers["done"]] == [2, 1]
    assert (await bob.get("/tasks/query/", owner="ada")).status == 403
    assert (await api.get("/tasks/query/", owner="ada")).status == 403


@pytest.mark.parametrize(
    "query", [{"state": "asleep"}, {"limit": 0}, {"limit": 1001}, {"cursor": "x"}, {"cursor": "1-99999999999999999999"}]
)
@pytest.mark.gen_test
async def test_an_invalid_filter_is_refused(api: ApiClient, query: dict[str, object]) -> None:
    answer = await api.get("/tasks/query/", **query)

    assert (answer.status, answer["error"]) == (400, "bad_parameter")


@pytest.mark.gen_test
async def test_a_picture_of_our_bucket_that_is_not_there_is_not_found(api: ApiClient, services: Services) -> None:
    await api.sign_up("ada")

    refused = await api.post("/api/tasks/add/", url=services.bucket.url("ada/gone.png"), type="model", param="mosaic")

    assert (refused["code"], refused["error"]) == (-1, "not_found")


@pytest.mark.gen_test
async def test_a_form_that_is_not_utf_8_is_refused(api: ApiClient) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    refused = await api.request("POST", "/api/tasks/add/", body=b"url=%ff&type=model", headers=headers)

    assert (refused.status, refused["error"]) == (400, "malformed_body")


@pytest.mark.gen_test
async def test_only_the_owner_and_developers_may_cancel_and_retry(api: ApiClient, services: Services) -> None:
    ada, bob = await api.new_client().sign_up("ada"), await api.new_client().sign_up("bob")
    dev = await api.new_client().sign_in("dev")
    await keep(services, 1, owner=Owner(ada.user_id, "ada"), state=TaskState.QUEUED)

    strangers = await api.post("/api/tasks/cancel/", id=1)
    bobs = await bob.post("/api/tasks/cancel/", id=1)
    adas = await ada.post("/api/tasks/cancel/", id=1)
    again = await dev.post("/api/tasks/cancel/", id=1)
    unknown = await ada.post("/api/tasks/cancel/", id=77)

    assert (strangers.status, strangers["error"]) == (401, "no_session")
    assert (bobs.status, bobs["error"]) == (403, "not_yours")
    assert (adas["code"], adas["task"]["state"]) == (1, "cancelled")
    assert (again.status, again["error"]) == (409, "wrong_state")
    assert (unknown.status, unknown["error"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/tasks", "/tasks/"])
@pytest.mark.gen_test
async def test_the_queue_has_a_page_beside_its_json(api: ApiClient, path: str) -> None:
    page = await api.get(path)
    queue = await api.get("/tasks/query/")

    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert b'data-page="tasks"' in page.body
    assert queue.headers["Content-Type"].startswith("application/json")
    assert (await api.request("DELETE", path)).status == 405


@pytest.mark.parametrize("path", ["/api/tasks/pause/", "/api/tasks/resume/"])
@pytest.mark.gen_test
async def test_only_developers_may_pause_the_queue(api: ApiClient, path: str) -> None:
    ada, dev = await api.new_client().sign_up("ada"), await api.new_client().sign_in("dev")

    assert (await api.post(path)).status == 401
    assert (await ada.post(path)).status == 403
    assert (await dev.post(path))["paused"] is (path == "/api/tasks/pause/")
    assert (await dev.get(path)).status == 405


@pytest.mark.gen_test
async def test_a_repeated_request_returns_the_same_task_even_at_the_limit(api: ApiClient) -> None:
    dev = await api.new_client().sign_in("dev")
    await dev.post("/api/tasks/pause/")
    ada, bob = await api.new_client().sign_up("ada"), await api.new_client().sign_up("bob")
    url = (await ada.upload())["url"]

    first, second = await asyncio.gather(
        *[ada.post("/api/tasks/add/", url=url, request_id="request-1") for _ in range(2)]
    )
    others = [await ada.post("/api/tasks/add/", url=url, request_id=f"request-{number}") for number in (2, 3)]
    third = await ada.post("/api/tasks/add/", url=url, request_id="request-1")
    bobs = await bob.post("/api/tasks/add/", url=url, request_id="request-1")

    assert first["task"]["id"] == second["task"]["id"] == third["task"]["id"]
    assert len({answer["task"]["id"] for answer in (first, *others, bobs)}) == 4
    assert (await ada.post("/api/tasks/add/", url=url, request_id="request-4"))["error"] == "too_many_tasks"
    assert (await ada.post("/api/tasks/add/", url=url, request_id="short"))["error"] == "bad_parameter"


@pytest.mark.requirement(40)
@pytest.mark.gen_test
async def test_a_full_queue_is_answered_with_a_time_to_retry(api: ApiClient) -> None:
    dev = await api.new_client().sign_in("dev")
    await dev.post("/api/tasks/pause/")
    ada, bob = await api.new_client().sign_up("ada"), await api.new_client().sign_up("bob")
    for person, count in ((ada, 3), (bob, 2)):
        url = (await person.upload())["url"]
        for seed in range(count):
            await person.add_task(url, {"style": "mosaic", "seed": seed})

    adas = await ada.post("/api/tasks/add/", url=url)
    bobs = await bob.post("/api/tasks/add/", url=url, param={"style": "mosaic", "seed": 9})

    assert (bobs.status, bobs["error"]) == (503, "queue_full")
    assert adas.status == 503
    assert int(bobs.headers["Retry-After"]) > 0
    await dev.post("/api/tasks/cancel/", id=(await bob.get("/tasks/query/", owner="bob"))["tasks"][0]["id"])
    adas = await ada.post("/api/tasks/add/", url=url)
    assert (adas.status, adas["error"]) == (429, "too_many_tasks")
    assert int(adas.headers["Retry-After"]) > 0


@pytest.mark.gen_test
async def test_readers_who_share_a_list_each_see_what_they_may_see(api: ApiClient, services: Services) -> None:
    eve, bob = await api.new_client().sign_up("eve"), await api.new_client().sign_up("bob")
    dev = await api.new_client().sign_in("dev")
    await keep(services, 4, owner=Owner(eve.user_id, "eve"), state=TaskState.DONE)
    await keep(services, 2, owner=Owner(9, "cid"), state=TaskState.QUEUED, since=100)
    readers = [eve, bob, dev, api]

    async def look(reader: ApiClient) -> list[tuple[int, bool, bool, str | None]]:
        page = await reader.get("/tasks/query/")
        return [(task["id"], task["mine"], "recipe" in task, task.get("url")) for task in page["tasks"] + page["done"]]

    alone = [await look(reader) for reader in readers]
    together = await asyncio.gather(*(look(reader) for reader in readers * 4))

    assert together == alone * 4
    assert [sum(mine for _, mine, _, _ in tasks) for tasks in alone] == [4, 0, 0, 0]
    assert [sum(recipe for _, _, recipe, _ in tasks) for tasks in alone] == [4, 0, 6, 0]
