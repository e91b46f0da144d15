"""Engines: where jobs run, in threads of this process or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from processing.engine.job import Job, JobResult


class WorkerDied(Exception):
    """The process that ran a job died over it."""


class JobHandle(Protocol):
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

    def start(self, job: Job, on_progress: Callable[[float], None]) -> JobHandle:
        """Start a job; on_progress is called on the loop with how far it is, 0 to 1.

        `result` of the run raises what the job raises, Unavailable where no job can run, and WorkerLost.
        """

    async def close(self) -> None:
        """Stop what still runs and free the threads."""
