"""`server.py` under watch, for drills: how late its loop is, and an end by SIGKILL at a named step.

DRILL_WATCH: a file that holds the figures, written anew twice a second. DRILL_KILL: `POINT:COUNT`, for example
`after-claim:3`: this process kills itself when it comes to that point for that time.
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
from backends import only_one
from logs import start_logging
from models.bucket.embedded.bucket import LocalBucket
from models.queue.leases import Claims
from models.queue.tasks import Tasks
from settings import Settings, read_settings

TICK_S = 0.01
WRITE_S = 0.5

POINTS: dict[str, tuple[type, str, bool]] = {
    "before-accept": (Tasks, "add", False),
    "after-accept": (Tasks, "add", True),
    "after-claim": (Claims, "take", True),
    "after-fetch": (LocalBucket, "read", True),
    "before-store": (LocalBucket, "put", False),
    "after-store": (LocalBucket, "put", True),
    "before-done": (Claims, "finish", False),
    "after-done": (Claims, "finish", True),
}


class Watch:
    """A ticker on the server's loop. It counts by tenths of a millisecond, so that its own cost does not grow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._late: Counter[int] = Counter()

    async def run(self) -> None:
        loop, written = asyncio.get_running_loop(), 0.0
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            self._late[int(10_000 * (loop.time() - due))] += 1
            if loop.time() - written > WRITE_S:
                written = loop.time()
                self.write()

    def write(self) -> None:
        late = list(accumulate(sorted(self._late.items()), lambda before, one: (one[0], before[1] + one[1])))
        figures = {
            "lag_p99_ms": next(tenths for tenths, count in late if count >= 0.99 * late[-1][1]) / 10,
            "lag_max_ms": late[-1][0] / 10,
            "rss_mb": round(resident_mb(), 1),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "files": len(os.listdir("/proc/self/fd")),
            "cpu_s": round(time.process_time(), 2),
        }
        whole = self._path.with_suffix(".new")
        whole.write_text(json.dumps(figures))
        whole.replace(self._path)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def set_trap(point: str, count: int) -> None:
    """Die when `point` is reached for the count-th time."""
    owner, name, after = POINTS[point]
    original, passed = getattr(owner, name), [0]

    def step() -> None:
        passed[0] += 1
        if passed[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, _trapped(original, step, after))


def _trapped(original: Callable[..., Any], step: Callable[[], None], after: bool) -> Callable[..., Any]:
    @functools.wraps(original)
    def plain(*given: Any, **named: Any) -> Any:
        if not after:
            step()
        made = original(*given, **named)
        if after:
            step()
        return made

    @functools.wraps(original)
    async def awaited(*given: Any, **named: Any) -> Any:
        if not after:
            step()
        made = await original(*given, **named)
        if after and made != []:
            step()
        return made

    return awaited if asyncio.iscoroutinefunction(original) else plain


async def watched(settings: Settings) -> int:
    watch = Watch(Path(os.environ["DRILL_WATCH"]))
    ticking = asyncio.create_task(watch.run())
    try:
        return await server.serve(settings)
    finally:
        ticking.cancel()
        watch.write()


def main() -> int:
    if trap := os.environ.get("DRILL_KILL"):
        point, _, count = trap.partition(":")
        set_trap(point, int(count))
    settings = read_settings(sys.argv[1:], os.environ)
    start_logging(as_json=False)
    with only_one(settings.data_dir):
        return asyncio.run(watched(settings))


if __name__ == "__main__":
    sys.exit(main())
