"""What a server costs while it is attacked: its memory by the kernel's own count, and how soon it answers others."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import threading
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit


def memory_mib(pid: int, *, peak: bool = False) -> float:
    """Resident memory now, or the most of it since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status, re.M)
    assert found
    return int(found[1]) / 1024


def forget_peak(pid: int) -> None:
    """proc(5): 5 resets the peak of resident memory."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_s(pid: int) -> float:
    """Processor time of all threads so far: proc(5), stat, fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def at_rest(pid: int, *, timeout_s: float = 60) -> None:
    """Wait until a process does next to nothing: what it began in the background is over."""
    async with asyncio.timeout(timeout_s):
        before = -1.0
        while (now := cpu_s(pid)) - before > 0.05:
            before = now
            await asyncio.sleep(0.4)


class Probe:
    """Asks one address again and again in a thread of its own: how others are served while something goes on."""

    def __init__(self, base_url: str, path: str = "/tasks/query/") -> None:
        self._place, self._path = urlsplit(base_url), path
        self._over = threading.Event()
        self._took_s: list[float] = []
        self._thread = threading.Thread(target=self._ask)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await asyncio.to_thread(self._thread.join, 30)

    @property
    def slow_s(self) -> float:
        """How long the slowest answer but one in a hundred took."""
        assert len(self._took_s) >= 5
        return sorted(self._took_s)[int(len(self._took_s) * 0.99) - 1]

    def _ask(self) -> None:
        while not self._over.wait(0.005) or len(self._took_s) < 5:
            started = time.perf_counter()
            connection = http.client.HTTPConnection(self._place.netloc, timeout=20)
            connection.request("GET", self._path)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            assert answer.status == 200
            self._took_s.append(time.perf_counter() - started)
