"""How many connections a server accepts, and what further ones are answered."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tornado.web

from handlers.transport.client_ip import IpNetworks, rate_limit_key
from handlers.transport.connections import (
    LOOPBACK,
    RECOMMENDED_CONNECTIONS,
    ConnectionLimiter,
    connections_for,
    fd_limit_warning,
)
from handlers.transport.http_server import HEADER_LIMIT_BYTES, listen
from processing.file_limit import file_limit, raise_file_limit
from tests.security.raw_http import exchange, head
from tests.support.client import ApiClient
from tests.support.process import ServerProcess
from tests.support.waiting import until

FEW_FILES = 260
LIMITED = (
    "-c",
    f"import resource, runpy; resource.setrlimit(resource.RLIMIT_NOFILE, ({FEW_FILES // 2}, {FEW_FILES}));"
    "runpy.run_path('server.py', run_name='__main__')",
)


class Hello(tornado.web.RequestHandler):
    def get(self) -> None:
        self.finish("hello")


@pytest.fixture
def server_url(io_loop: Any) -> Iterator[str]:
    """A server of at most three connections."""

    async def start() -> tuple[Any, str]:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        port = listening.getsockname()[1]
        app = tornado.web.Application([("/", Hello)])
        return listen(app, [listening], limiter=ConnectionLimiter(3)), f"http://127.0.0.1:{port}"

    server, url = io_loop.run_sync(start)
    yield url
    server.stop()
    io_loop.run_sync(server.close_all_connections)


@pytest.mark.gen_test
async def test_a_header_beyond_the_limit_closes_the_connection(server_url: str) -> None:
    for request in (
        head("/", f"X-Long: {'y' * 64_000}"),
        head("/", *(f"X-{n}: {'y' * 60}" for n in range(3000))),
        head("/" + "a" * HEADER_LIMIT_BYTES, method="GET"),
    ):
        response = await exchange(server_url, request)
        assert response == b""


@pytest.mark.gen_test
async def test_a_header_just_below_the_limit_is_read(server_url: str) -> None:
    response = await exchange(server_url, head("/", f"X-Long: {'y' * 32_000}", "Connection: close", method="GET"))

    assert response.startswith(b"HTTP/1.1 200 ")


@pytest.mark.gen_test
async def test_a_connection_beyond_the_limit_is_answered_with_503_until_another_one_ends(
    server_url: str, expect_log: Callable[[str], None]
) -> None:
    expect_log("connections: 3 are open, which is the limit")
    port = int(server_url.rpartition(":")[2])
    asking = head("/", "Connection: close", method="GET")
    here = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]

    refused = [await exchange(server_url, b"") for _ in range(4)]
    here[0][1].write(asking)
    served = await here[0][0].read()
    after = await exchange(server_url, asking)
    for _, writer in here:
        writer.close()

    assert {response.split(b"\r\n")[0] for response in refused} == {b"HTTP/1.1 503 Service Unavailable"}
    assert all(b"\r\nRetry-After: 30\r\n" in response for response in refused)
    assert served.endswith(b"hello")
    assert after.endswith(b"hello")


def test_one_address_cannot_take_all_places_but_a_proxy_can(expect_log: Callable[[str], None]) -> None:
    expect_log("connections: 2 of 203.0.113.9 are open")
    limiter = ConnectionLimiter(7, per_ip=2, exempt={"10.0.0.1"})

    came = [limiter.acquire("203.0.113.9") for _ in range(3)]
    others = [limiter.acquire(name) for name in ("203.0.113.8", "10.0.0.1", "10.0.0.1", "10.0.0.1")]
    limiter.release("203.0.113.9")

    assert came == [True, True, False]
    assert others == [True] * 4
    assert [limiter.acquire("203.0.113.9"), limiter.acquire("203.0.113.9"), limiter.acquire("10.0.0.1")] == [
        True,
        False,
        True,
    ]
    assert not limiter.acquire("198.51.100.1"), "seven are here"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "2001:db8::7"])
def test_loopback_and_proxies_are_exempt_in_every_notation(address: str) -> None:
    limiter = ConnectionLimiter(9, per_ip=2, exempt=LOOPBACK | {"2001:db8::7"})

    assert [limiter.acquire(rate_limit_key(address)) for _ in range(5)] == [True] * 5


@pytest.mark.gen_test
async def test_every_end_of_a_connection_releases_its_place(server_url: str) -> None:
    ends = [b"", head("/", "Connection: close", method="GET"), head("/", f"X: {'y' * 64_000}"), b"nonsense\r\n\r\n"]

    for piece in ends * 2:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server_url.rpartition(":")[2]))
        writer.write(piece)
        if piece:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    async def served() -> bool:
        return (await exchange(server_url, head("/", "Connection: close", method="GET"))).endswith(b"hello")

    await until(served)


@pytest.mark.gen_test
async def test_a_server_with_few_files_warns_raises_its_limit_and_survives_a_crowd(
    tmp_path: Path, mongodb_uri: str, database_name: str, http_client: Any
) -> None:
    chosen = (f"--mongodb_uri={mongodb_uri}", f"--database={database_name}", "--workers=1")
    with ServerProcess(tmp_path / "data", *chosen, program=LIMITED) as server, contextlib.ExitStack() as crowd:
        place = ("127.0.0.1", int(server.base_url.rpartition(":")[2]))
        limits = await asyncio.to_thread(Path(f"/proc/{server.pid}/limits").read_text)

        for _ in range(2 * FEW_FILES):
            crowd.enter_context(socket.create_connection(place, timeout=60))
        crowd.close()

        async def served() -> bool:
            return (await ApiClient(http_client, server.base_url).get("/health/")).status == 200

        await until(served)

        assert f"Max open files            {FEW_FILES} " in limits
        assert f"{FEW_FILES} open files are allowed, enough for {connections_for(FEW_FILES)} connections" in server.log
        assert "Traceback" not in server.log
        assert len(server.log) < 10_000


def test_the_limit_is_raised_as_far_as_the_system_allows() -> None:
    raise_file_limit()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert soft >= min(hard, 65_536) or hard == resource.RLIM_INFINITY
    assert fd_limit_warning(65_536) == ""
    assert "14667" in fd_limit_warning(4096)
    assert connections_for(14_667) >= RECOMMENDED_CONNECTIONS
    assert [connections_for(files) for files in (2, 256, 1024, 4096, 10**6)] == [1, 128, 768, 3072, 20_000]
    assert file_limit() == soft


@pytest.mark.requirement(63)
@pytest.mark.gen_test
async def test_connections_of_a_proxy_count_for_the_clients_that_it_reports(
    io_loop: Any, expect_log: Callable[[str], None]
) -> None:
    expect_log("connections: 2 of 203.0.113.9 are open")
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    port = listening.getsockname()[1]
    limiter = ConnectionLimiter(20, per_ip=2, exempt={"127.0.0.1"})
    app = tornado.web.Application([("/", Hello)])
    server = listen(app, [listening], limiter=limiter, trusted_proxies=IpNetworks(["127.0.0.1"]))
    opened = []

    async def ask(client: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        opened.append(writer)
        writer.write(head("/", f"X-Forwarded-For: {client}", method="GET"))
        return (await reader.readuntil(b"\r\n")).decode().split()[1]

    crowd = [await ask(client) for client in ("203.0.113.9", "198.51.100.1, 203.0.113.9", "203.0.113.9")]
    others = [await ask(client) for client in ("203.0.113.8", "203.0.113.8")]
    opened[0].close()

    async def is_served_again() -> bool:
        return await ask("203.0.113.9") == "200"

    assert (crowd, others) == (["200", "200", "503"], ["200", "200"])
    await until(is_served_again)
    for writer in opened:
        writer.close()
    server.stop()
    await server.close_all_connections()


@pytest.mark.gen_test
async def test_a_handler_behind_a_proxy_hears_that_its_connection_has_ended(
    io_loop: Any, expect_log: Callable[[str], None]
) -> None:
    """Within the request, while its body arrives; the end of a refused one reaches no handler."""
    expect_log("connections: 1 of 203.0.113.9 are open")
    begun, ends = list[str](), list[str]()

    @tornado.web.stream_request_body
    class Receiving(tornado.web.RequestHandler):
        def prepare(self) -> None:
            begun.append(self.request.path)

        def data_received(self, chunk: bytes) -> None:
            """Drop it."""

        def on_connection_close(self) -> None:
            ends.append(self.request.path)

    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    port = listening.getsockname()[1]
    limiter = ConnectionLimiter(20, per_ip=1, exempt={"127.0.0.1"})
    app = tornado.web.Application([("/.*", Receiving)])
    server = listen(app, [listening], limiter=limiter, trusted_proxies=IpNetworks(["127.0.0.1"]))

    async def send(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(path, "X-Forwarded-For: 203.0.113.9", "Content-Length: 1000"))
        return reader, writer

    _, first = await send("/first")
    await until(lambda: begun)
    refused, second = await send("/refused")
    answer = await refused.readline()
    second.close()
    first.close()
    await until(lambda: ends)

    assert answer.split()[1] == b"503"
    assert (begun, ends) == (["/first"], ["/first"])
    server.stop()
    await server.close_all_connections()
