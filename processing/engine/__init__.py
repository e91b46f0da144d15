"""Engines: where jobs run, in threads of this process or on a Dask cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from processing.engine.job import Job, JobResult


class WorkerDied(Exception):
    """The process that ran a job died during the job."""


class JobInterrupted(Exception):
    """The cluster lost the job without its fault: the scheduler is gone, or no worker is left."""


class JobHandle(Protocol):
    """A job that was started."""

    @property
    def begun(self) -> asyncio.Future[None]:
        """Done when the job begins: a cluster may queue it."""

    @property
    def future(self) -> asyncio.Future[JobResult]:
        """What the job returns or raises; WorkerDied, JobInterrupted."""

    def stop(self) -> None:
        """Ask the job to stop: its next progress report raises Cancelled."""


class Engine(Protocol):
    """Runs jobs."""

    @property
    def size(self) -> int:
        """How many jobs run at once; 0 while none can run."""

    @property
    def spare_free(self) -> bool:
        """Whether one more job begins at once while `size` others run: see `start`. Never on a cluster."""

    @property
    def problem(self) -> str | None:
        """One line for the health page while no job can run."""

    @property
    def warnings(self) -> list[str]:
        """Lines for the health page about workers that run no jobs."""

    @property
    def workers(self) -> Mapping[str, int]:
        """Workers of a cluster by state: connected (they run jobs), refused, missing (they do not answer)."""

    @property
    def render_threads(self) -> ThreadPoolExecutor | None:
        """The threads of this process that run jobs; None where other processes run them."""

    def start(self, job: Job, on_progress: Callable[[float], None], *, spare: bool = False) -> JobHandle:
        """Start a job. on_progress is called on the loop with the progress, 0 to 1.

        spare: beside `size` others, if it needs little memory; otherwise it begins when one of them ends.
        Raises JobInterrupted where no job can run.
        """

    async def close(self) -> None:
        """Stop the jobs and free the threads."""
