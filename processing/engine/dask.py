"""Jobs on a Dask cluster: the same `job.run`, on the workers of a scheduler that this server knows by address.

Progress comes home as events of a topic of our own; a wish to stop goes out as a `distributed.Event` of the run. When
a worker dies Dask starts its job again elsewhere: the second start is seen here, ends the run, and counts as one more
attempt of the task, in the record that all servers share.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any

from distributed import Client, Event, Worker, WorkerPlugin, get_worker

from models import errors
from processing.engine import JobHandle, WorkerDied
from processing.engine.job import Job, JobResult, run
from processing.process_setup import tune_process
from processing.rendering import Cancelled

log = logging.getLogger(__name__)

MONITOR_INTERVAL_S = 1.0
REPORT_INTERVAL_S = 0.1
STOP_POLL_S = 0.25
"""A worker asks the scheduler this often at most whether its run is to stop."""
CONNECT_TIMEOUT_S = 5.0


class ClusterEngine:
    """An Engine. `async with` connects; a scheduler that is away is looked for until it is back."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._topic = f"tessera-{secrets.token_hex(6)}"
        self._client: Client | None = None
        self._handles: dict[str, ClusterJobHandle] = {}
        self._monitoring: asyncio.Task[None] | None = None
        self._threads = 0

    async def __aenter__(self) -> ClusterEngine:
        with contextlib.suppress(OSError, TimeoutError):
            await self._connect()
        self._monitoring = asyncio.create_task(self._monitor())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._monitoring is not None:
            self._monitoring.cancel()
            await asyncio.gather(self._monitoring, return_exceptions=True)
        await self.close()

    @property
    def size(self) -> int:
        return self._threads

    @property
    def problem(self) -> str | None:
        """Without the scheduler's address, which is in the log: everybody may ask for the health."""
        return None if self._threads else "cluster: no worker answers"

    def start(self, job: Job, on_progress: Callable[[float], None]) -> JobHandle:
        if self._client is None:
            raise errors.Unavailable()
        handle = ClusterJobHandle(self._client, self._topic, job, on_progress)
        self._handles[handle.name] = handle
        handle.task.add_done_callback(lambda _: self._handles.pop(handle.name, None))
        return handle

    async def close(self) -> None:
        for handle in list(self._handles.values()):
            handle.abort(errors.Unavailable())
        if self._client is not None:
            client, self._client, self._threads = self._client, None, 0
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):
                await client.close(timeout=2)

    async def _connect(self) -> None:
        client = await Client(self._address, asynchronous=True, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        client.subscribe_topic(self._topic, self._on_event)
        await client.register_plugin(WorkerSetup())
        self._client = client
        await self._refresh_size()

    async def _refresh_size(self) -> None:
        client = self._client
        if client is None or client.status != "running":
            raise OSError("the scheduler is away")
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            identity = await client.scheduler.identity()
        self._threads = sum(worker["nthreads"] for worker in identity["workers"].values())

    async def _monitor(self) -> None:
        while True:
            await asyncio.sleep(MONITOR_INTERVAL_S)
            try:
                await (self._connect() if self._client is None else self._refresh_size())
            except (OSError, TimeoutError) as error:
                if self._client is not None:
                    log.warning("cluster: %s does not answer (%s); tasks wait", self._address, error)
                await self.close()
            except Exception:
                log.exception("cluster: looking after %s failed", self._address)
                await self.close()

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        """What a worker says about one of our runs."""
        message = event[1]
        if handle := self._handles.get(message["run"]):
            handle.on_event(message)


class WorkerSetup(WorkerPlugin):  # type: ignore[misc]  # distributed comes without types
    """Sets every worker up as a server sets itself up, those that join later too."""

    name = "tessera-runtime"

    def setup(self, worker: Worker) -> None:
        tune_process()


class ClusterJobHandle:
    """One job on one worker."""

    def __init__(self, client: Client, topic: str, job: Job, on_progress: Callable[[float], None]) -> None:
        self.name = secrets.token_hex(8)
        self._on_progress = on_progress
        self._stop = Event(f"stop-{self.name}", client=client)
        self._future = client.submit(
            run_on_worker, job, topic, self.name, key=f"mosaic-{self.name}", pure=False, retries=0
        )
        self._starts = 0
        self._setting: asyncio.Task[None] | None = None
        self.task: asyncio.Future[JobResult] = asyncio.ensure_future(self._wait())

    async def result(self) -> JobResult:
        return await asyncio.shield(self.task)

    def stop(self) -> None:
        if self._setting is None and not self.task.done():
            self._setting = asyncio.ensure_future(self._set_stop())

    def on_event(self, message: dict[str, Any]) -> None:
        if "fraction" in message:
            self._on_progress(message["fraction"])
            return
        self._starts += 1
        if self._starts > 1:
            self.abort(WorkerDied())

    def abort(self, error: Exception) -> None:
        """End the run here; what a worker may still make of it is dropped."""
        if not self.task.done():
            self._error = error
            self.task.cancel()

    async def _wait(self) -> JobResult:
        try:
            result: JobResult = await self._future
        except asyncio.CancelledError:
            raise getattr(self, "_error", errors.Unavailable()) from None
        except (OSError, TimeoutError) as error:
            raise errors.Unavailable() from error
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                raise WorkerDied() from error
            raise
        finally:
            with contextlib.suppress(Exception):
                self._future.release()
        return result

    async def _set_stop(self) -> None:
        with contextlib.suppress(OSError, TimeoutError, RuntimeError):
            await self._stop.set()


def run_on_worker(job: Job, topic: str, name: str) -> JobResult:
    """On the worker. Raises what `job.run` raises."""
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
