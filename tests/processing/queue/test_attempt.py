"""How far an attempt says that it is: every style tells five steps in two seconds, and none of them falls.

A style is run once, and what it reports is told again on a clock of its own, as if the whole had taken two seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from models.queue.leases import Lease
from models.queue.tasks import new_task
from processing import mosaic
from processing.engine.job import Job, run
from processing.fetch.allowlist import FetchPolicy
from processing.queue.attempt import Run
from tests.processing.queue.queue_harness import ADA, ManualEngine, ManualJob
from tests.support.pictures import encoded, photo

STEPS, WHOLE_S = 5, 2.0
MORE: dict[str, dict[str, Any]] = {"redact": {"regions": [[0.1, 0.1, 0.3, 0.3]]}}


class QuickLoop(asyncio.SelectorEventLoop):
    """Its clock goes on to the next thing that is due instead of waiting for it."""

    _now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self._now = max(self._now, self._scheduled[0].when())
        super()._run_once()


class Replay(ManualEngine):
    """An engine that reports at given times. trace: seconds, and how far the job was."""

    def __init__(self, trace: list[tuple[float, float]]) -> None:
        super().__init__()
        self._trace = trace

    def start(self, job: Job, on_progress: Callable[[float], None]) -> ManualJob:
        for after_s, fraction in self._trace:
            asyncio.get_running_loop().call_later(after_s, on_progress, fraction)
        return super().start(job, on_progress)


def traced(folder: Path, style: str) -> tuple[Job, list[tuple[float, float]]]:
    """What a job of this style reports, by its thread's processor time, as if it had taken WHOLE_S."""
    keys = Keys("access", "secret")
    bucket = EmbeddedBucket(folder, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=9_000_000)
    bucket.put("source/a", encoded(photo(1600, 1200), "JPEG", quality=90), mime="image/jpeg")
    recipe = mosaic.parse({"style": style, **MORE.get(style, {})}).to_dict()
    job = Job(1, "http://x/bucket/source/a", "source/a", recipe, bucket, FetchPolicy(), 50)
    trace, begun = list[tuple[float, float]](), time.thread_time()
    run(job, lambda fraction: trace.append((time.thread_time() - begun, fraction)))
    stretch = WHOLE_S / (time.thread_time() - begun)
    return job, [(after_s * stretch, fraction) for after_s, fraction in trace]


@pytest.mark.parametrize("style", mosaic.STYLES)
def test_a_task_of_two_seconds_tells_five_steps_and_never_falls(tmp_path: Path, style: str) -> None:
    job, trace = traced(tmp_path, style)
    percents: list[int] = []

    async def attempt() -> None:
        task = new_task(ADA, url="u", type="model", style=style, recipe={}, dedup_key="i")
        run = Run(Lease(task, "one"))
        run.begin(Replay(trace), job, percents.append)
        await asyncio.sleep(WHOLE_S)
        run.close()

    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        runner.run(attempt())

    assert percents == sorted(set(percents))
    assert len({*percents, 100}) > STEPS, (percents, trace)
