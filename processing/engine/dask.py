"""The engine on a Dask cluster: runs `job.run` on the workers of a scheduler whose address is a setting.

Progress comes back as Dask events of a topic of our own; a request to stop goes out as a `distributed.Event` named
after the run. When a worker dies, Dask starts its job again on another one: this engine sees the second start, ends
the run with WorkerDied, and the queue counts one more attempt in the record that all servers share. Where no worker or
no scheduler is left, the runs end with JobInterrupted, which the queue does not count.

A worker gets jobs once it has answered with the version of this server: one without our code, or with another version
of it, is named in the log and counted in the warnings.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager
from typing import Any

from distributed import Client, Event, Worker, WorkerPlugin, get_worker
from distributed.scheduler import KilledWorker

from models import errors
from processing.background import background
from processing.engine import JobHandle, JobInterrupted, WorkerDied
from processing.engine.job import Job, JobResult, job_version, run
from processing.engine.refusals import SILENT, WORKER_TIMEOUT_S, answer_of, refusal_of
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

# Dask's tracebacks when a scheduler dies and the client is closed: `monitor` says it in one line.
logging.getLogger("distributed.batched").setLevel(logging.WARNING)
logging.getLogger("distributed.client").addFilter(lambda record: "CancelledError" not in str(record.exc_info))


class OtherVersion(Exception):
    """A worker was given a job of another version."""


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
        self._address, self.render_threads, self.spare_free = address, None, False
        self._topic = f"tessera-{secrets.token_hex(6)}"
        self._client: Client | None = None
        self._handles: dict[str, ClusterJobHandle] = {}
        self._threads = self._registered = 0
        self._refusals: dict[str, str] = {}
        """Why each worker runs no jobs, by its address; "" for those that do."""

    @property
    def size(self) -> int:
        return self._threads

    @property
    def problem(self) -> str | None:
        """Does not name the scheduler's address, since the health page is public; the log does."""
        return None if self._threads else "cluster: no worker answers"

    @property
    def warnings(self) -> list[str]:
        reasons = [reason for reason in self._refusals.values() if reason] + [SILENT] * self.workers["missing"]
        return [f"cluster: {reasons.count(reason)} workers run no jobs: {reason}" for reason in sorted(set(reasons))]

    @property
    def workers(self) -> Mapping[str, int]:
        ready, answered = len(self._ready), len(self._refusals)
        return {"connected": ready, "refused": answered - ready, "missing": max(0, self._registered - answered)}

    def start(self, job: Job, on_progress: Callable[[float], None], *, spare: bool = False) -> JobHandle:
        if self._client is None or not self._ready:
            raise JobInterrupted()
        handle = ClusterJobHandle(self._client, self._ready, self._topic, job, on_progress)
        self._handles[handle.name] = handle
        handle.future.add_done_callback(lambda future: self._on_done(handle.name, future))
        return handle

    def _on_done(self, name: str, future: asyncio.Future[JobResult]) -> None:
        self._handles.pop(name, None)
        if not future.cancelled() and isinstance(future.exception(), JobInterrupted):
            self._refusals, self._threads = {}, 0  # no more jobs until the monitor has asked all workers again

    async def close(self) -> None:
        self._interrupt()
        if self._client is not None:
            client, self._client, self._threads, self._registered, self._refusals = self._client, None, 0, 0, {}
            with contextlib.suppress(*NETWORK_ERRORS, RuntimeError):
                await client.close(timeout=CLOSE_TIMEOUT_S)

    async def connect(self) -> None:
        """Raises OSError or TimeoutError if the scheduler does not answer."""
        client = await Client(self._address, asynchronous=True, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        client.subscribe_topic(self._topic, self._on_event)
        try:
            async with asyncio.timeout(2 * WORKER_TIMEOUT_S):
                await client.register_plugin(WorkerSetup())
        except TimeoutError:
            log.warning("cluster: a worker does not answer; it gets no jobs until it does")
        except OSError:  # pragma: no cover - the scheduler goes away at this moment
            await client.close(timeout=CLOSE_TIMEOUT_S)
            raise
        except Exception as error:  # a worker without our code; the others have it now, and it gets no jobs
            log.warning("cluster: a worker cannot be set up: %s", error)
        self._client = client
        await self._check_workers()

    async def monitor(self) -> None:
        """Check the workers every second; connect again after the scheduler was away."""
        while True:
            await asyncio.sleep(MONITOR_INTERVAL_S)
            try:
                await (self.connect() if self._client is None else self._check_workers())
            except NETWORK_ERRORS as error:
                if self._client is not None:
                    log.warning("cluster: %s does not answer (%s); tasks wait", self._address, error)
                await self.close()
            except Exception:  # pragma: no cover - a bug of ours or of Dask
                log.exception("cluster: checking %s failed", self._address)
                await self.close()

    @property
    def _ready(self) -> list[str]:
        """The addresses of the workers that run jobs."""
        return [address for address, reason in self._refusals.items() if not reason]

    async def _check_workers(self) -> None:
        """Ask workers that have joined for their version; count the threads of those that have ours."""
        client = self._client
        if client is None or client.status != "running":
            raise OSError("the scheduler is away")
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            workers = (await client.scheduler.identity())["workers"]
        refusals = await self._ask_for_versions(client, [each for each in workers if each not in self._refusals])
        self._refusals = {
            address: reason for address, reason in self._refusals.items() if address in workers
        } | refusals
        self._threads, self._registered = sum(workers[address]["nthreads"] for address in self._ready), len(workers)
        if not self._ready:
            self._interrupt()

    async def _ask_for_versions(self, client: Client, addresses: list[str]) -> dict[str, str]:
        """Why each of these workers runs no jobs, "" if it does; without those that do not answer in time."""
        refusals = {}
        answers = await asyncio.gather(*(answer_of(client, address, version_of_worker) for address in addresses))
        for address, answer in zip(addresses, answers, strict=True):
            if not answer:  # it hangs, or is still importing our code
                continue
            refusals[address] = reason = refusal_of(answer)
            if reason:
                log.warning("cluster: the worker %s gets no jobs: %s (%s)", address, reason, answer)
        return refusals

    def _interrupt(self) -> None:
        """End every run, uncounted: nothing is left that could finish it."""
        for handle in list(self._handles.values()):
            handle.abort(JobInterrupted())

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


def version_of_worker(dask_worker: Worker) -> str:
    """Runs on the worker: the version of its code, "" if our plugin does not run there."""
    return job_version() if WorkerSetup.name in dask_worker.plugins else ""


class ClusterJobHandle:
    """A job on one of these workers."""

    def __init__(
        self, client: Client, workers: list[str], topic: str, job: Job, on_progress: Callable[[float], None]
    ) -> None:
        self.name = secrets.token_hex(8)
        self._on_progress = on_progress
        self._stop = Event(f"stop-{self.name}", client=client)
        self._dask_future = client.submit(
            run_on_worker,
            job_version(),
            pickle.dumps(job),
            topic,
            self.name,
            key=f"mosaic-{self.name}",
            workers=workers,
            pure=False,
            retries=0,
        )
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._starts = 0
        self._stopping: asyncio.Future[None] | None = None
        self._abort_error: Exception = errors.Unavailable()
        self.future: asyncio.Future[JobResult] = asyncio.ensure_future(self._result())
        # A run that ends with the engine is awaited by nobody: its error is no news for the log.
        self.future.add_done_callback(lambda done: done.cancelled() or done.exception())

    def stop(self) -> None:
        if self._stopping is None and not self.future.done():
            self._stopping = asyncio.ensure_future(self._set_stop())

    def on_message(self, message: dict[str, Any]) -> None:
        """Progress, or the start of the job. A second start means that the first worker has died."""
        if "fraction" in message:
            self._on_progress(message["fraction"])
            return
        self._starts += 1
        if not self.begun.done():
            self.begun.set_result(None)
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
        except (CancelledError, OtherVersion) as error:  # the scheduler is gone; or a worker was replaced in place
            raise JobInterrupted() from error
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


def run_on_worker(version: str, pickled: bytes, topic: str, name: str) -> JobResult:
    """Runs on the worker. Raises OtherVersion, and what `job.run` raises."""
    if version != job_version():
        raise OtherVersion()
    job: Job = pickle.loads(pickled)
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
