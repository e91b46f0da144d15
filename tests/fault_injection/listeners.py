"""Drill 18: 2,000 idle event streams, the progress of one task, all streams reset at once and reconnected."""

from __future__ import annotations

import asyncio
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

from tests.fault_injection.environment import DrillServer, drill_environment
from tests.fault_injection.load import LoadGenerator, make_client
from tests.fault_injection.report import DrillReport
from tests.handlers.sse_client import open_event_stream

SUBSCRIBERS = 2000
MAX_MEMORY_MIB = 60
MAX_CPU_PERCENT = 0.8
"""Percent of a core; measured: about 0.5, varying by a fifth. The 10 ms ticks of the loop monitor are most of the cost
of an idle server."""
MAX_RECONNECT_S = 5.0


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("18 2,000 idle event streams")
    count, idle_s = (300, 2) if short else (SUBSCRIBERS, 60)
    async with drill_environment(folder) as env:
        server = env.server()
        await server.launch()
        load = await LoadGenerator.create(make_client(), server.base_url)
        await load.submit()
        await asyncio.sleep(3)
        alone_s = await idle_cpu_s(server, idle_s)
        base = server.metrics
        connections, connect_s = await connect_all(server, count)
        await asyncio.sleep(1.2)
        full = server.metrics
        crowded_s = await idle_cpu_s(server, idle_s)
        later = server.metrics
        async with open_event_stream(load.api) as events:
            await events.until(lambda event: event.kind == "queue")
            started = asyncio.get_running_loop().time()
            task = await load.submit()
            event = await events.until(lambda event: event.data.get("id") == task and event.data.get("state") == "done")
            event_s = event.at - started
        for connection in connections:
            reset_connection(connection)
        await asyncio.sleep(1.5)
        gone = server.metrics
        connections, reconnect_s = await connect_all(server, count)
        for connection in connections:
            reset_connection(connection)
        more_mb = full["rss_mb"] - base["rss_mb"]
        alone_percent, crowded_percent = (100 * cpu_s / idle_s for cpu_s in (alone_s, crowded_s))
        report.submitted, report.acknowledged, report.done = load.submitted, len(load.ids), len(load.ids)
        report.expect(more_mb < MAX_MEMORY_MIB, f"{more_mb:.0f} MiB more")
        report.expect(
            crowded_percent - alone_percent < MAX_CPU_PERCENT, f"{crowded_percent - alone_percent:.2f} % more of a core"
        )
        report.expect(abs(gone["files"] - base["files"]) <= 5, f"{gone['files'] - base['files']} files left open")
        report.expect(reconnect_s < MAX_RECONNECT_S * count / SUBSCRIBERS + 1, f"reconnected after {reconnect_s:.1f} s")
        report.lag_p99_ms, report.lag_max_ms = later["lag_p99_ms"], later["lag_max_ms"]
        report.notes |= {"streams": count, "memory, MiB": round(more_mb, 1)}
        report.notes["idle CPU without / with streams, %"] = f"{alone_percent:.2f} / {crowded_percent:.2f}"
        report.notes |= {"KiB each": round(1024 * more_mb / count, 1), "submitted to done event, s": round(event_s, 2)}
        report.notes |= {"connected in, s": round(connect_s, 1), "reconnected in, s": round(reconnect_s, 1)}
    return report


async def idle_cpu_s(server: DrillServer, seconds: float) -> float:
    """CPU seconds of the server during `seconds` without requests."""
    before = server.cpu_s
    await asyncio.sleep(seconds)
    return server.cpu_s - before


async def connect_all(server: DrillServer, count: int) -> tuple[list[socket.socket], float]:
    """Open `count` event streams and wait for each status line. Returns connections and seconds."""
    place = urlsplit(server.base_url)
    request = f"GET /tasks/events/ HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    started, semaphore = loop.time(), asyncio.Semaphore(100)

    async def connect() -> socket.socket:
        connection = socket.socket()
        connection.setblocking(False)
        async with semaphore, asyncio.timeout(30):
            await loop.sock_connect(connection, (place.hostname, place.port))
            await loop.sock_sendall(connection, request)
            assert (await loop.sock_recv(connection, 64)).startswith(b"HTTP/1.1 200")
        return connection

    connections = await asyncio.gather(*(connect() for _ in range(count)))
    return list(connections), loop.time() - started


def reset_connection(connection: socket.socket) -> None:
    """Close with RST, as after a network failure."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
