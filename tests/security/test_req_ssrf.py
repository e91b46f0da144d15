"""Requirements 1 to 9: what a person sends leads nowhere but to the places that the operator named.

The operator of these tests is as careless as the settings allow: any host, on the ports of the traps too.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from handlers import Parts
from processing.fetch.allowlist import FetchRules
from processing.fetch.connection import Line
from settings import Settings
from tests.processing.fetch.test_allowlist import INSIDE_HOSTS, LOOPBACK_HOSTS, NO_URLS
from tests.security.measuring import FULL
from tests.support.client import Api
from tests.support.fake_hosts import Listener, Origin, origin, reply
from tests.support.kodo_serving import serving_on
from tests.support.kodo_state import Kodo
from tests.support.pictures import png
from tests.support.waiting import until

DEADLINE_S = 0.6
DRIP_EVERY_S = 1.0 if FULL else 0.05
NOWHERE = "3ffe::1"
"""Counts as public, and is routed nowhere since 2006."""
LAST_TRY = 5


class Names:
    """A name server: what it is told to answer, one answer after the other; any other name it asks the system for."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}

    def __call__(self, host: str, port: int) -> Sequence[str]:
        if host in self.answers:
            left = self.answers[host]
            return left.pop(0) if len(left) > 1 else left[0]
        return [str(place[0]) for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def fetching(names: Names) -> FetchRules:
    return FetchRules(resolve=names, timeout_s=DEADLINE_S)


@pytest.fixture
def trap() -> Iterator[Listener]:
    """A port here that nobody may touch."""
    with contextlib.closing(Listener()) as listener:
        yield listener


@pytest.fixture
def outside() -> Iterator[Origin]:
    """A server that the operator allows; a test says what it answers."""
    with origin(reply(png())) as server:
        yield server


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port that the operator allows and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def settings(settings_of: Any, trap: Listener, outside: Origin, refusing: int) -> Settings:
    return settings_of(allowed_sources=("*", f"*:{trap.port}", outside.place, f"127.0.0.1:{refusing}"))


async def ended(person: Api, parts: Parts, *urls: str, timeout_s: float = 2 + DEADLINE_S) -> list[dict[str, Any]]:
    """What becomes of a task for each address: the refusal, or the task once it is over; one failure is enough."""
    await parts.queue.pause(True)
    answers = [await person.post("/api/tasks/add/", url=url) for url in urls]
    await parts.database.collection("tasks").change_all({}, {"$set": {"tries": LAST_TRY}})
    await parts.queue.pause(False)
    ids = {answer["task"]["id"] for answer in answers if answer["code"] == 1}

    async def look() -> dict[int, dict[str, Any]] | None:
        done = {task["id"]: task for task in (await person.get("/tasks/query/", limit=1000))["done"]}
        return done if ids <= done.keys() else None

    done = await until(look, timeout_s=timeout_s) or {}
    assert all(answer.status == 200 for answer in answers)
    return [done[answer["task"]["id"]] if answer["code"] == 1 else answer.json for answer in answers]


def fruitless(endings: list[dict[str, Any]]) -> bool:
    return all(end.get("state") == "failed" or end.get("code", 1) < 1 for end in endings)


@pytest.mark.gen_test(timeout=40)
async def test_req_01_no_spelling_of_loopback_in_a_task_touches_a_port_here(
    api: Api, parts: Parts, trap: Listener
) -> None:
    ada = await api.sign_up("ada")
    hosts = [*LOOPBACK_HOSTS, "localhost", "LOCALHOST"]
    urls = [f"{scheme}://{host}:{trap.port}/a.jpg" for host in hosts for scheme in ("http", "HTTP") if "#" not in host]
    urls.append(f"http://127.0.0.1:{trap.port}#@example.com/a.jpg")

    endings = await ended(ada, parts, *urls)

    assert fruitless(endings)
    assert not trap.touched


@pytest.mark.gen_test(timeout=40)
async def test_req_02_no_inside_address_in_a_task_is_sent_a_packet(api: Api, parts: Parts, trap: Listener) -> None:
    ada = await api.sign_up("ada")
    urls = [f"http://{host}{port}/a.jpg" for host in INSIDE_HOSTS for port in ("", f":{trap.port}")]

    answers = [await ada.post("/api/tasks/add/", url=url) for url in urls]

    assert {(answer.status, answer["code"], answer["error"]) for answer in answers} == {
        (200, -1, "source_not_allowed")
    }, "a name that leads there: test_req_02 in tests/processing/fetch/test_fetch_refusals.py"


@pytest.mark.gen_test(timeout=40)
async def test_req_03_a_task_is_not_redirected_inside_nor_for_ever(
    api: Api, parts: Parts, trap: Listener, outside: Origin
) -> None:
    ada = await api.sign_up("ada")
    inside = f"http://127.0.0.1:{trap.port}/"

    def answer(connection: socket.socket) -> None:
        path = outside.requests[-1].split()[1].decode()
        code, _, hops = path.strip("/").partition("/")
        onward = inside if hops == "0" else path if hops == "loop" else f"/{code}/{int(hops) - 1}"
        connection.sendall(reply(status=f"{code} Moved", Location=onward))

    outside.answer = answer
    codes = (301, 302, 303, 307, 308)
    paths = [*(f"/{code}/{hops}" for code in codes for hops in (0, 2, 5)), *(f"/{code}/loop" for code in codes)]

    endings = [(await ended(ada, parts, outside.url(path)))[0] for path in paths]

    assert fruitless(endings)
    assert not trap.touched
    for code in codes:
        assert sum(f"GET /{code}/loop ".encode() in request for request in outside.requests) == 4, "itself, three hops"


@pytest.mark.gen_test
async def test_req_04_a_name_that_changes_its_mind_or_has_two_answers_leads_nowhere(
    api: Api, parts: Parts, trap: Listener, names: Names
) -> None:
    ada = await api.sign_up("ada")
    names.answers = {
        "rebinds.test": [[NOWHERE], ["127.0.0.1"]],
        "twofold.test": [[NOWHERE, "127.0.0.1"]],
        "backward.test": [["127.0.0.1", NOWHERE]],
        "inside.test": [["127.0.0.1"]],
    }

    endings = await ended(ada, parts, *(f"http://{name}:{trap.port}/" for name in names.answers))

    assert {end["error"] for end in endings} == {"could_not_fetch"}
    assert not trap.touched


@pytest.mark.gen_test
async def test_req_05_what_is_no_clean_address_is_refused_before_anything_is_fetched(api: Api, outside: Origin) -> None:
    ada = await api.sign_up("ada")
    urls = [*(url for url in NO_URLS if "\ud800" not in url), outside.url("/\r\nX-Injected: 1"), f"//{outside.place}/"]

    answers = [await ada.post("/api/tasks/add/", url=url) for url in urls]
    surrogate = await ada.ask(
        "POST",
        "/api/tasks/add/",
        body=b'{"url": "http://photos.example.com/\\ud800"}',
        headers={"Content-Type": "application/json"},
    )

    assert {(answer.status, answer["code"], answer["error"], answer["field"]) for answer in answers} == {
        (200, -1, "bad_parameter", "url")
    }
    assert (surrogate.status, surrogate["error"]) == (400, "malformed_body")
    assert outside.requests == []


@pytest.mark.gen_test
async def test_req_06_other_ports_are_refused_and_a_proxy_of_the_environment_is_not_used(
    api: Api, parts: Parts, trap: Listener, outside: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    ada = await api.sign_up("ada")

    refusals = [await ada.post("/api/tasks/add/", url=f"http://a.example:{n}/") for n in (22, 25, 6379, 27017, 8080)]
    (fetched,) = await ended(ada, parts, outside.url("/a.png"), timeout_s=10)

    assert {answer["error"] for answer in refusals} == {"source_not_allowed"}
    assert fetched["state"] == "done"
    assert not trap.touched


class TestReq07:
    """In full: a byte a second, and the deadline that a server has."""

    @pytest.fixture
    def fetching(self, names: Names) -> FetchRules:
        return FetchRules(resolve=names) if FULL else FetchRules(resolve=names, timeout_s=DEADLINE_S)

    @pytest.mark.gen_test(timeout=150 if FULL else 40)
    async def test_req_07_servers_that_drip_do_not_keep_others_waiting(
        self, api: Api, parts: Parts, outside: Origin, fetching: FetchRules, expect_log: Any
    ) -> None:
        expect_log("could_not_fetch; trying again")
        ada, bob = await api.sign_up("ada"), await api.newcomer().sign_up("bob")
        url = (await bob.upload())["url"]

        def answer(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not outside.closing.wait(DRIP_EVERY_S):
                connection.sendall(b"\x89")

        outside.answer = answer
        asked = [await ada.make(outside.url(f"/{number}")) for number in range(100)]
        started = time.monotonic()
        tasks = [await bob.make(url, {"style": "mosaic", "seed": number}) for number in range(3)]

        async def over() -> bool:
            done = {done["id"] for done in (await bob.get("/tasks/query/"))["done"]}
            return {task["id"] for task in tasks} <= done

        async def tried() -> bool:
            """A first download was given up: its task waits for another try."""
            listed = (await ada.get("/tasks/query/", id=asked[0]["id"])).json
            (task,) = listed["tasks"] + listed["done"]
            return bool(task["attempts"] and task["state"] != "running")

        await until(tried, timeout_s=fetching.timeout_s + 10)
        assert time.monotonic() - started < fetching.timeout_s + (1 if FULL else 5)
        await until(over, timeout_s=3 * fetching.timeout_s + 10)
        assert len(outside.requests) < 30, "the hundred were waited for"


class Read:
    """Bytes that downloads have taken from their sockets."""

    bytes = 0


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """A count at the one place where a download receives."""
    count, receive = Read(), Line._receive

    def counting(line: Line, buffer: Any) -> int:
        size = receive(line, buffer)
        count.bytes += size
        return size

    monkeypatch.setattr(Line, "_receive", counting)
    return count


@pytest.mark.gen_test
async def test_req_07_a_body_without_end_and_a_gzip_bomb_are_cut_at_the_limit(
    api: Api, parts: Parts, outside: Origin, settings: Settings, read: Read
) -> None:
    ada = await api.sign_up("ada")
    bomb = gzip.compress(bytes(64 << 20), 1)

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not outside.closing.is_set():
            connection.sendall(bytes(1 << 16))

    outside.answer = flood
    (endless,) = await ended(ada, parts, outside.url("/endless"), timeout_s=10)
    of_endless, read.bytes = read.bytes, 0
    outside.answer = lambda connection: connection.sendall(reply(bomb, Content_Encoding="gzip"))
    (inflated,) = await ended(ada, parts, outside.url("/bomb"), timeout_s=10)

    assert endless["error"] in ("source_too_large", "could_not_fetch")
    assert settings.max_upload_bytes < of_endless <= settings.max_upload_bytes + (1 << 20)
    assert inflated["error"] == "not_a_picture", "what it is as it came"
    assert read.bytes < len(bomb) + 1000


class TestReq08:
    """The bucket is Kodo's."""

    @pytest.fixture
    def kodo(self, io_loop: Any, trap: Listener) -> Iterator[Kodo]:
        with serving_on(io_loop, Kodo("security-access-key", "security-secret-key", "pictures")) as kodo:
            yield kodo

    @pytest.fixture
    def settings(self, settings_of: Any, kodo: Kodo) -> Settings:
        return settings_of(
            qiniu_access_key=kodo.access_key,
            qiniu_secret_key="security-secret-key",
            qiniu_bucket=kodo.bucket,
            qiniu_domain=f"{kodo.base}/io",
            qiniu_uc_url=kodo.base,
        )

    @pytest.mark.gen_test(timeout=40)
    async def test_req_08_an_object_of_the_bucket_that_redirects_inside_is_not_followed(
        self, api: Api, parts: Parts, kodo: Kodo, trap: Listener, expect_log: Any
    ) -> None:
        expect_log("download answered with 302|bucket_unavailable")
        ada = await api.sign_up("ada")
        url = (await ada.upload())["url"]
        kodo.faults.redirect = f"http://127.0.0.1:{trap.port}/"
        await parts.queue.pause(True)
        task = await ada.make(url)
        await parts.database.collection("tasks").change_all({}, {"$set": {"tries": 13}})

        await parts.queue.pause(False)

        async def look() -> dict[str, Any] | None:
            return next((each for each in (await ada.get("/tasks/query/"))["done"] if each["id"] == task["id"]), None)

        assert (await until(look))["error"] == "bucket_unavailable"
        assert not trap.touched


@pytest.mark.gen_test
async def test_req_08_what_a_server_calls_its_answer_does_not_matter(api: Api, parts: Parts, outside: Origin) -> None:
    ada = await api.sign_up("ada")

    outside.answer = lambda connection: connection.sendall(reply(png(), Content_Type="text/html"))
    (called_html,) = await ended(ada, parts, outside.url("/a"), timeout_s=10)
    outside.answer = lambda connection: connection.sendall(reply(b"<html></html>", Content_Type="image/png"))
    (called_png,) = await ended(ada, parts, outside.url("/b"), timeout_s=10)

    assert (called_html["state"], called_png["error"]) == ("done", "not_a_picture")


@pytest.mark.gen_test(timeout=40)
async def test_req_09_a_failed_task_does_not_tell_what_is_behind_an_address(
    api: Api, parts: Parts, outside: Origin, names: Names, trap: Listener, refusing: int
) -> None:
    ada = await api.sign_up("ada")
    names.answers = {"inside.test": [["127.0.0.1"]]}

    def answer(connection: socket.socket) -> None:
        path = outside.requests[-1].split()[1]
        if path == b"/silent":
            outside.closing.wait(5)
        elif path != b"/closed":
            connection.sendall(
                reply(b"secret inner words", status=f"{path[1:].decode()} Whatever", Location="http://0/")
            )

    outside.answer = answer
    paths = [outside.url(path) for path in ("/silent", "/closed", "/500", "/403", "/302")]
    urls = [
        *paths,
        f"http://inside.test:{trap.port}/",
        f"http://{NOWHERE.join('[]')}/",
        f"http://127.0.0.1:{refusing}/",
    ]

    endings = await ended(ada, parts, *urls, timeout_s=20)

    told = [{name: end[name] for name in ("state", "error", "message", "result_url")} for end in endings]
    assert [each for each in told if each != told[0]] == []
    assert told[0]["error"] == "could_not_fetch"
    assert "secret" not in json.dumps(endings)
    assert "127.0.0.1" not in told[0]["message"]
