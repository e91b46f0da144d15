"""Memory for request bodies that are arriving."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
import tornado.web

from handlers.transport.body_memory import BodyMemory
from handlers.transport.client_ip import IpNetworks
from handlers.transport.http_server import Application
from tests.security.raw_http import exchange, head
from tests.support.waiting import until


class Hello(tornado.web.RequestHandler):
    received: ClassVar[list[int]] = []

    def post(self) -> None:
        self.received.append(len(self.request.body))
        self.finish(str(len(self.request.body)))


@pytest.fixture
def app(io_loop: Any) -> Application:
    app = Application([("/", Hello)], trusted_proxies=IpNetworks(["127.0.0.1"]))
    app.body_memory = BodyMemory(client_limit_bytes=300_000, total_limit_bytes=500_000)
    return app


class Slow:
    """A client that sends all of a body but its last byte."""

    def __init__(self, server_url: str) -> None:
        self.port = int(server_url.rpartition(":")[2])

    async def send(self, client: str, size: int) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request_head(client, size) + bytes(size - 1))

    async def end(self) -> bytes:
        """The status of the response; empty if the connection is closed without one."""
        try:
            self.writer.write(b"x")
            return (await self.reader.readline())[9:12]
        except ConnectionError:
            return b""
        finally:
            self.writer.close()


def request_head(client: str, size: int) -> bytes:
    return head("/", f"X-Forwarded-For: {client}", f"Content-Length: {size}", "Connection: close")


@pytest.mark.requirement(65)
@pytest.mark.gen_test
async def test_bodies_that_arrive_slowly_take_a_bounded_memory_from_one_client(
    server_url: str, app: Application
) -> None:
    crowd = [Slow(server_url) for _ in range(3)]
    for each in crowd[:2]:
        await each.send("203.0.113.9", 140_000)
    await until(lambda: app.body_memory.total == 2 * 139_999)

    await crowd[2].send("203.0.113.9", 140_000)
    refused = await crowd[2].end()
    another = await exchange(server_url, request_head("198.51.100.1", 140_000) + bytes(140_000))
    served = [await each.end() for each in crowd[:2]]

    assert refused in (b"503", b"")
    assert another.endswith(b"140000")
    assert served == [b"200", b"200"]
    assert app.body_memory.total == 0


@pytest.mark.requirement(65)
@pytest.mark.gen_test
async def test_a_newcomer_takes_the_place_of_the_newest_body_of_the_client_with_the_most(
    server_url: str, app: Application
) -> None:
    sizes = [("203.0.113.9", 150_000), ("203.0.113.9", 140_000), ("203.0.113.8", 140_000)]
    crowd = [Slow(server_url) for _ in sizes]
    for each, (client, size) in zip(crowd, sizes, strict=True):
        await each.send(client, size)
    await until(lambda: app.body_memory.total == sum(size for _, size in sizes) - 3)

    another = await exchange(server_url, request_head("198.51.100.1", 140_000) + bytes(140_000))
    served = [await each.end() for each in crowd]

    assert another.endswith(b"140000")
    assert served[0] == served[2] == b"200"
    assert served[1] in (b"503", b"")
    assert app.body_memory.total == 0


@pytest.mark.requirement(65)
@pytest.mark.gen_test
async def test_a_body_that_is_refused_with_its_last_bytes_reaches_no_handler(server_url: str, app: Application) -> None:
    Hello.received.clear()
    app.body_memory = BodyMemory(client_limit_bytes=140_000, total_limit_bytes=500_000)
    first = Slow(server_url)
    await first.send("203.0.113.9", 139_500)
    await until(lambda: app.body_memory.total == 139_499)

    refused = await exchange(server_url, request_head("203.0.113.9", 600) + bytes(600))
    served = await first.end()

    assert not refused.startswith(b"HTTP/1.1 200")
    assert (served, Hello.received) == (b"200", [139_500])


@pytest.mark.gen_test
async def test_a_body_that_does_not_come_to_its_end_is_forgotten(server_url: str, app: Application) -> None:
    slow = Slow(server_url)
    await slow.send("203.0.113.9", 140_000)
    await until(lambda: app.body_memory.total > 0)

    slow.writer.close()

    await until(lambda: app.body_memory.total == 0)
