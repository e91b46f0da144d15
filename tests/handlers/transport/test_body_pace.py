"""The pace of request bodies: a burst, then a rate for each client, and nothing is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import tornado.web

from handlers.transport.body_pace import BodyPace
from handlers.transport.client_ip import IpNetworks
from handlers.transport.http_server import Application
from tests.security.raw_http import exchange, head

CLIENT, OTHER = "203.0.113.9", "198.51.100.1"
RATE, BURST_BYTES = 1000, 50_000
"""Bytes a second, and at once."""
SIZE = 150_000


class Clock:
    """sleep: the time passes at once."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Whole(tornado.web.RequestHandler):
    """Reads its body as a whole."""

    def post(self) -> None:
        self.finish(str(len(self.request.body)))


@tornado.web.stream_request_body
class Streamed(tornado.web.RequestHandler):
    """Reads its body piece by piece."""

    def prepare(self) -> None:
        self.size = 0

    async def data_received(self, chunk: bytes) -> None:
        await asyncio.sleep(0)
        self.size += len(chunk)

    def post(self) -> None:
        self.finish(str(self.size))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> BodyPace:
    return BodyPace(RATE, burst_bytes=BURST_BYTES, clock=clock, sleep=clock.sleep)


@pytest.fixture
def app(pace: BodyPace) -> Application:
    table: list[Any] = [("/whole", Whole), ("/streamed", Streamed)]
    return Application(table, trusted_proxies=IpNetworks(["127.0.0.1"]), body_pace=pace)


def request(path: str, client: str, size: int) -> bytes:
    lines = (f"X-Forwarded-For: {client}", f"Content-Length: {size}", "Connection: close")
    return head(path, *lines) + bytes(size)


def chunked(path: str, client: str, size: int) -> bytes:
    lines = (f"X-Forwarded-For: {client}", "Transfer-Encoding: chunked", "Connection: close")
    return head(path, *lines) + f"{size:x}\r\n".encode() + bytes(size) + b"\r\n0\r\n\r\n"


def test_a_client_sends_a_burst_at_once_and_then_at_the_rate(clock: Clock, pace: BodyPace) -> None:
    assert [pace.count(CLIENT, BURST_BYTES), pace.count(CLIENT, 10 * RATE), pace.count(CLIENT, RATE)] == [0, 10, 11]
    assert pace.count(OTHER, BURST_BYTES) == 0

    clock.now_s += 15
    assert pace.count(CLIENT, 6 * RATE) == 2

    clock.now_s += 1000
    assert pace.count(CLIENT, BURST_BYTES + RATE) == 1


def test_without_a_rate_and_from_this_machine_there_is_no_limit() -> None:
    assert not BodyPace().is_limited(CLIENT)
    assert BodyPace(1).is_limited(CLIENT)
    assert not any(BodyPace(1).is_limited(each) for each in ("127.0.0.1", "::/64"))


@pytest.mark.requirement(68)
def test_the_clients_that_are_remembered_are_bounded(pace: BodyPace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.transport.body_pace.MAX_CLIENTS", 2)
    for client in (CLIENT, OTHER, "192.0.2.1"):
        pace.count(client, BURST_BYTES)

    assert [pace.count(OTHER, RATE), pace.count(CLIENT, RATE)] == [1, 0], "the one that was silent longest is forgotten"


@pytest.mark.requirement(68)
@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/whole", "/streamed"])
@pytest.mark.parametrize("written", [request, chunked])
async def test_a_body_is_taken_whole_at_the_pace_of_its_client(
    server_url: str, clock: Clock, path: str, written: Any
) -> None:
    first = await exchange(server_url, written(path, CLIENT, SIZE))
    first_s = clock.now_s
    second = await exchange(server_url, written(path, CLIENT, SIZE))

    assert first.endswith(f"\r\n\r\n{SIZE}".encode())
    assert second.endswith(f"\r\n\r\n{SIZE}".encode())
    assert first_s == pytest.approx((SIZE - BURST_BYTES) / RATE)
    assert clock.now_s == pytest.approx((2 * SIZE - BURST_BYTES) / RATE)


@pytest.mark.requirement(68)
@pytest.mark.gen_test
async def test_many_connections_of_one_client_share_its_pace_and_others_do_not_wait(
    server_url: str, clock: Clock
) -> None:
    await asyncio.gather(*(exchange(server_url, request("/streamed", CLIENT, SIZE)) for _ in range(3)))
    crowd_s = clock.now_s
    await exchange(server_url, request("/streamed", OTHER, BURST_BYTES))

    assert crowd_s >= (3 * SIZE - BURST_BYTES) / RATE - 0.001
    assert clock.now_s == crowd_s


@pytest.mark.requirement(68)
@pytest.mark.gen_test
async def test_the_addresses_of_one_network_are_one_client(server_url: str, clock: Clock) -> None:
    await exchange(server_url, request("/whole", "2001:db8::1", BURST_BYTES))
    await exchange(server_url, request("/whole", "2001:db8::2", BURST_BYTES))

    assert clock.now_s == pytest.approx(BURST_BYTES / RATE)


@pytest.mark.requirement(68)
@pytest.mark.gen_test
async def test_a_body_that_nobody_wants_is_dropped_at_the_same_pace(
    server_url: str, clock: Clock, pace: BodyPace, expect_log: Callable[[str], None]
) -> None:
    expect_log("tornado.access: 404")
    assert pace.count(CLIENT, BURST_BYTES) == 0

    answer = await exchange(server_url, request("/missing", CLIENT, SIZE))

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert clock.now_s == pytest.approx(SIZE / RATE)
