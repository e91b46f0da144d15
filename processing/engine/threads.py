"""Where a job runs: this process's threads. The one place through which blocking work leaves the loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from processing.engine.job import Job, JobResult, Stopped, run
from processing.process_setup import hand_back
from processing.thread_priority import PREVIEW_NICENESS, RENDER_NICENESS, step_back

T = TypeVar("T")

IO_THREADS = 8
REPORT_PAUSE_S = 0.05
REST_S = 1.0
"""So long after the last job its memory is kept for the next one."""


class WorkerLost(Exception):
    """The process that ran a job died over it."""


class Run(Protocol):
    """One job under way. `await run.result()` gives what it made or raises what stopped it."""

    async def result(self) -> JobResult: ...

    def stop(self) -> None:
        """Ask the job to stop; it raises Stopped at its next report."""


class Engine(Protocol):
    """Runs jobs."""

    @property
    def size(self) -> int:
        """How many at once; 0 while it can run none."""

    @property
    def problem(self) -> str | None:
        """One line for the health, while it can run none."""

    def start(self, job: Job, on_progress: Callable[[float], None]) -> Run:
        """Start a job; on_progress is called on the loop with how far it is, 0 to 1.

        `result` of the run raises what the job raises, Unavailable where no job can run, and WorkerLost.
        """

    async def close(self) -> None:
        """Stop what still runs and free the threads."""


class ThreadEngine:
    """The jobs of this server, in threads that are nice to the loop: rendering waits where a request does not."""

    problem = None

    def __init__(self, size: int) -> None:
        self.size = size
        self._executor = ThreadPoolExecutor(size, "render", initializer=step_back, initargs=(RENDER_NICENESS,))
        self._runs: set[ThreadRun] = set()
        self._rest: asyncio.TimerHandle | None = None

    def start(self, job: Job, on_progress: Callable[[float], None]) -> Run:
        started = ThreadRun(self._executor, job, on_progress)
        self._runs.add(started)
        started.future.add_done_callback(lambda _: self._ended(started))
        return started

    def _ended(self, run: ThreadRun) -> None:
        self._runs.discard(run)
        if self._rest is not None:
            self._rest.cancel()
        self._rest = None if self._runs else asyncio.get_running_loop().call_later(REST_S, self._hand_back)

    def _hand_back(self) -> None:
        if not self._runs:
            self._executor.submit(hand_back)

    async def close(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        for started in list(self._runs):
            started.stop()
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)


class ThreadRun:
    """One job in one executor thread."""

    def __init__(self, executor: ThreadPoolExecutor, job: Job, on_progress: Callable[[float], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = threading.Event()
        self._on_progress, self._told_at = on_progress, float("-inf")
        self.future = self._loop.run_in_executor(executor, run, job, self._report)

    async def result(self) -> JobResult:
        return await asyncio.shield(self.future)

    def stop(self) -> None:
        self._stopped.set()

    def _report(self, fraction: float) -> None:
        """Called a hundred times a job: the loop is woken up for some of them alone."""
        if self._stopped.is_set():
            raise Stopped()
        now = time.monotonic()
        if now - self._told_at >= REPORT_PAUSE_S:
            self._told_at = now
            self._loop.call_soon_threadsafe(self._on_progress, fraction)


class Threads:
    """Threads for what blocks and is short: bucket calls (`io`) and previews (`preview`)."""

    def __init__(self, preview_threads: int) -> None:
        self._io = ThreadPoolExecutor(IO_THREADS, "io")
        self._preview = ThreadPoolExecutor(
            preview_threads, "preview", initializer=step_back, initargs=(PREVIEW_NICENESS,)
        )

    async def io(self, work: Callable[..., T], *arguments: object, **named: object) -> T:
        """Run a blocking call of the bucket."""
        return await self._run(self._io, lambda: work(*arguments, **named))

    async def preview(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a small render; it never waits behind a large one."""
        return await self._run(self._preview, lambda: work(*arguments))

    async def close(self) -> None:
        for executor in (self._io, self._preview):
            await asyncio.to_thread(executor.shutdown, cancel_futures=True)

    async def _run(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, work)
