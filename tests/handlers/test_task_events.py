"""Server-sent events: who is told what, when, and after a break."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from handlers import Services
from handlers.broadcast import UNREAD_BYTES
from models.images import Owner
from models.queue.tasks import new_task, to_document
from settings import Settings
from tests.handlers.sse_client import SseClient, open_event_stream
from tests.support.client import ApiClient
from tests.support.fake_hosts import Origin
from tests.support.pictures import png
from tests.support.waiting import until


class SlowOrigin(Origin):
    """A host whose pictures come when the test says so."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.go = threading.Event()

    def _answer(self, connection: socket.socket) -> None:
        self.go.wait(20)
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
        thread.join(10)


@pytest.fixture
def settings(settings_of: Callable[..., Settings], origin: SlowOrigin) -> Settings:
    return settings_of(allowed_sources=(origin.address,), developers=("dev",), workers=1)


@pytest.mark.gen_test
async def test_every_state_is_told_to_its_owner_within_three_tenths_of_a_second(api: ApiClient, origin: SlowOrigin) -> None:
    ada = await api.sign_up("ada")
    async with open_event_stream(ada) as stream:
        await stream.until(lambda event: event.kind == "queue")

        task = await ada.make(origin.url())
        added_at = asyncio.get_running_loop().time()
        running = await stream.state(task["id"], "running")
        origin.go.set()
        done = await stream.state(task["id"], "done")
        totals = await stream.until(lambda event: event.kind == "queue" and event.data["totals"]["done"] == 1)

    assert running.at - added_at < 0.3
    assert running.data["owner"] == "ada"
    assert running.data["url"] == origin.url()
    assert (done.data["mine"], done.data["percent"], bool(done.data["result_url"])) == (True, 100, True)
    assert totals.data["paused"] is False


@pytest.mark.gen_test
async def test_others_are_told_without_addresses_and_owners_and_developers_everything(
    api: ApiClient, origin: SlowOrigin
) -> None:
    ada, bob, dev = await api.sign_up("ada"), await api.new_client().sign_up("bob"), await api.new_client().sign_up("dev")
    async with open_event_stream(bob) as bobs, open_event_stream(api.new_client()) as strangers, open_event_stream(dev) as devs:
        for stream in (bobs, strangers, devs):
            await stream.until(lambda event: event.kind == "queue")

        task = await ada.make(origin.url())
        told = [await stream.state(task["id"], "running") for stream in (bobs, strangers)]
        everything = await devs.state(task["id"], "running")
        origin.go.set()

    for seen in told:
        assert seen.data["mine"] is False
        assert not {"owner", "url", "source_id", "result_url"} & set(seen.data)
        assert "127.0.0.1" not in str(seen.data)
    assert everything.data["owner"] == "ada"
    assert everything.data["url"] == origin.url()


@pytest.mark.gen_test
async def test_positions_are_told_as_the_queue_moves(api: ApiClient, origin: SlowOrigin) -> None:
    ada = await api.sign_up("ada")
    async with open_event_stream(ada) as stream:
        await stream.until(lambda event: event.kind == "queue")
        tasks = [await ada.make(origin.url(f"/{number}")) for number in range(4)]
        last = tasks[3]["id"]

        await stream.until(lambda event: event.data.get("id") == last and event.data.get("position") == 3)
        await ada.post("/api/tasks/cancel/", id=tasks[1]["id"])
        await stream.until(lambda event: event.data.get("id") == last and event.data.get("position") == 2)
        origin.go.set()


@pytest.mark.gen_test
async def test_a_stranger_can_follow_the_order_of_the_whole_queue(api: ApiClient, origin: SlowOrigin) -> None:
    ada, bob, dev = await api.sign_up("ada"), await api.new_client().sign_up("bob"), await api.new_client().sign_up("dev")
    stranger = api.new_client()
    await dev.post("/api/tasks/pause/")
    async with open_event_stream(stranger) as stream:
        await stream.until(lambda event: event.kind == "queue")
        tasks = [(await ada.make(origin.url(f"/{number}")))["id"] for number in range(4)]
        start = await stranger.get("/tasks/query/")
        for number in (1, 2):
            tasks.append((await bob.make(origin.url(f"/bob/{number}")))["id"])
        await ada.post("/api/tasks/cancel/", id=tasks[1])

        async def look() -> bool:
            now = await stranger.get("/tasks/query/")
            return _followed(start.json, stream) == (now["sight"], [task["id"] for task in now["tasks"]])

        await until(look)
        order = _followed(start.json, stream)[1]
        origin.go.set()

    assert sorted(order) == sorted([tasks[0], *tasks[2:]])
    assert order.index(tasks[4]) < order.index(tasks[3])


@pytest.mark.parametrize("deep", [1, 1500])
@pytest.mark.gen_test
async def test_a_person_is_told_the_position_of_a_task_however_deep_it_waits(
    api: ApiClient, services: Services, origin: SlowOrigin, deep: int
) -> None:
    ada, dev = await api.sign_up("ada"), await api.new_client().sign_up("dev")
    await dev.post("/api/tasks/pause/")
    await _crowd(services, deep)
    async with open_event_stream(ada) as stream:
        await stream.until(lambda event: event.kind == "queue")
        task = await ada.make(origin.url())
        await services.database.collection("tasks").update_one({"_id": task["id"]}, {"$set": {"turn": 10_000}})
        await dev.post("/api/tasks/cancel/", id=1)

        await stream.until(lambda event: event.data.get("id") == task["id"] and event.data.get("position") == deep)
        await dev.post("/api/tasks/cancel/", id=task["id"])


async def _crowd(services: Services, count: int) -> None:
    """So many waiting tasks of somebody else, ids from 1 on."""
    plain = to_document(new_task(Owner(9, "eve"), url="u", type="model", style="mosaic", recipe={}, identity=""))
    many = [{**plain, "_id": number, "turn": number, "identity": str(number)} for number in range(1, count + 1)]
    await services.database.collection("tasks", journaled=False).insert_all(many)


def _followed(start: dict[str, Any], stream: SseClient) -> tuple[int, list[int]]:
    """Number and order of the last look that was told, as a client works it out."""
    number, order = start["sight"], [task["id"] for task in start["tasks"]]
    for event in stream.events:
        for sight, left, came in event.data.get("moves", []):
            if sight > number:
                assert sight == number + 1, "a move is missing"
                number = sight
                for position in reversed(left):
                    del order[position - 1]
                for position, task_id in came:
                    order.insert(position - 1, task_id)
    return number, order


@pytest.mark.gen_test
async def test_beyond_their_limit_listeners_are_told_when_to_come_back(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.events.LISTENERS_LIMIT", 1)
    async with open_event_stream(api) as stream:
        await stream.until(lambda event: event.kind == "queue")

        refused = await api.new_client().get("/tasks/events/")

    assert (refused.status, refused["error"], refused.headers["Retry-After"]) == (503, "overloaded", "30")


@pytest.mark.gen_test
async def test_a_break_is_made_up_for(api: ApiClient, origin: SlowOrigin) -> None:
    ada = await api.sign_up("ada")
    async with open_event_stream(ada) as stream:
        await stream.until(lambda event: event.kind == "reset")
        task = await ada.make(origin.url())
        running = await stream.state(task["id"], "running")
    origin.go.set()
    await until(lambda: _done(ada, task["id"]))

    async with open_event_stream(ada, Last_Event_ID=running.id) as stream:
        done = await stream.state(task["id"], "done")
        resets = [event for event in stream.events if event.kind == "reset"]

    assert done.data["result_url"]
    assert resets == []


@pytest.mark.gen_test
async def test_an_id_that_nobody_knows_is_told_to_ask_again(api: ApiClient) -> None:
    async with open_event_stream(api, Last_Event_ID="5" * 24) as stream:
        await stream.until(lambda event: event.kind == "reset")


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}])
@pytest.mark.gen_test
async def test_a_foreign_page_may_not_listen(api: ApiClient, headers: dict[str, str]) -> None:
    async with open_event_stream(api, **headers) as stream:
        assert stream.status == 403


@pytest.mark.gen_test
async def test_a_quiet_line_is_kept_alive(api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.broadcast.HEARTBEAT_S", 0.1)
    async with open_event_stream(api) as stream:

        async def look() -> bool:
            return stream.comments > 0

        await until(look, timeout_s=5)


@pytest.mark.gen_test
async def test_a_listener_that_does_not_read_is_dropped_and_holds_nobody_back(api: ApiClient, services: Services) -> None:
    place = urlsplit(api.base_url)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect((place.hostname, place.port))
    deaf.sendall(f"GET /tasks/events/ HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
    await until(lambda: _subscribers(services, 1))
    [listener] = services.broadcaster._subscribers
    async with open_event_stream(api) as stream:
        await stream.until(lambda event: event.kind == "queue")

        most = 0
        for _ in range(400):
            await services.broadcaster._send_all(lambda _: b":" + b" " * 30_000 + b"\n\n")
            most = max(most, listener.unread_bytes)
            await asyncio.sleep(0.001)
        await until(lambda: _subscribers(services, 1))

        assert not stream.closed
        assert listener not in services.broadcaster._subscribers
        assert most <= UNREAD_BYTES + 30_003
    deaf.close()


@pytest.mark.gen_test
async def test_a_page_that_goes_away_is_forgotten(api: ApiClient, services: Services) -> None:
    async with open_event_stream(api) as stream:
        await stream.until(lambda event: event.kind == "queue")
        assert services.broadcaster.subscriber_count == 1

    await until(lambda: _subscribers(services, 0), timeout_s=5)


@pytest.mark.gen_test
async def test_a_pause_is_told_to_everybody(api: ApiClient) -> None:
    dev = await api.new_client().sign_up("dev")
    async with open_event_stream(api) as stream:
        await stream.until(lambda event: event.kind == "queue")

        await dev.post("/api/tasks/pause/")
        await stream.until(lambda event: event.kind == "queue" and event.data["paused"])
        await dev.post("/api/tasks/resume/")


async def _done(api: ApiClient, task_id: int) -> bool:
    return any(task["id"] == task_id for task in (await api.get("/tasks/query/"))["done"])


async def _subscribers(services: Services, count: int) -> bool:
    return services.broadcaster.subscriber_count == count
