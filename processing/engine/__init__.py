"""Engines: where jobs run, in threads of this process or on a Dask cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from processing.engine.job import Job, JobResult


class WorkerDied(Exception):
    """The process that ran a job died during the job."""


class JobHandle(Protocol):
    """A job that was started."""

    @property
    def future(self) -> asyncio.Future[JobResult]:
        """What the job returns or raises; Unavailable where no job can run; WorkerDied."""

    def stop(self) -> None:
        """Ask the job to stop: its next progress report raises Cancelled."""


class Engine(Protocol):
    """Runs jobs."""

    @property
    def size(self) -> int:
        """How many jobs run at once; 0 while none can run."""

    @property
    def problem(self) -> str | None:
        """One line for the health page while no job can run."""

    def start(self, job: Job, on_progress: Callable[[float], None]) -> JobHandle:
        """Start a job. on_progress is called on the loop with the progress, 0 to 1. Raises Unavailable."""

    async def close(self) -> None:
        """Stop the jobs and free the threads."""
