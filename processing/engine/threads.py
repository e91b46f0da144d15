"""The engine of this process: jobs run in threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from processing.engine import JobHandle
from processing.engine.job import RENDERED, Job, run
from processing.mosaic import release_free_memory
from processing.rendering import Cancelled
from processing.thread_priority import RENDER_NICENESS, lower_thread_priority

REPORT_INTERVAL_S = 0.05
IDLE_RELEASE_S = 1.0
"""After the last job its free memory is kept this long for the next one."""


class ThreadEngine:
    """An Engine. Its threads have a low priority, so that requests are answered while it renders."""

    problem = None
    warnings: list[str] = []
    workers: dict[str, int] = {}

    def __init__(self, size: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: the seconds by which reports of progress are limited."""
        self.size = size
        self._clock = clock
        self.render_threads = ThreadPoolExecutor(
            size, "render", initializer=lower_thread_priority, initargs=(RENDER_NICENESS,)
        )
        self._handles: set[ThreadJobHandle] = set()
        self._release_timer: asyncio.TimerHandle | None = None

    def start(self, job: Job, on_progress: Callable[[float], None]) -> JobHandle:
        handle = ThreadJobHandle(self.render_threads, job, on_progress, self._clock)
        self._handles.add(handle)
        handle.future.add_done_callback(lambda _: self._on_done(handle))
        return handle

    def _on_done(self, handle: ThreadJobHandle) -> None:
        self._handles.discard(handle)
        if self._release_timer is not None:
            self._release_timer.cancel()
            self._release_timer = None
        if not self._handles:
            self._release_timer = asyncio.get_running_loop().call_later(IDLE_RELEASE_S, self._release_memory)

    def _release_memory(self) -> None:
        if not self._handles:
            self.render_threads.submit(release_free_memory)

    async def close(self) -> None:
        if self._release_timer is not None:
            self._release_timer.cancel()
        for handle in list(self._handles):  # pragma: no cover - stopping the queue has ended the jobs before
            handle.stop()
        await asyncio.to_thread(self.render_threads.shutdown, cancel_futures=True)


class ThreadJobHandle:
    """A job in one thread of an executor."""

    def __init__(
        self, executor: ThreadPoolExecutor, job: Job, on_progress: Callable[[float], None], clock: Callable[[], float]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._clock = clock
        self._on_progress, self._reported_at = on_progress, float("-inf")
        self.begun = self._loop.create_future()
        self.begun.set_result(None)  # the queue starts a job only where no other one runs
        self.future = self._loop.run_in_executor(executor, run, job, self._report)

    def stop(self) -> None:
        self._stop.set()

    def _report(self, fraction: float) -> None:
        """Called about a hundred times in a job; wakes the loop once in REPORT_INTERVAL_S, and when it is rendered."""
        if self._stop.is_set():
            raise Cancelled()
        now = self._clock()
        if now - self._reported_at >= REPORT_INTERVAL_S or fraction == RENDERED:
            self._reported_at = now
            self._loop.call_soon_threadsafe(self._on_progress, fraction)
