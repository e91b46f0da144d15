"""The engine of this process: jobs run in threads, and small results are stored beside the next render."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from processing import mosaic_lazy as mosaic
from processing.engine import JobHandle
from processing.engine.job import ENCODED, Job, JobResult, NeedsMemory, Rendered, rendered
from processing.rendering import Cancelled
from processing.thread_priority import PREVIEW_NICENESS, RENDER_NICENESS, lower_thread_priority

REPORT_INTERVAL_S = 0.05
IDLE_RELEASE_S = 1.0
"""After the last job its free memory is kept this long for the next one."""
STORED_BESIDE_BYTES = 16_000_000
"""A larger result keeps its render thread until it is stored, so that memory does not grow by it."""


class ThreadEngine:
    """An Engine. Its threads have a low priority, so that requests are answered while it renders.

    The spare one has that of previews: it shares the cores with all the others, and what it renders is short.
    To store a result is to wait for a disk or a network: as many threads as render do that for small ones. While all
    of these are busy, a render thread stores its result itself.
    """

    problem = None
    warnings: list[str] = []
    workers: dict[str, int] = {}

    def __init__(self, size: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: the seconds by which reports of progress are limited."""
        self.size = size
        self._clock = clock
        self.render_threads = _threads(size, "render", RENDER_NICENESS)
        self._spare_thread = _threads(1, "spare", PREVIEW_NICENESS)
        self._store_threads = _threads(size, "store", RENDER_NICENESS)
        self._free_stores = threading.Semaphore(size)
        self._spare_calls = 0
        self._handles: set[ThreadJobHandle] = set()
        self._release_timer: asyncio.TimerHandle | None = None

    @property
    def spare_free(self) -> bool:
        """Not while a job hangs there, even after it was given up."""
        return not self._spare_calls

    def start(self, job: Job, on_progress: Callable[[float], None], *, spare: bool = False) -> JobHandle:
        handle = ThreadJobHandle(on_progress, self._clock)
        if spare:
            self._spare_calls += 1
            handle.future = asyncio.ensure_future(self._run_beside(job, handle))
        else:
            handle.begin()  # the queue starts a job only where no other one runs
            handle.future = self._submit(self.render_threads, job, handle)
        self._handles.add(handle)
        handle.future.add_done_callback(lambda _: self._on_done(handle))
        return handle

    def _submit(
        self,
        threads: ThreadPoolExecutor,
        job: Job,
        handle: ThreadJobHandle,
        *,
        source: bytes | None = None,
        small_only: bool = False,
    ) -> asyncio.Future[JobResult]:
        render = partial(
            rendered, job, handle.report, source=source, small_only=small_only, on_fetched=handle.begin_soon
        )
        done: Future[JobResult] = Future()
        queued = threads.submit(self._render, render, done)
        queued.add_done_callback(lambda each: each.cancelled() and done.cancel())
        return asyncio.wrap_future(done)

    def _render(self, render: Callable[[], Rendered], done: Future[JobResult]) -> None:
        """Called in a render thread."""
        if not done.set_running_or_notify_cancel():  # pragma: no cover - nobody cancels a job that waits
            return
        try:
            unstored = render()
        except BaseException as error:
            done.set_exception(error)
            return
        if len(unstored.result.data) <= STORED_BESIDE_BYTES and self._free_stores.acquire(blocking=False):
            self._store_threads.submit(self._store_beside, unstored, done)
        else:
            _store(unstored, done)

    def _store_beside(self, unstored: Rendered, done: Future[JobResult]) -> None:
        try:
            _store(unstored, done)
        finally:
            self._free_stores.release()

    async def _run_beside(self, job: Job, handle: ThreadJobHandle) -> JobResult:
        """Only one small job adds to the memory that as many jobs take as there are render threads."""
        try:
            return await self._submit(self._spare_thread, job, handle, small_only=True)
        except NeedsMemory as error:
            source = error.source
        finally:
            self._spare_calls -= 1
        return await self._submit(self.render_threads, job, handle, source=source)

    def _on_done(self, handle: ThreadJobHandle) -> None:
        self._handles.discard(handle)
        if self._release_timer is not None:
            self._release_timer.cancel()
            self._release_timer = None
        if not self._handles:
            self._release_timer = asyncio.get_running_loop().call_later(IDLE_RELEASE_S, self._release_memory)

    def _release_memory(self) -> None:
        if not self._handles:
            self.render_threads.submit(mosaic.release_free_memory)

    async def close(self) -> None:
        if self._release_timer is not None:
            self._release_timer.cancel()
        for handle in list(self._handles):  # pragma: no cover - stopping the queue has ended the jobs before
            handle.stop()
        for threads in (self._spare_thread, self.render_threads, self._store_threads):
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)


class ThreadJobHandle:
    """A job in a thread. report: its callback, which it calls in its thread."""

    future: asyncio.Future[JobResult]

    def __init__(self, on_progress: Callable[[float], None], clock: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._clock = clock
        self._on_progress, self._reported_at, self._is_ending = on_progress, clock(), False
        self.begun = self._loop.create_future()

    def stop(self) -> None:
        self._stop.set()

    def begin(self) -> None:
        """From now on its time counts. Harmless when repeated."""
        if not self.begun.done():
            self.begun.set_result(None)

    def begin_soon(self) -> None:
        """Called in a thread."""
        if not self.begun.done():
            self._loop.call_soon_threadsafe(self.begin)

    def report(self, fraction: float) -> None:
        """Called about a hundred times in a job; wakes the loop once in REPORT_INTERVAL_S, and when it is encoded."""
        if self._stop.is_set():
            raise Cancelled()
        now = self._clock()
        ends = fraction >= ENCODED and not self._is_ending
        if now - self._reported_at >= REPORT_INTERVAL_S or ends:
            self._reported_at, self._is_ending = now, fraction >= ENCODED
            self._loop.call_soon_threadsafe(self._on_progress, fraction)


def _store(unstored: Rendered, done: Future[JobResult]) -> None:
    try:
        stored = unstored.store()
    except BaseException as error:
        done.set_exception(error)
    else:
        done.set_result(stored)


def _threads(count: int, name: str, niceness: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, name, initializer=lower_thread_priority, initargs=(niceness,))
