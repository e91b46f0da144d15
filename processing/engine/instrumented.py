"""An engine and executors that update the metrics."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from models import errors
from processing.engine import Engine, JobHandle, JobInterrupted, WorkerDied
from processing.engine.job import Job, JobResult
from processing.executors import IO_THREADS, Executors
from processing.metrics import Metrics
from processing.rendering import Cancelled

T = TypeVar("T")

FETCH_ERRORS = (errors.SourceUnreachable, errors.SourceMissing, errors.SourceTooLarge)
ERRORS_AFTER_FETCH = (errors.NotAPicture, errors.TooManyPixels, errors.RecipeImpossible)
"""Errors that are raised after the source has arrived. Other errors may come before or after that."""
BUCKET_ERRORS = (errors.BucketUnavailable, errors.StorageFull)


class InstrumentedEngine:
    """Counts the jobs of another engine by outcome, their render seconds, and the downloads of their sources."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine, self._metrics = engine, metrics
        self._active = 0
        metrics.watch_threads("render", lambda: engine.size, lambda: self._active)
        metrics.watch_workers(lambda: engine.workers)

    @property
    def size(self) -> int:
        return self._engine.size

    @property
    def spare_free(self) -> bool:
        return self._engine.spare_free

    @property
    def problem(self) -> str | None:
        return self._engine.problem

    @property
    def warnings(self) -> list[str]:
        return self._engine.warnings

    @property
    def workers(self) -> Mapping[str, int]:
        return self._engine.workers

    @property
    def render_threads(self) -> ThreadPoolExecutor | None:
        return self._engine.render_threads

    def start(self, job: Job, on_progress: Callable[[float], None], *, spare: bool = False) -> JobHandle:
        handle = self._engine.start(job, on_progress, spare=spare)
        self._active += 1
        handle.future.add_done_callback(lambda future: self._count(job.recipe["style"], future))
        return handle

    async def close(self) -> None:  # pragma: no cover - the caller closes the engine itself
        await self._engine.close()

    def _count(self, style: str, future: asyncio.Future[JobResult]) -> None:
        self._active -= 1
        if future.cancelled():
            return
        error = future.exception()
        self._metrics.jobs.labels(style, "done" if error is None else _outcome(error)).inc()
        if error is None:
            self._metrics.render_seconds.labels(style).observe(future.result().seconds)
        if error is None or isinstance(error, ERRORS_AFTER_FETCH):
            self._metrics.downloads.labels("done").inc()
        elif isinstance(error, FETCH_ERRORS):
            self._metrics.downloads.labels(error.slug).inc()
        elif isinstance(error, BUCKET_ERRORS):
            self._metrics.bucket_errors.labels(error.slug).inc()


class InstrumentedExecutors(Executors):
    """Executors that show their load, and count failed calls of the bucket."""

    def __init__(self, preview_threads: int, render_threads: ThreadPoolExecutor | None, metrics: Metrics) -> None:
        super().__init__(preview_threads, render_threads)
        self._metrics = metrics
        self._active: Counter[str] = Counter()
        metrics.watch_threads("io", lambda: IO_THREADS, lambda: self._active["io"])
        metrics.watch_threads("preview", lambda: preview_threads, lambda: self._active["preview"])

    async def io(self, work: Callable[..., T], *arguments: object, **keywords: object) -> T:
        with self._count("io"):
            return await super().io(work, *arguments, **keywords)

    async def preview(self, work: Callable[..., T], *arguments: object) -> T:
        with self._count("preview"):
            return await super().preview(work, *arguments)

    async def large(self, work: Callable[..., T], *arguments: object) -> T:
        with self._count("large"):
            return await super().large(work, *arguments)

    @contextmanager
    def _count(self, pool: str) -> Iterator[None]:
        self._active[pool] += 1
        try:
            yield
        except BUCKET_ERRORS as error:
            self._metrics.bucket_errors.labels(error.slug).inc()
            raise
        finally:
            self._active[pool] -= 1


def _outcome(error: BaseException) -> str:
    """The slug of one of our errors; `stopped`; `lost` where the worker died or is gone; `internal` for a bug."""
    if isinstance(error, errors.TesseraError):
        return error.slug
    if isinstance(error, Cancelled):
        return "stopped"
    return "lost" if isinstance(error, WorkerDied | JobInterrupted) else errors.TesseraError.slug
