"""What this server knows of one task that it runs: how far the job is, and whether it was asked to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from models.queue.leases import Lease
from processing.engine import Engine, JobHandle
from processing.engine.job import Job, JobResult

PROGRESS_INTERVAL_S = 0.15
SILENT_S, AHEAD_PERCENT = 0.2, 8
"""A long step that cannot say how far it is, such as writing a PNG, counts one percent each SILENT_S, up to so many."""
ABORT_GRACE_S = 0.25
"""A job that was asked to stop is waited for so long: its thread may be in a call that nothing interrupts."""


class StillRunning(Exception):
    """The job was asked to stop and has not done so yet. ending: of what it may still make."""

    def __init__(self, ending: asyncio.Future[JobResult]) -> None:
        super().__init__("the job has not stopped yet")
        self.ending = ending


class Run:
    """One claim from its beginning to its end. stopping: it was asked to stop, perhaps before its job began.

    took_s: what its job took, once it has made something.
    on_made: called once its job is over, while its end has still to be recorded: its thread is free.
    """

    def __init__(self, claim: Lease, *, stopping: bool = False, on_made: Callable[[], None] = lambda: None) -> None:
        self.claim, self.stopping = claim, stopping
        self.rendering, self._on_made = True, on_made
        self.took_s: float | None = None
        self._asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._run: JobHandle | None = None
        self._percent, self._reported, self._told_at = -1, 0, 0.0
        self._tell: Callable[[int], None] = lambda _: None
        self._counting: asyncio.TimerHandle | None = None

    def begin(self, engine: Engine, job: Job, tell: Callable[[int], None]) -> None:
        """Start the job. tell: called with its percent, which only rises, not more often than anybody can see."""
        self._tell = tell
        self._run = engine.start(job, self._progress)
        if self.stopping:
            self.stop()
        self._wait_for_more()

    async def result(self) -> JobResult:
        """What the job makes, or raises. Raises NotAwaited if it has not stopped STOPPED_S after it was asked to."""
        assert self._run is not None, "it has not begun"
        ending = asyncio.ensure_future(self._run.result())
        await asyncio.wait((ending, self._asked), return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            await asyncio.wait((ending,), timeout=ABORT_GRACE_S)
        if not ending.done():
            raise StillRunning(ending)
        made = ending.result()
        self.took_s = made.took_s
        return made

    def stop(self) -> None:
        """Ask the job to stop."""
        self.stopping = True
        if not self._asked.done():
            self._asked.set_result(None)
        if self._run is not None:
            self._run.stop()

    def close(self) -> None:
        """The job is over: nothing more is told of it."""
        if self._counting is not None:
            self._counting.cancel()
        self.rendering = False
        self._on_made()

    def _progress(self, fraction: float) -> None:
        self._reported = max(self._reported, int(fraction * 100))
        self._tell_percent(self._reported, PROGRESS_INTERVAL_S)

    def _wait_for_more(self) -> None:
        self._counting = asyncio.get_running_loop().call_later(SILENT_S, self._count_on)

    def _count_on(self) -> None:
        if self._percent < min(99, self._reported + AHEAD_PERCENT):
            self._tell_percent(max(self._reported, self._percent + 1), SILENT_S)
        self._wait_for_more()

    def _tell_percent(self, percent: int, pause_s: float) -> None:
        now = asyncio.get_running_loop().time()
        if percent > self._percent and now - self._told_at >= pause_s:
            self._percent, self._told_at = percent, now
            self._tell(percent)
