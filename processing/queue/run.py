"""A run: what this server does for a task while it holds the lease: start the job, follow it, stop it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from models import errors
from models.queue.lease import Lease
from models.queue.task import Task
from processing.engine import Engine, JobHandle
from processing.engine.job import ENCODED, Job, JobResult
from processing.queue.progress import ProgressReporter
from processing.rendering import Cancelled

log = logging.getLogger(__name__)

ABORT_GRACE_S = 0.25
"""How long a job that was asked to stop is waited for: its thread may be in a call that cannot be interrupted."""
HANG_GRACE_S = 30.0
"""A job that runs this much longer than its own deadline hangs in a call that cannot be interrupted."""


class StillRunning(Exception):
    """The job was asked to stop and has not stopped yet. future: its result, if it stores one after all."""

    def __init__(self, future: asyncio.Future[JobResult]) -> None:
        super().__init__("the job has not stopped yet")
        self.future = future


class Run:
    """What is in progress for one `Lease`, in the memory of this server, with the `JobHandle` of the engine.

    on_rendered: called when the run needs its thread no more, though the task's end has still to be recorded, with the
    seconds since it was created.

    spare: whether it starts on the spare thread of the engine. has_company: whether results of other runs come soon.
    has_result: whether that of this one has come.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        spare: bool = False,
        on_rendered: Callable[[float], None] = lambda _: None,
        has_company: Callable[[], bool] = lambda: False,
    ) -> None:
        self.lease, self.spare, self.has_company = lease, spare, has_company
        self.rendering, self.has_result = True, False
        self._on_rendered = on_rendered
        self._loop = asyncio.get_running_loop()
        self._created_at = self._loop.time()
        self._stop_requested: asyncio.Future[None] = self._loop.create_future()
        self._handle: JobHandle | None = None

    @property
    def task(self) -> Task:
        return self.lease.task

    @property
    def is_stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop_requested.done()

    def stop(self) -> None:
        """Ask the job to stop, even before it has started."""
        if not self.is_stopped:
            self._stop_requested.set_result(None)
        if self._handle is not None:
            self._handle.stop()

    async def render(self, engine: Engine, job: Job, publish_percent: Callable[[int], None]) -> JobResult:
        """Run the job on the engine.

        Raises what the job raises; Cancelled if it was stopped; StillRunning ABORT_GRACE_S after a stop that the job
        did not follow; TimedOut if it hangs.
        """
        if self.is_stopped:
            raise Cancelled()
        progress = ProgressReporter(publish_percent)
        try:
            self._handle = engine.start(job, partial(self._on_progress, progress), spare=self.spare)
            result = await self._result(self._handle, job.timeout_s)
            self.has_result = True
            return result
        finally:
            progress.close()
            self.release_thread()

    def _on_progress(self, reporter: ProgressReporter, fraction: float) -> None:
        """The next task may be leased once this one is encoded, so that its job is there when the thread is free.

        That alone is no news for users: of a short render it would be the only event between its start and its end.
        """
        if fraction >= ENCODED and self.rendering:
            self.release_thread()
        else:
            reporter(fraction)

    def release_thread(self) -> None:
        """Nothing is rendered any more: another task may have the thread. Harmless when repeated."""
        if self.rendering:
            self.rendering = False
            self._on_rendered(self._loop.time() - self._created_at)

    async def _result(self, handle: JobHandle, timeout_s: float) -> JobResult:
        future = handle.future
        ends: set[asyncio.Future[Any]] = {future, self._stop_requested}
        if not handle.begun.done():
            await asyncio.wait({*ends, handle.begun}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(ends, timeout=timeout_s + HANG_GRACE_S, return_when=asyncio.FIRST_COMPLETED)
        if self.is_stopped and not future.done():
            await asyncio.wait((future,), timeout=ABORT_GRACE_S)
            if not future.done():
                raise StillRunning(future)
        if not future.done():
            future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # nobody awaits it any more
            self.stop()
            log.error("task %s: its thread hangs and is given up", self.task.id)
            raise errors.TimedOut(limit_s=int(timeout_s))
        return future.result()
