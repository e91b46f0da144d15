"""The engine on a Dask cluster: runs `job.run` on the workers of a scheduler whose address is a setting.

Progress comes back as Dask events of a topic of our own; a request to stop goes out as a `distributed.Event` named
after the run. When a worker dies, Dask starts its job again on another one: this engine sees the second start, ends
the run with WorkerDied, and the queue counts one more attempt in the record that all servers share.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from distributed import Client, Event, Worker, WorkerPlugin, get_worker
from distributed.scheduler import KilledWorker

from models import errors
from processing.background import background
from processing.engine import JobHandle, WorkerDied
from processing.engine.job import Job, JobResult, run
from processing.process_setup import tune_process
from processing.rendering import Cancelled

log = logging.getLogger(__name__)

MONITOR_INTERVAL_S = 1.0
REPORT_INTERVAL_S = 0.1
STOP_POLL_S = 0.25
"""How often at most a worker asks the scheduler whether its run is to stop."""
CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
NETWORK_ERRORS = (OSError, TimeoutError)


@asynccontextmanager
async def connect_cluster(address: str) -> AsyncIterator[ClusterEngine]:
    """The engine of a scheduler's cluster. While the scheduler is away, connecting is tried again until it is back."""
    engine = ClusterEngine(address)
    with contextlib.suppress(*NETWORK_ERRORS):
        await engine.connect()
    try:
        async with background(engine.monitor()):
            yield engine
    finally:
        await engine.close()


class ClusterEngine:
    """An Engine. See `connect_cluster`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._topic = f"tessera-{secrets.token_hex(6)}"
        self._client: Client | None = None
        self._handles: dict[str, ClusterJobHandle] = {}
        self._threads = 0

    @property
    def size(self) -> int:
        return self._threads

    @property
    def problem(self) -> str | None:
        """Does not name the scheduler's address, since the health page is public; the log does."""
        return None if self._threads else "cluster: no worker answers"

    def start(self, job: Job, on_progress: Callable[[float], None]) -> JobHandle:
        if self._client is None:
            raise errors.Unavailable()
        handle = ClusterJobHandle(self._client, self._topic, job, on_progress)
        self._handles[handle.name] = handle
        handle.future.add_done_callback(lambda _: self._handles.pop(handle.name, None))
        return handle

    async def close(self) -> None:
        for handle in list(self._handles.values()):  # pragma: no cover - a cluster that goes away with running jobs
            handle.abort(errors.Unavailable())
        if self._client is not None:
            client, self._client, self._threads = self._client, None, 0
            with contextlib.suppress(*NETWORK_ERRORS, RuntimeError):
                await client.close(timeout=CLOSE_TIMEOUT_S)

    async def connect(self) -> None:
        """Raises OSError or TimeoutError if the scheduler does not answer."""
        client = await Client(self._address, asynchronous=True, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        client.subscribe_topic(self._topic, self._on_event)
        await client.register_plugin(WorkerSetup())
        self._client = client
        await self._count_threads()

    async def monitor(self) -> None:
        """Count the workers' threads every second; connect again after the scheduler was away."""
        while True:
            await asyncio.sleep(MONITOR_INTERVAL_S)
            try:
                await (self.connect() if self._client is None else self._count_threads())
            except NETWORK_ERRORS as error:
                if self._client is not None:
                    log.warning("cluster: %s does not answer (%s); tasks wait", self._address, error)
                await self.close()
            except Exception:  # pragma: no cover - a bug of ours or of Dask
                log.exception("cluster: checking %s failed", self._address)
                await self.close()

    async def _count_threads(self) -> None:
        client = self._client
        if client is None or client.status != "running":
            raise OSError("the scheduler is away")
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            identity = await client.scheduler.identity()
        self._threads = sum(worker["nthreads"] for worker in identity["workers"].values())

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        """A message of a worker about one of our runs."""
        message = event[1]
        if handle := self._handles.get(message["run"]):
            handle.on_message(message)


class WorkerSetup(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Sets up every worker process as a server sets itself up, also workers that join later."""

    name = "tessera-runtime"

    def setup(self, worker: Worker) -> None:
        tune_process()


class ClusterJobHandle:
    """A job on one worker."""

    def __init__(self, client: Client, topic: str, job: Job, on_progress: Callable[[float], None]) -> None:
        self.name = secrets.token_hex(8)
        self._on_progress = on_progress
        self._stop = Event(f"stop-{self.name}", client=client)
        self._dask_future = client.submit(
            run_on_worker, job, topic, self.name, key=f"mosaic-{self.name}", pure=False, retries=0
        )
        self._starts = 0
        self._stopping: asyncio.Future[None] | None = None
        self._abort_error: Exception = errors.Unavailable()
        self.future: asyncio.Future[JobResult] = asyncio.ensure_future(self._result())

    def stop(self) -> None:
        if self._stopping is None and not self.future.done():
            self._stopping = asyncio.ensure_future(self._set_stop())

    def on_message(self, message: dict[str, Any]) -> None:
        """Progress, or the start of the job. A second start means that the first worker has died."""
        if "fraction" in message:
            self._on_progress(message["fraction"])
            return
        self._starts += 1
        if self._starts > 1:
            self.abort(WorkerDied())

    def abort(self, error: Exception) -> None:
        """End the run with this error; a result that a worker returns later is dropped."""
        if not self.future.done():
            self._abort_error = error
            self.future.cancel()

    async def _result(self) -> JobResult:
        try:
            result: JobResult = await self._dask_future
        except asyncio.CancelledError:
            raise self._abort_error from None
        except KilledWorker as error:  # pragma: no cover - Dask gives up only after more deaths than we wait for
            raise WorkerDied() from error
        except NETWORK_ERRORS as error:  # pragma: no cover - a cluster that goes away with running jobs
            raise errors.Unavailable() from error
        finally:
            with contextlib.suppress(Exception):
                self._dask_future.release()
        return result

    async def _set_stop(self) -> None:
        with contextlib.suppress(*NETWORK_ERRORS, RuntimeError):
            await self._stop.set()


def run_on_worker(job: Job, topic: str, name: str) -> JobResult:
    """Runs on the worker. Raises what `job.run` raises."""
    worker = get_worker()
    stop = Event(f"stop-{name}")
    reported_at = polled_at = 0.0
    worker.log_event(topic, {"run": name, "start": True})

    def report(fraction: float) -> None:
        nonlocal reported_at, polled_at
        now = time.monotonic()
        if now - polled_at >= STOP_POLL_S:
            polled_at = now
            if stop.is_set():
                raise Cancelled()
        if now - reported_at >= REPORT_INTERVAL_S:
            reported_at = now
            worker.log_event(topic, {"run": name, "fraction": fraction})

    return run(job, report)
