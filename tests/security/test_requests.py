"""Requirements 36 to 39: what a connection and a request may ask for."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from app import make_app
from handlers import API, Services
from handlers.http_server import Timeouts, listen
from handlers.users import EMAIL
from tests.security.measuring import FULL, Probe, forget_peak, memory_mib
from tests.security.raw_http import exchange, head
from tests.support.client import ApiClient, ApiResponse
from tests.support.process import ServerProcess
from tests.support.waiting import until

FIELD_S = 0.05
BEARS = Timeouts() if FULL else Timeouts(header_s=1.0, body_s=1.0, write_s=1.0)
"""In full what a server has; else a moment."""
SLACK_S = 5.0
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
LARGE_BYTES = 20_000_000


@pytest.fixture
def door(io_loop: Any, services: Services, http_server: Any) -> Iterator[str]:
    """The server's own door, whose patience is short; its address. (The other server closes the port of `base_url`.)"""

    async def start() -> tuple[Any, str]:
        listening = socket.create_server(("127.0.0.1", 0), backlog=600)
        listening.setblocking(False)
        app = make_app(services, cookie_secret="a secret for tests alone")
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        return listen(app, [listening], BEARS), url

    server, url = io_loop.run_sync(start)
    yield url
    server.stop()
    io_loop.run_sync(server.close_all_connections)


@pytest.fixture
def server(tmp_path: Path, mongodb_uri: str, database_name: str) -> Iterator[ServerProcess]:
    """A whole server as a process of its own, for what is counted by the kernel."""
    chosen = (f"--mongodb_uri={mongodb_uri}", f"--database={database_name}", "--workers=2")
    with ServerProcess(tmp_path / "data", *chosen) as started:
        yield started


@pytest.mark.requirement(36)
def test_the_doors_own_patience_is_what_is_asked_for() -> None:
    bears = Timeouts()

    assert bears.header_s <= 30
    assert bears.body_s <= 30
    assert bears.write_s <= 60


@pytest.mark.requirement(36)
@pytest.mark.gen_test(timeout=90)
async def test_those_who_are_silent_or_drip_are_closed_and_hold_nobody_up(door: str) -> None:
    body = head("/api/user/query/", "Content-Type: application/json", "Content-Length: 1000")
    drips = [b"GET / HTTP/1.1\r\nHost: x\r\n", *(b"X-Header: 1\r\n" for _ in range(200))]
    kinds = ([], drips, [body, *(b" " for _ in range(200))])
    async with Probe(door, "/api/styles/") as quiet:
        await asyncio.sleep(0.5)

    async with Probe(door, "/api/styles/") as others:
        closings = [exchange(door, *kinds[number % 3], every_s=0.2, within_s=30) for number in range(500)]
        ended = await asyncio.gather(*closings)

    assert max(seconds for _, seconds in ended) < min(30, BEARS.header_s + SLACK_S)
    assert others.slower_than(0.3 if FULL else 1.0, quiet) == ""
    print(f"500 closed after at most {max(seconds for _, seconds in ended):.1f} s; others waited {others.slow_s:.3f} s")


def served(port: int) -> int:
    """How many connections the kernel holds for a server here: proc(5), net/tcp; 01 is established."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(f":{port:04X}") and line[3] == "01" for line in lines)


@pytest.mark.requirement(36)
@pytest.mark.gen_test(timeout=120)
async def test_those_who_take_nothing_are_closed_and_cost_no_memory(
    door: str, services: Services, client: AsyncHTTPClient
) -> None:
    services.bucket.put("large.gif", GIF + bytes(LARGE_BYTES - len(GIF)), mime="image/gif")
    port = int(door.rpartition(":")[2])
    for path in ("/api/styles/", "/bucket/large.gif"):  # what the first of all requests takes is not theirs
        await client.fetch(door + path)
    before = memory_mib(os.getpid())

    async def all_closed() -> bool:
        return served(port) <= 1

    with contextlib.ExitStack() as idlers:
        for _ in range(100):
            idler = idlers.enter_context(socket.create_connection(("127.0.0.1", port)))
            idler.sendall(b"GET /bucket/large.gif HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0)
        assert served(port) > 1
        started = time.monotonic()
        async with Probe(door, "/api/styles/") as others:
            await until(all_closed, timeout_s=60 if FULL else 15)
        took_s, grown = time.monotonic() - started, memory_mib(os.getpid()) - before

    assert grown < 100
    assert others.slow_s < (0.3 if FULL else 3)
    print(f"100 closed after {took_s:.1f} s; {grown:.0f} MiB; others waited {others.slow_s:.3f} s")


@pytest.mark.requirement(36)
@pytest.mark.gen_test(timeout=60)
async def test_streams_of_events_and_slow_readers_stay(door: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.rpartition(":")[2]))
    writer.write(head("/tasks/events/", method="GET"))
    started = time.monotonic()

    async with asyncio.timeout(10):
        assert b"200" in await reader.readline()
        while time.monotonic() - started < 3:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    assert await reader.readline()
    assert not reader.at_eof()
    writer.close()


@pytest.mark.requirement(37)
@pytest.mark.gen_test(timeout=60)
async def test_more_than_a_request_may_hold_is_refused_and_costs_no_memory(
    server: ServerProcess, client: AsyncHTTPClient
) -> None:
    await ApiClient(client, server.base_url).sign_up("ada")
    add, form = "/api/user/add/", "Content-Type: application/x-www-form-urlencoded"
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(102))
    many = b"&".join(b"a%d=1" % n for n in range(1002))
    multipart, close = f"Content-Length: {len(parts)}", "Connection: close"
    bomb, json_type = gzip.compress(bytes(200 << 20), 1), "Content-Type: application/json"
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    attacks = {
        "101 MB": [head(add, "Content-Length: 101000000"), *([bytes(65536)] * (101_000_000 // 65536 + 1))],
        "10**30 bytes": [head(add, f"Content-Length: {10**30}"), bytes(1000)],
        "chunks without end": [head(add, "Transfer-Encoding: chunked"), *([chunk] * 2000)],
        "a bomb": [head(add, json_type, "Content-Encoding: gzip", f"Content-Length: {len(bomb)}", close), bomb],
        "a bomb for the bucket": [head("/up", "Content-Encoding: gzip", f"Content-Length: {len(bomb)}", close), bomb],
        "65 kB of headers": [head(add, *(f"X-{n}: {'y' * 60}" for n in range(1000)))],
        "101 parts": [head(add, "Content-Type: multipart/form-data; boundary=x", multipart, close), parts],
        "1001 fields": [head(add, form, f"Content-Length: {len(many)}", close), many],
        "40 kB of path": [head("/" + "a" * 40_000, method="GET")],
    }
    base = memory_mib(server.pid)
    forget_peak(server.pid)

    heard = {name: (await exchange(server.base_url, *pieces))[0] for name, pieces in attacks.items()}

    statuses = {name: said.split(b" ")[1] if said else b"closed" for name, said in heard.items()}
    assert set(statuses.values()) <= {b"400", b"413", b"431", b"closed"}, statuses
    assert memory_mib(server.pid, peak=True) < base + 50
    assert (await ApiClient(client, server.base_url).get("/health/")).status == 200


@pytest.mark.requirement(37)
@pytest.mark.gen_test
async def test_a_compressed_request_is_not_inflated(door: str) -> None:
    lines = ("Content-Type: application/json", "Content-Encoding: gzip", "Content-Length: 20", "Connection: close")

    said, _ = await exchange(door, head("/api/user/add/", *lines), b"\x1f\x8b" + bytes(18))

    assert said.startswith(b"HTTP/1.1 400 ")


@pytest.mark.requirement(38)
@pytest.mark.gen_test(timeout=40)
async def test_a_request_that_two_readers_could_read_in_two_ways_is_400_and_the_end(door: str) -> None:
    second = b"GET /health/ HTTP/1.1\r\nHost: x\r\n\r\n"
    chunked = b"0\r\n\r\n"
    get = "GET / HTTP/1.1\r\nHost: x\r\n"
    attacks = {
        "CL and TE": head("/", "Content-Length: 5", "Transfer-Encoding: chunked") + chunked,
        "two CL": head("/", "Content-Length: 0", "Content-Length: 5"),
        "signed CL": head("/", "Content-Length: +4") + b"abcd",
        "hexadecimal CL": head("/", "Content-Length: 0x4") + b"abcd",
        "xchunked": head("/", "Transfer-Encoding: xchunked") + chunked,
        "chunked twice": head("/", "Transfer-Encoding: chunked, chunked") + chunked,
        "two hosts": head("/", "Host: y", method="GET"),
        "no host": b"GET / HTTP/1.1\r\n\r\n",
        "blank before the colon": f"{get}X-A : b\r\n\r\n".encode(),
        "folded": f"{get}X-A: b\r\n c\r\n\r\n".encode(),
        "NUL in the method": b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n",
        "NUL in a header": f"{get}X-A: b\0c\r\n\r\n".encode(),
        "chunk size": head("/", "Transfer-Encoding: chunked") + b"+0\r\n\r\n",
    }

    heard = {name: (await exchange(door, attack + second))[0] for name, attack in attacks.items()}

    assert {name: said for name, said in heard.items() if not said.startswith(b"HTTP/1.1 400 ")} == {}
    assert {name: said for name, said in heard.items() if said.count(b"HTTP/1.1 ") != 1} == {}


async def as_json(api: ApiClient, body: bytes) -> ApiResponse:
    return await api.request("POST", "/api/user/query/", body=body, headers={"Content-Type": "application/json"})


@pytest.mark.requirement(39)
@pytest.mark.gen_test(timeout=40)
async def test_json_is_bounded_and_says_one_thing(api: ApiClient) -> None:
    def nested(depth: int) -> bytes:
        return b'{"username": "nobody", "x": ' + b"[" * depth + b"]" * depth + b"}"

    fine = await as_json(api, nested(30))
    deep = await as_json(api, nested(100_000))
    long = await as_json(api, b'{"username": "' + b"a" * 5_000_000 + b'"}')
    twice, nan = await as_json(api, b'{"a": 1, "a": 2}'), await as_json(api, b'{"username": NaN}')

    assert (fine.status, fine["error"]) == (200, "not_found")
    assert (deep.status, deep["error"]) == (400, "malformed_body")
    assert (long.status, long["error"]) == (413, "too_large")
    assert {(answer.status, answer["error"]) for answer in (twice, nan)} == {(400, "malformed_body")}


@pytest.mark.requirement(39)
@pytest.mark.gen_test(timeout=60)
async def test_no_field_takes_long_to_refuse(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    shapes = ("a" * 100_000 + "!", "@" * 100_000, "a@" * 50_000, "." * 100_000, " " * 100_000, "{" * 100_000)
    plain = [(path, handler.params) for path, handler, _ in API if "(?P<" not in path]
    fields = [(path, name) for path, parameters in plain for name in parameters.model_fields]
    took_s: dict[tuple[str, str, str], float] = {}

    for path, name in fields:
        for shape in shapes:
            took_s[path, name, shape[:2]] = float("inf")
            for _ in range(3):  # whatever is slow by itself is slow each time; Python's collector is not
                before = time.thread_time()
                await ada.post(path, **{name: shape})
                took_s[path, name, shape[:2]] = min(took_s[path, name, shape[:2]], time.thread_time() - before)
                if took_s[path, name, shape[:2]] < FIELD_S:
                    break
    for shape in shapes:
        before = time.thread_time()
        EMAIL.fullmatch(shape)
        took_s["", "email", shape[:2]] = time.thread_time() - before

    assert len(fields) > 30
    slowest = max(took_s, key=lambda one: took_s[one])
    assert took_s[slowest] < FIELD_S, f"{slowest}: of client and server together, on one loop"
