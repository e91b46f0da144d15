"""A cheap HTTP load generator: a few keep-alive connections, one request on each at a time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """A GET of `url`. cookie: the Cookie header of a signed-in user, "" for an anonymous one."""

    name: str
    url: str
    cookie: str = ""

    def request_bytes(self) -> bytes:
        parts = urlsplit(self.url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        return f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{cookie}\r\n".encode()

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received, self._expected_bytes = bytearray(), 0
        self._status: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected_bytes:
            head, end, _ = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            self._expected_bytes = len(head) + len(end) + int(length.split(b":")[1])
        if len(self._received) >= self._expected_bytes and self._status is not None:
            self._status.set_result(int(self._received[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        if self._status is not None and not self._status.done():
            self._status.set_exception(error or ConnectionResetError("the server closed the connection"))

    async def request(self, request: bytes) -> int:
        """Send a request; returns the status once the whole response has arrived."""
        assert self._transport is not None
        self._received, self._expected_bytes = bytearray(), 0
        self._status = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(TIMEOUT_S):
            return await self._status

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@dataclass
class Latencies:
    """Response times in milliseconds. seconds: duration of all measurements; errors: responses other than 200."""

    values_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    errors: int = 0

    @property
    def rate(self) -> float:
        return len(self.values_ms) / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """The quantile: at(0.99) is p99."""
        ordered = sorted(self.values_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def record(self, status: int, started: float) -> None:
        self.values_ms.append(1000 * (time.perf_counter() - started))
        self.errors += status != 200


@asynccontextmanager
async def open_connections(address: tuple[str, int], count: int) -> AsyncIterator[list[Connection]]:
    loop = asyncio.get_running_loop()
    connections = [(await loop.create_connection(Connection, *address))[1] for _ in range(count)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


async def measure_throughput(target: Target, latencies: Latencies, *, seconds: float, concurrency: int = 32) -> float:
    """Send requests as fast as the server answers, `concurrency` at a time. Returns responses per second."""
    request, before = target.request_bytes(), len(latencies.values_ms)
    async with open_connections(target.address, concurrency) as connections:
        started = time.perf_counter()

        async def send_requests(connection: Connection) -> None:
            while (sent_at := time.perf_counter()) - started < seconds:
                latencies.record(await connection.request(request), sent_at)

        await asyncio.gather(*(send_requests(line) for line in connections))
        duration_s = time.perf_counter() - started
    latencies.seconds += duration_s
    return (len(latencies.values_ms) - before) / duration_s


async def measure_at_rate(targets: Sequence[tuple[Target, Latencies]], *, seconds: float, rate: float) -> None:
    """Send `rate` requests per second to each target however slow the responses are (an open workload).

    A latency counts from the moment the request was due.
    """
    started, connections = time.perf_counter(), 16
    async with asyncio.TaskGroup() as group:
        for index, (target, latencies) in enumerate(targets):
            first = started + index / rate / len(targets)
            group.create_task(_send_at_rate(target, latencies, first, started + seconds, 1 / rate, connections))


async def _send_at_rate(
    target: Target, latencies: Latencies, first: float, end: float, interval_s: float, connection_count: int
) -> None:
    request, idle = target.request_bytes(), asyncio.Queue[Connection]()
    async with open_connections(target.address, connection_count) as connections, asyncio.TaskGroup() as group:
        for connection in connections:
            idle.put_nowait(connection)

        async def send(due: float) -> None:
            connection = await idle.get()
            latencies.record(await connection.request(request), due)
            idle.put_nowait(connection)

        due = first
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(send(due))
            due += interval_s
    latencies.seconds += end - first


async def _print_latencies(url: str, seconds: float, rate: float) -> None:
    """Measure one target at a fixed rate; prints the latencies in milliseconds, one per line."""
    latencies = Latencies()
    await measure_at_rate([(Target(url, url), latencies)], seconds=seconds, rate=rate)
    print(*latencies.values_ms, sep="\n")


if __name__ == "__main__":
    asyncio.run(_print_latencies(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
