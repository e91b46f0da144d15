"""What a server costs while it is attacked: its memory by the kernel's own count, and how soon it answers others.

`SECURITY=full` asks for each requirement letter for letter, its crowds and its times: for a machine that has nothing
else to do, and some minutes. Otherwise crowds are smaller here and there, and a machine that is busy is borne with.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import re
import threading
import time
from collections import deque
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

FULL = os.environ.get("SECURITY") == "full"


def memory_mib(pid: int, *, peak: bool = False) -> float:
    """Resident memory now, or the most of it since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status, re.M)
    assert found
    return int(found[1]) / 1024


def forget_peak(pid: int) -> None:
    """proc(5): 5 resets the peak of resident memory."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def works(pid: int) -> bool:
    """Whether any thread runs, could run or waits for a disk: proc(5), stat, field 3."""
    states = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            states.add((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return bool(states & {"R", "D"})


async def at_rest(pid: int, *, timeout_s: float = 60) -> None:
    """Wait until what a process began in the background is over; a starved thread still counts as working."""
    async with asyncio.timeout(timeout_s):
        looks: deque[bool] = deque([True], maxlen=20)
        while len(looks) < 20 or sum(looks) > 2:  # the loop itself wakes now and then
            looks.append(works(pid))
            await asyncio.sleep(0.04)


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

    def slower_than(self, limit_s: float, quiet: Probe) -> str:
        """ "" if others were answered as soon as asked for, else how late.

        Where the machine was slow before (the quiet probe), sixteen times that is borne, unless all is asked in full.
        """
        bound = limit_s if FULL else max(limit_s, 16 * quiet.slow_s)
        return "" if self.slow_s < bound else f"{self.slow_s:.3f} s, allowed {bound:.3f} s"

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
