"""The percent of a task: it rises in steps that a user can see, and never falls. The clock is a virtual one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing import mosaic
from processing.engine.job import Job, run
from processing.fetch.allowlist import FetchPolicy
from processing.queue.progress import MAX_AHEAD_PERCENT, ProgressReporter
from tests.support.pictures import encoded, photo

MIN_STEPS, DURATION_S = 5, 2.0
MORE: dict[str, dict[str, Any]] = {"redact": {"regions": [[0.1, 0.1, 0.3, 0.3]]}}


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer instead of waiting for it."""

    _now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]
        if timers and not self._ready:
            self._now = max(self._now, min(timers))
        super()._run_once()


def run_on_virtual_clock(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.run(scenario())


@cache
def picture() -> bytes:
    return encoded(photo(1200, 900), "JPEG", quality=90)


def trace_of(folder: Path, style: str) -> list[tuple[float, float]]:
    """Seconds and fractions that a job of this style reports, stretched as if it had taken DURATION_S."""
    keys = Keys("access", "secret")
    bucket = EmbeddedBucket(folder, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=9_000_000)
    bucket.put("source/a", picture(), mime="image/jpeg")
    recipe = mosaic.parse({"style": style, **MORE.get(style, {})}).to_dict()
    job = Job(1, "http://x/bucket/source/a", "source/a", recipe, bucket, FetchPolicy(), 50, 150)
    trace, started_at = list[tuple[float, float]](), time.thread_time()
    run(job, lambda fraction: trace.append((time.thread_time() - started_at, fraction)))
    stretch = DURATION_S / (time.thread_time() - started_at)
    return [(after_s * stretch, fraction) for after_s, fraction in trace]


@pytest.mark.parametrize("style", mosaic.STYLES)
def test_a_task_of_two_seconds_shows_five_steps_that_never_fall(tmp_path: Path, style: str) -> None:
    trace = trace_of(tmp_path, style)
    percents: list[int] = []

    async def replay() -> None:
        reporter = ProgressReporter(percents.append)
        for after_s, fraction in trace:
            asyncio.get_running_loop().call_later(after_s, reporter, fraction)
        await asyncio.sleep(DURATION_S)
        reporter.close()

    run_on_virtual_clock(replay)

    assert percents == sorted(set(percents))
    assert len({*percents, 100}) > MIN_STEPS, (percents, trace)


def test_percents_come_in_steps_and_never_fall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processing.queue.progress.SILENT_S", 60.0)
    percents: list[int] = []

    async def report() -> None:
        reporter = ProgressReporter(percents.append)
        for percent in (10, 30, 20, 50, 70, 90):
            reporter(percent / 100)
            await asyncio.sleep(0.16)
        reporter.close()

    run_on_virtual_clock(report)

    assert percents == [10, 30, 50, 70, 90]


def test_a_step_that_cannot_report_counts_up_but_not_too_far() -> None:
    percents: list[int] = []

    async def report() -> None:
        reporter = ProgressReporter(percents.append)
        reporter(0.7)
        await asyncio.sleep(60)
        reporter(0.92)
        await asyncio.sleep(0.1)
        reporter.close()
        await asyncio.sleep(60)

    run_on_virtual_clock(report)

    assert percents == [*range(70, 70 + MAX_AHEAD_PERCENT + 1), 92]
