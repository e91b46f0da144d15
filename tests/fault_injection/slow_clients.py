"""Drill 22: 500 silent and dripping connections, and 100 clients that read none of a large response."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.fault_injection.environment import DrillServer, drill_environment
from tests.fault_injection.latency_probe import LatencyProbe, allowed_s, idle_p99_s
from tests.fault_injection.load import make_client
from tests.fault_injection.report import DrillReport
from tests.security.process_memory import memory_mib, reset_peak_memory
from tests.security.raw_http import exchange, head
from tests.support.client import ApiClient
from tests.support.waiting import until

CONNECTIONS, READERS = 500, 100
MAX_CLOSE_S, MAX_MIB, MAX_P99_S = 30.0, 100, 0.3
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
LARGE_BYTES = 19_000_000
PATH = "/api/styles/"


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("22 slow clients")
    async with drill_environment(folder) as env:
        server = env.server("one")
        await server.launch()
        ada = await ApiClient(make_client(), server.base_url).sign_up("ada")
        large = urlsplit((await ada.upload(GIF + bytes(LARGE_BYTES - len(GIF)), "large.gif"))["url"]).path
        await hold_connections(report, server, short=short)
        if not short:
            await read_nothing(report, server, large)
        report.submitted = CONNECTIONS + READERS
    return report


async def hold_connections(report: DrillReport, server: DrillServer, *, short: bool) -> None:
    body = head("/api/user/query/", "Content-Type: application/json", "Content-Length: 1000")
    dripping_head = [b"GET / HTTP/1.1\r\nHost: x\r\n", *[b"X-Header: 1\r\n"] * 200]
    kinds: tuple[list[bytes], ...] = ([], dripping_head, [body, *[b" "] * 200])
    idle_s = await idle_p99_s(server.base_url, PATH)
    async with LatencyProbe(server.base_url, PATH) as probe:
        clients = (closed_after_s(server.base_url, kinds[number % 3]) for number in range(CONNECTIONS))
        closed_s = await asyncio.gather(*clients)
    limit_s = allowed_s(MAX_P99_S, idle_s, short=short)
    report.expect(max(closed_s) < MAX_CLOSE_S, f"a connection was closed after {max(closed_s):.1f} s")
    report.expect(probe.p99_s < limit_s, f"other users' p99 was {probe.p99_s:.2f} s, allowed {limit_s:.2f}")
    report.notes |= {"closed after, s": round(max(closed_s), 1), "p99 of others, s": round(probe.p99_s, 3)}


async def closed_after_s(base_url: str, pieces: list[bytes]) -> float:
    started = time.monotonic()
    await exchange(base_url, *pieces, every_s=0.2, within_s=60)
    return time.monotonic() - started


async def read_nothing(report: DrillReport, server: DrillServer, path: str) -> None:
    port = urlsplit(server.base_url).port or 0
    base_mib, idle_s = memory_mib(server.pid), await idle_p99_s(server.base_url, PATH)
    reset_peak_memory(server.pid)

    async def all_closed() -> bool:
        return established(port) <= 1  # the probe's own

    with contextlib.ExitStack() as clients:
        for _ in range(READERS):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(head(path, method="GET"))
        started = asyncio.get_running_loop().time()
        async with LatencyProbe(server.base_url, PATH) as probe:
            await until(all_closed, timeout_s=60)
        closed_s = asyncio.get_running_loop().time() - started
    peak_mib = memory_mib(server.pid, peak=True) - base_mib
    limit_s = allowed_s(MAX_P99_S, idle_s, short=False)
    report.expect(peak_mib < MAX_MIB, f"{peak_mib:.0f} MiB more")
    report.expect(probe.p99_s < limit_s, f"other users' p99 was {probe.p99_s:.2f} s, allowed {limit_s:.2f}")
    report.notes |= {"readers closed after, s": round(closed_s, 1), "memory, MiB": round(peak_mib)}
    report.notes["p99 of others beside readers, s"] = round(probe.p99_s, 3)


def established(port: int) -> int:
    """Established connections to a local port: proc(5), net/tcp; state 01."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)
