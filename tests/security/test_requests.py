"""Requirements 36 to 39: limits of connections and of requests."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from app import make_app
from handlers import API
from handlers.endpoint import Endpoint
from handlers.services import Services
from handlers.transport.http_server import Timeouts, listen
from tests.security.process_memory import memory_mib, reset_peak_memory
from tests.security.raw_http import exchange, head
from tests.support.client import ApiClient
from tests.support.process import ServerProcess
from tests.support.waiting import LIMIT_S

MAX_CPU_S = 0.05
JSON = {"Content-Type": "application/json"}
SHORT_TIMEOUTS = Timeouts(header_s=0.4, body_s=0.4, write_s=0.4)


@pytest.fixture
def server_url(io_loop: Any, services: Services, http_server: Any) -> Iterator[str]:
    """The application on a server with short timeouts; its URL. (`http_server` closes the port of `base_url`.)"""

    async def start() -> tuple[Any, str]:
        listening = socket.create_server(("127.0.0.1", 0), backlog=600)
        listening.setblocking(False)
        app = make_app(services, cookie_secret="a secret for tests alone")
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        return listen(app, [listening], SHORT_TIMEOUTS), url

    server, url = io_loop.run_sync(start)
    yield url
    server.stop()
    io_loop.run_sync(server.close_all_connections)


@pytest.fixture
def server(tmp_path: Path, mongodb_uri: str, database_name: str) -> Iterator[ServerProcess]:
    """A server as a process of its own, whose memory the kernel counts."""
    options = (f"--mongodb_uri={mongodb_uri}", f"--database={database_name}", "--workers=2")
    with ServerProcess(tmp_path / "data", *options) as started:
        yield started


@pytest.mark.requirement(36)
def test_the_default_timeouts_are_at_most_30_seconds_and_60_for_writing() -> None:
    timeouts = Timeouts()

    assert timeouts.header_s <= 30
    assert timeouts.body_s <= 30
    assert timeouts.write_s <= 60


@pytest.mark.requirement(36)
@pytest.mark.gen_test
async def test_silent_and_dripping_connections_are_closed(server_url: str) -> None:
    body_head = head("/api/user/query/", "Content-Type: application/json", "Content-Length: 1000")
    clients = {
        "silent": [],
        "dripping header": [b"GET / HTTP/1.1\r\nHost: x\r\n", *[b"X-Header: 1\r\n"] * 200],
        "dripping body": [body_head, *[b" "] * 200],
    }

    closed = await asyncio.gather(*(exchange(server_url, *pieces, every_s=0.1) for pieces in clients.values()))

    assert [response for response in closed if b" 200 " in response] == []


@pytest.mark.requirement(36)
@pytest.mark.gen_test
async def test_an_event_stream_outlives_the_timeouts(server_url: str, services: Services) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server_url.rpartition(":")[2]))
    writer.write(head("/tasks/events/", method="GET"))

    async with asyncio.timeout(LIMIT_S):
        assert b"200" in await reader.readline()
        for _ in range(2):
            await exchange(server_url)  # a silent connection, which the server closes after the timeout
        await services.queue.pause(True)
        while b'"paused":true' not in (await reader.readline()).replace(b" ", b""):
            assert not reader.at_eof()
    writer.close()


@pytest.mark.requirement(37)
@pytest.mark.gen_test
async def test_an_oversized_request_is_rejected_without_using_memory(
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
    reset_peak_memory(server.pid)

    responses = {name: await exchange(server.base_url, *pieces) for name, pieces in attacks.items()}

    statuses = {name: response.split(b" ")[1] if response else b"closed" for name, response in responses.items()}
    assert set(statuses.values()) <= {b"400", b"413", b"431", b"closed"}, statuses
    assert memory_mib(server.pid, peak=True) < base + 50
    assert (await ApiClient(client, server.base_url).get("/health/")).status == 200


@pytest.mark.requirement(38)
@pytest.mark.gen_test
async def test_an_ambiguous_request_is_rejected_and_its_connection_closed(server_url: str) -> None:
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

    responses = {name: await exchange(server_url, attack + second) for name, attack in attacks.items()}

    assert {name: response for name, response in responses.items() if not response.startswith(b"HTTP/1.1 400 ")} == {}
    assert {name: response for name, response in responses.items() if response.count(b"HTTP/1.1 ") != 1} == {}


@pytest.mark.requirement(39)
@pytest.mark.gen_test
async def test_no_field_of_any_endpoint_costs_much_cpu_time_to_refuse(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    values = ("a" * 100_000 + "!", "@" * 100_000, "a@" * 50_000, "." * 100_000, " " * 100_000, "{" * 100_000)
    posts = {path: post for path, handler in API if isinstance(post := getattr(handler, "post", None), Endpoint)}
    fields = [(path, name) for path, post in posts.items() if post.params for name in post.params.model_fields]

    async def cpu_s(path: str, field: str, value: str) -> float:
        """Of client and server together, which share a thread."""
        started = time.thread_time()
        await ada.request("POST", path, body=json.dumps({field: value}).encode(), headers=JSON)
        return time.thread_time() - started

    slow = []
    for path, field in fields:
        for value in values:
            costs = [await cpu_s(path, field, value)]
            while costs[-1] >= MAX_CPU_S and len(costs) < 3:  # repeated, because a garbage collection may add to it
                costs.append(await cpu_s(path, field, value))
            if min(costs) >= MAX_CPU_S:
                slow.append((path, field, value[:2], min(costs)))

    assert len(fields) > 20
    assert slow == []
