"""Server-sent events about tasks: who receives which event, and what happens after a break."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from handlers.services import Services
from models.images.image import Owner
from models.queue.task import NewTask, to_document
from settings import Settings
from tests.handlers.sse_client import SseClient, open_event_stream
from tests.support.client import ApiClient
from tests.support.fake_hosts import FakeHost
from tests.support.pictures import png
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("accounts_of_developers")


class SlowOrigin(FakeHost):
    """A host whose images arrive when the test allows it."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.go = threading.Event()

    def _answer(self, connection: socket.socket) -> None:
        self.go.wait(120)
        picture = png()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(picture) + picture)


@pytest.fixture
def origin() -> Iterator[SlowOrigin]:
    with SlowOrigin() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.go.set()
        server.shutdown()
        thread.join(120)


@pytest.fixture
def settings(settings_of: Callable[..., Settings], origin: SlowOrigin) -> Settings:
    return settings_of(allowed_sources=(origin.address,), developers=("dev",), workers=1)


async def subscribed(stream: SseClient) -> None:
    await stream.until(lambda event: event.kind == "queue")


@pytest.mark.gen_test
async def test_the_owner_receives_every_state(api: ApiClient, origin: SlowOrigin) -> None:
    ada = await api.sign_up("ada")
    async with open_event_stream(ada) as stream:
        await subscribed(stream)

        task = await ada.add_task(origin.url())
        running = await stream.state(task["id"], "running")
        origin.go.set()
        done = await stream.state(task["id"], "done")
        totals = await stream.until(lambda event: event.kind == "queue" and event.data["totals"]["done"] == 1)

    assert running.data["owner"] == "ada"
    assert running.data["url"] == origin.url()
    assert (done.data["mine"], done.data["percent"], bool(done.data["result_url"])) == (True, 100, True)
    assert totals.data == {
        "paused": False,
        "totals": {"queued": 0, "running": 0, "done": 1, "failed": 0, "cancelled": 0},
    }


@pytest.mark.gen_test
async def test_other_users_receive_no_addresses_and_no_owner_and_developers_everything(
    api: ApiClient, origin: SlowOrigin
) -> None:
    ada = await api.sign_up("ada")
    bob, dev = await api.new_client().sign_up("bob"), await api.new_client().sign_in("dev")
    async with (
        open_event_stream(bob) as bobs,
        open_event_stream(api.new_client()) as anonymous,
        open_event_stream(dev) as devs,
    ):
        for stream in (bobs, anonymous, devs):
            await subscribed(stream)

        task = await ada.add_task(origin.url())
        events = [await stream.state(task["id"], "running") for stream in (bobs, anonymous)]
        everything = await devs.state(task["id"], "running")
        origin.go.set()

    for event in events:
        assert event.data["mine"] is False
        assert not {"owner", "url", "source_id", "result_url"} & set(event.data)
        assert "127.0.0.1" not in str(event.data)
    assert everything.data["owner"] == "ada"
    assert everything.data["url"] == origin.url()


@pytest.mark.gen_test
async def test_the_owner_receives_positions_as_the_queue_moves(api: ApiClient, origin: SlowOrigin) -> None:
    ada = await api.sign_up("ada")
    async with open_event_stream(ada) as stream:
        await subscribed(stream)
        tasks = [await ada.add_task(origin.url(f"/{number}")) for number in range(4)]
        last = tasks[3]["id"]

        await stream.until(lambda event: event.data.get("id") == last and event.data.get("position") == 3)
        await ada.post("/api/tasks/cancel/", id=tasks[1]["id"])
        await stream.until(lambda event: event.data.get("id") == last and event.data.get("position") == 2)
        origin.go.set()


@pytest.mark.gen_test
async def test_other_users_read_positions_from_the_queue_and_not_from_events(
    api: ApiClient, origin: SlowOrigin
) -> None:
    ada, dev = await api.sign_up("ada"), await api.new_client().sign_in("dev")
    await dev.post("/api/tasks/pause/")
    async with open_event_stream(api) as own, open_event_stream(api.new_client()) as anonymous:
        await subscribed(own)
        await subscribed(anonymous)
        tasks = [(await ada.add_task(origin.url(f"/{number}")))["id"] for number in range(3)]
        await ada.post("/api/tasks/cancel/", id=tasks[0])
        await own.until(lambda event: event.data.get("id") == tasks[2] and event.data.get("position") == 2)
        await anonymous.until(lambda event: event.kind == "queue" and event.data["totals"]["cancelled"] == 1)
        queue = await api.new_client().get("/tasks/query/")

    assert [(task["id"], task["position"]) for task in queue["tasks"]] == [(tasks[1], 1), (tasks[2], 2)]
    assert {event.data["position"] for event in anonymous.events if event.kind == "task"} == {None}


@pytest.mark.parametrize("depth", [1, 1500])
@pytest.mark.gen_test
async def test_a_user_receives_the_position_of_a_task_at_any_depth(
    api: ApiClient, services: Services, origin: SlowOrigin, depth: int
) -> None:
    ada, dev = await api.sign_up("ada"), await api.new_client().sign_in("dev")
    await dev.post("/api/tasks/pause/")
    await _fill_queue(services, depth)
    async with open_event_stream(ada) as stream:
        await subscribed(stream)
        task = await ada.add_task(origin.url())
        await services.database.collection("tasks").update_one({"_id": task["id"]}, {"$set": {"round": 10_000}})
        await dev.post("/api/tasks/cancel/", id=1)

        await stream.until(lambda event: event.data.get("id") == task["id"] and event.data.get("position") == depth)
        await dev.post("/api/tasks/cancel/", id=task["id"])


async def _fill_queue(services: Services, count: int) -> None:
    """Queued tasks of another user, ids from 1 on."""
    new = NewTask(Owner(9, "eve"), url="u", type="model", style="mosaic", recipe={}, dedup_key="")
    record = to_document(new.with_id(0))
    records = [{**record, "_id": number, "round": number, "dedup_key": str(number)} for number in range(1, count + 1)]
    await services.database.collection("tasks", journaled=False).insert_many(records)


@pytest.mark.gen_test
async def test_a_client_resumes_after_its_last_event(api: ApiClient, origin: SlowOrigin) -> None:
    ada = await api.sign_up("ada")
    async with open_event_stream(ada) as stream:
        await stream.until(lambda event: event.kind == "reset")
        task = await ada.add_task(origin.url())
        running = await stream.state(task["id"], "running")
    origin.go.set()
    await until(lambda: _is_done(ada, task["id"]))

    async with open_event_stream(ada, Last_Event_ID=running.id) as stream:
        done = await stream.state(task["id"], "done")
        resets = [event for event in stream.events if event.kind == "reset"]

    assert done.data["result_url"]
    assert resets == []


async def _is_done(api: ApiClient, task_id: int) -> bool:
    return any(task["id"] == task_id for task in (await api.get("/tasks/query/"))["done"])


@pytest.mark.gen_test
async def test_the_time_to_reconnect_is_part_of_the_first_event(api: ApiClient) -> None:
    pieces: list[bytes] = []
    async with open_event_stream(api) as stream:
        await stream.until(lambda event: event.kind == "reset")
        pieces = [line.encode() for line in stream.lines]

    assert pieces[0] == b"retry: 2000\n"
    assert b"\n" not in pieces[: pieces.index(b"data: {}\n")]


@pytest.mark.gen_test
async def test_an_unknown_event_id_is_answered_with_reset(api: ApiClient) -> None:
    async with open_event_stream(api, Last_Event_ID="5" * 24) as stream:
        await stream.until(lambda event: event.kind == "reset")


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}])
@pytest.mark.gen_test
async def test_a_page_of_another_origin_may_not_subscribe(api: ApiClient, headers: dict[str, str]) -> None:
    async with open_event_stream(api, **headers) as stream:
        assert stream.status == 403


@pytest.mark.gen_test
async def test_everybody_receives_a_pause(api: ApiClient) -> None:
    dev = await api.new_client().sign_in("dev")
    async with open_event_stream(api) as stream:
        await subscribed(stream)

        await dev.post("/api/tasks/pause/")
        await stream.until(lambda event: event.kind == "queue" and event.data["paused"])
        await dev.post("/api/tasks/resume/")
