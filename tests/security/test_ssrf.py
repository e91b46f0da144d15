"""Requirements 1 to 9 through the whole server: tasks reach no address that the operator did not allow.

The settings are the most permissive possible: any host, and explicitly the ports that no download may reach. The
rules themselves are tested in tests/processing/fetch.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from handlers.services import Services
from processing.fetch.allowlist import FetchPolicy
from settings import Settings
from tests.processing.fetch.test_allowlist import LOOPBACK_HOSTS
from tests.support.client import ApiClient
from tests.support.fake_hosts import FakeHost, UntouchedPort, fake_host, http_response
from tests.support.pictures import png
from tests.support.waiting import finished, until

DEADLINE_S = 0.6
DRIP_INTERVAL_S = 0.05
UNROUTED = "3ffe::1"  # counts as public and has not been routed since 2006
LAST_RETRY = 5


class Resolver:
    """A name server with scripted answers, one after the other; asks the system for all other names."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}

    def __call__(self, host: str, port: int) -> Sequence[str]:
        if host in self.answers:
            remaining = self.answers[host]
            return remaining.pop(0) if len(remaining) > 1 else remaining[0]
        return [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@pytest.fixture
def resolver() -> Resolver:
    return Resolver()


@pytest.fixture
def fetch_policy(resolver: Resolver) -> FetchPolicy:
    return FetchPolicy(resolve=resolver, timeout_s=DEADLINE_S)


@pytest.fixture
def private_port() -> Iterator[UntouchedPort]:
    """A loopback port that no download may connect to."""
    with contextlib.closing(UntouchedPort()) as listener:
        yield listener


@pytest.fixture
def allowed_host() -> Iterator[FakeHost]:
    """A server that the operator allows; each test sets its answer."""
    with fake_host(http_response(png())) as server:
        yield server


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that the operator allows and where nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def settings(
    settings_of: Callable[..., Settings], private_port: UntouchedPort, allowed_host: FakeHost, closed_port: int
) -> Settings:
    allowed = ("*", f"*:{private_port.port}", allowed_host.address, f"127.0.0.1:{closed_port}")
    return settings_of(allowed_sources=allowed)


async def outcomes(api: ApiClient, services: Services, *urls: str) -> list[dict[str, Any]]:
    """For each URL the error response, or the task once it is final. A failed download is not retried."""
    await services.queue.pause(True)
    responses = [await api.post("/api/tasks/add/", url=url) for url in urls]
    await services.database.collection("tasks").update_many({}, {"$set": {"retries": LAST_RETRY}})
    await services.queue.pause(False)
    ids = {response["task"]["id"] for response in responses if response["code"] == 1}

    async def final_tasks() -> dict[int, dict[str, Any]] | None:
        tasks = {task["id"]: task for task in (await api.get("/tasks/query/", limit=1000))["done"]}
        return tasks if ids <= tasks.keys() else None

    tasks = await until(final_tasks) or {}
    assert all(response.status == 200 for response in responses)
    return [tasks[response["task"]["id"]] if response["code"] == 1 else response.json for response in responses]


@pytest.mark.requirement(1)
@pytest.mark.gen_test
async def test_no_spelling_of_loopback_in_a_task_reaches_a_local_port(
    api: ApiClient, services: Services, private_port: UntouchedPort
) -> None:
    ada = await api.sign_up("ada")
    hosts = [host for host in (*LOOPBACK_HOSTS, "localhost", "LOCALHOST") if "#" not in host]
    urls = [f"{scheme}://{host}:{private_port.port}/a.jpg" for host in hosts for scheme in ("http", "HTTP")]
    urls.append(f"http://127.0.0.1:{private_port.port}#@example.com/a.jpg")

    ends = await outcomes(ada, services, *urls)

    assert all(end.get("state") == "failed" or end.get("code", 1) < 1 for end in ends)
    assert not private_port.touched


@pytest.mark.requirement(3, 4, 9)
@pytest.mark.gen_test
async def test_tasks_that_lead_to_private_addresses_fail_like_all_failed_downloads(
    api: ApiClient,
    services: Services,
    allowed_host: FakeHost,
    resolver: Resolver,
    private_port: UntouchedPort,
    closed_port: int,
) -> None:
    ada = await api.sign_up("ada")
    inside = f"http://127.0.0.1:{private_port.port}/"
    resolver.answers = {
        "inside.test": [["127.0.0.1"]],
        "rebinds.test": [[UNROUTED], ["127.0.0.1"]],
        "first-public.test": [[UNROUTED, "127.0.0.1"]],
        "first-private.test": [["127.0.0.1", UNROUTED]],
    }

    def answer(connection: socket.socket) -> None:
        path = allowed_host.requests[-1].split()[1].decode()
        if path == "/silent":
            allowed_host.closing.wait(120)
        elif path != "/closed":
            location = "/302" if path == "/302" else inside
            connection.sendall(http_response(b"secret body", status=f"{path[1:]} Status", Location=location))

    allowed_host.responder = answer
    paths = ("/silent", "/closed", "/500", "/403", "/301", "/302", "/303", "/307", "/308")
    urls = [
        *(allowed_host.url(path) for path in paths),
        *(f"http://{name}:{private_port.port}/" for name in resolver.answers),
        f"http://[{UNROUTED}]/",
        f"http://127.0.0.1:{closed_port}/",
    ]

    ends = await outcomes(ada, services, *urls)

    public = [{name: end[name] for name in ("state", "error", "message", "result_url")} for end in ends]
    assert [each for each in public if each != public[0]] == []
    assert public[0]["error"] == "could_not_fetch"
    assert not private_port.touched
    assert sum(b"GET /302 " in request for request in allowed_host.requests) == 4, "the request and three hops"
    assert "secret" not in json.dumps(ends)
    assert "127.0.0.1" not in public[0]["message"]


@pytest.mark.requirement(7)
@pytest.mark.gen_test
async def test_slow_sources_of_one_user_do_not_keep_another_user_waiting(
    api: ApiClient, allowed_host: FakeHost, expect_log: Callable[[str], None]
) -> None:
    expect_log("could_not_fetch; trying again")
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    url = (await bob.upload())["url"]

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not allowed_host.closing.wait(DRIP_INTERVAL_S):
            connection.sendall(b"\x89")

    allowed_host.responder = drip
    slow = [await ada.add_task(allowed_host.url(f"/{number}")) for number in range(30)]
    task = await bob.add_task(url)

    async def first_download_ended() -> bool:
        response = (await ada.get("/tasks/query/", id=slow[0]["id"])).json
        (task,) = response["tasks"] + response["done"]
        return bool(task["attempts"] and task["state"] != "running")

    await until(first_download_ended)
    await finished(bob, task["id"])
    assert len(set(allowed_host.requests)) < 15, "bob's task ran before most of ada's 30"


@pytest.mark.requirement(8)
@pytest.mark.gen_test
async def test_the_content_of_a_source_decides_and_not_its_content_type(
    api: ApiClient, services: Services, allowed_host: FakeHost
) -> None:
    ada = await api.sign_up("ada")

    allowed_host.responder = lambda connection: connection.sendall(http_response(png(), Content_Type="text/html"))
    (image,) = await outcomes(ada, services, allowed_host.url("/a"))
    allowed_host.responder = lambda connection: connection.sendall(http_response(b"<html>", Content_Type="image/png"))
    (page,) = await outcomes(ada, services, allowed_host.url("/b"))

    assert (image["state"], page["error"]) == ("done", "not_a_picture")
