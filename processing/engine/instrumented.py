"""Engine and threads that count what passes through them; whoever uses them sees no difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from models import errors
from processing.engine import Engine, JobHandle, WorkerDied
from processing.engine.job import Job, JobResult
from processing.executors import IO_THREADS, Executors
from processing.metrics import Metrics
from processing.rendering import Cancelled

T = TypeVar("T")

FETCH_FAILED = (errors.SourceUnreachable, errors.SourceMissing, errors.SourceTooLarge)
FETCHED = (errors.NotAPicture, errors.TooManyPixels, errors.RecipeImpossible)
"""Errors that come after the source has arrived. What else may stop a job does not say how far it was."""
BUCKET_FAILED = (errors.BucketUnavailable, errors.StorageFull)


class CountedEngine:
    """An engine whose jobs are counted by outcome, with their render seconds and what became of their download."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine, self._metrics = engine, metrics
        self._underway = 0
        metrics.watch_threads("render", lambda: engine.size, lambda: self._underway)

    @property
    def size(self) -> int:
        return self._engine.size

    @property
    def problem(self) -> str | None:
        return self._engine.problem

    def start(self, job: Job, on_progress: Callable[[float], None]) -> JobHandle:
        return CountedRun(self._engine.start(job, on_progress), job.recipe["style"], self)

    async def close(self) -> None:
        await self._engine.close()

    @contextmanager
    def underway(self) -> Iterator[None]:
        self._underway += 1
        try:
            yield
        finally:
            self._underway -= 1

    def done(self, style: str, result: JobResult) -> None:
        self._metrics.jobs.labels(style, "done").inc()
        self._metrics.render_seconds.labels(style).observe(result.seconds)
        self._metrics.downloads.labels("done").inc()

    def failed(self, style: str, error: Exception) -> None:
        self._metrics.jobs.labels(style, _outcome(error)).inc()
        if isinstance(error, FETCH_FAILED):
            self._metrics.downloads.labels(error.slug).inc()
        elif isinstance(error, FETCHED):
            self._metrics.downloads.labels("done").inc()
        elif isinstance(error, BUCKET_FAILED):
            self._metrics.bucket_errors.labels(error.slug).inc()


class CountedRun:
    """One job under way."""

    def __init__(self, run: JobHandle, style: str, counts: CountedEngine) -> None:
        self._run, self._style, self._counts = run, style, counts

    async def result(self) -> JobResult:
        with self._counts.underway():
            try:
                result = await self._run.result()
            except Exception as error:
                self._counts.failed(self._style, error)
                raise
        self._counts.done(self._style, result)
        return result

    def stop(self) -> None:
        self._run.stop()


class InstrumentedExecutors(Executors):
    """Threads whose load and whose failing bucket calls are counted."""

    def __init__(self, preview_threads: int, metrics: Metrics) -> None:
        super().__init__(preview_threads)
        self._metrics = metrics
        self._active: Counter[str] = Counter()
        metrics.watch_threads("io", lambda: IO_THREADS, lambda: self._active["io"])
        metrics.watch_threads("preview", lambda: preview_threads, lambda: self._active["preview"])

    async def io(self, work: Callable[..., T], *arguments: object, **keywords: object) -> T:
        with self._counted("io"):
            return await super().io(work, *arguments, **keywords)

    async def preview(self, work: Callable[..., T], *arguments: object) -> T:
        with self._counted("preview"):
            return await super().preview(work, *arguments)

    @contextmanager
    def _counted(self, pool: str) -> Iterator[None]:
        self._active[pool] += 1
        try:
            yield
        except BUCKET_FAILED as error:
            self._metrics.bucket_errors.labels(error.slug).inc()
            raise
        finally:
            self._active[pool] -= 1


def _outcome(error: Exception) -> str:
    """A slug of ours, or: stopped, lost (its process died), internal (a bug)."""
    if isinstance(error, errors.TesseraError):
        return error.slug
    if isinstance(error, Cancelled):
        return "stopped"
    return "lost" if isinstance(error, WorkerDied) else errors.TesseraError.slug
