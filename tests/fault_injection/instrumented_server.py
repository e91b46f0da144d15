"""`server.py` with a loop monitor and kill points, for drills.

DRILL_METRICS: a file with metrics, rewritten twice a second. DRILL_KILL: `POINT:COUNT`, for example `after-acquire:3`:
the process kills itself (SIGKILL) when it reaches that point for the COUNT-th time.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import server
from command_line import read_settings
from data_dir import lock_data_dir
from logs import start_logging
from models.bucket.embedded.bucket import EmbeddedBucket
from models.queue.leases import Leases
from models.queue.tasks import Tasks
from processing.event_loop import make_loop
from settings import Settings

TICK_S = 0.01
WRITE_S = 0.5

KILL_POINTS: dict[str, tuple[type, Callable[..., Any], bool]] = {
    "before-accept": (Tasks, Tasks.add, False),
    "after-accept": (Tasks, Tasks.add, True),
    "after-acquire": (Leases, Leases.acquire, True),
    "after-fetch": (EmbeddedBucket, EmbeddedBucket.read, True),
    "before-store": (EmbeddedBucket, EmbeddedBucket.put, False),
    "after-store": (EmbeddedBucket, EmbeddedBucket.put, True),
    "before-done": (Leases, Leases.finish, False),
    "after-done": (Leases, Leases.finish, True),
}


class LoopMonitor:
    """Measures the lag of the server's loop in a histogram of tenths of a millisecond, so that its cost is constant."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lags: Counter[int] = Counter()

    async def run(self) -> None:
        loop, written_at = asyncio.get_running_loop(), 0.0
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            self._lags[int(10_000 * (loop.time() - due))] += 1
            if loop.time() - written_at > WRITE_S:
                written_at = loop.time()
                self.write()

    def write(self) -> None:
        cumulative = list(accumulate(sorted(self._lags.items()), lambda before, one: (one[0], before[1] + one[1])))
        metrics = {
            "lag_p99_ms": next(tenths for tenths, count in cumulative if count >= 0.99 * cumulative[-1][1]) / 10,
            "lag_max_ms": cumulative[-1][0] / 10,
            "rss_mb": round(resident_mb(), 1),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "files": len(os.listdir("/proc/self/fd")),
            "cpu_s": round(time.process_time(), 2),
        }
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(metrics))
        temporary.replace(self._path)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def set_kill_point(point: str, count: int) -> None:
    """Kill the process when `point` is reached for the count-th time."""
    owner, original, after = KILL_POINTS[point]
    passes = [0]

    def step() -> None:
        passes[0] += 1
        if passes[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, original.__name__, _with_step(original, step, after))


def _with_step(original: Callable[..., Any], step: Callable[[], None], after: bool) -> Callable[..., Any]:
    @functools.wraps(original)
    def plain(*args: Any, **kwargs: Any) -> Any:
        if not after:
            step()
        result = original(*args, **kwargs)
        if after:
            step()
        return result

    @functools.wraps(original)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        if not after:
            step()
        result = await original(*args, **kwargs)
        if after and result is not None:  # a lease, and not that there is nothing to lease
            step()
        return result

    return awaited if asyncio.iscoroutinefunction(original) else plain


async def serve_monitored(settings: Settings) -> int:
    monitor = LoopMonitor(Path(os.environ["DRILL_METRICS"]))
    ticking = asyncio.create_task(monitor.run())
    try:
        return await server.run(settings)
    finally:
        ticking.cancel()
        monitor.write()


def main() -> int:
    if kill_point := os.environ.get("DRILL_KILL"):
        point, _, count = kill_point.partition(":")
        set_kill_point(point, int(count))
    settings = read_settings(sys.argv[1:])
    start_logging(as_json=False)
    with lock_data_dir(settings.data_dir), asyncio.Runner(loop_factory=make_loop) as runner:
        return runner.run(serve_monitored(settings))


if __name__ == "__main__":
    sys.exit(main())
