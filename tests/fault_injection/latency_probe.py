"""Response times of a server for other users while a drill puts load on it."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from typing import Self
from urllib.parse import urlsplit


class LatencyProbe:
    """Requests one path again and again from a thread of its own, inside `async with`."""

    def __init__(self, base_url: str, path: str = "/tasks/query/") -> None:
        self._address, self._path = urlsplit(base_url).netloc, path
        self._stopped = threading.Event()
        self._latencies_s: list[float] = []
        self._thread = threading.Thread(target=self._run)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopped.set()
        await asyncio.to_thread(self._thread.join, 30)

    @property
    def p99_s(self) -> float:
        assert len(self._latencies_s) >= 5
        return sorted(self._latencies_s)[int(len(self._latencies_s) * 0.99) - 1]

    def _run(self) -> None:
        while not self._stopped.wait(0.005) or len(self._latencies_s) < 5:
            started = time.perf_counter()
            connection = http.client.HTTPConnection(self._address, timeout=20)
            connection.request("GET", self._path)
            response = connection.getresponse()
            response.read()
            connection.close()
            assert response.status == 200
            self._latencies_s.append(time.perf_counter() - started)


async def idle_p99_s(base_url: str, path: str = "/tasks/query/") -> float:
    """The p99 before the load, over half a second."""
    async with LatencyProbe(base_url, path) as probe:
        await asyncio.sleep(0.5)
    return probe.p99_s


def allowed_s(limit_s: float, idle_s: float, *, short: bool) -> float:
    """The limit of a p99. Short drills run beside other tests: they allow sixteen times the idle p99."""
    return max(limit_s, 16 * idle_s) if short else limit_s
