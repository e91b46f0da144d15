"""Metrics in a registry of their own. docs/operations.md lists every name and label.

Counters are updated by the code that counts; gauges (threads, queue, listeners) are read on each request for metrics.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from models.queue.task import ACTIVE, TaskState
from processing.queue.event_feed import TaskEvent

LAG_INTERVAL_S = 0.1
REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
LAG_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
RENDER_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
WAIT_BUCKETS_S = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600)


class Metrics:
    """server: this server's name in tasks, so that each server on a database counts its own tasks only."""

    def __init__(self, server: str = "", *, version: str = "") -> None:
        self._server = server
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = self._counter("http_requests", "Requests answered", "route", "method", "status")
        self.request_seconds = self._histogram(
            "http_request_duration_seconds", "Time to answer a request", REQUEST_BUCKETS_S, "route"
        )
        self.lag_seconds = self._histogram("event_loop_lag_seconds", "How late the loop runs a timer", LAG_BUCKETS_S)
        self.queue = self._gauge("queue_tasks", "Queued and running tasks of all servers together", "state")
        self.oldest = self._gauge(
            "oldest_task_seconds", "Age of the oldest queued task, and of the oldest run", "state"
        )
        self.free_disk = self._gauge("disk_free_bytes", "Free space where data_dir is")
        self.build_info = self._gauge("build_info", "1, with the version of this server", "version")
        self.build_info.labels(version).set(1)
        self.left = self._gauge("queue_tasks_left", "Queued tasks that this server leaves to a newer version")
        self.wait_seconds = self._histogram(
            "task_wait_seconds", "From adding a task to its first start", WAIT_BUCKETS_S, "style"
        )
        self.render_seconds = self._histogram(
            "render_seconds", "Rendering alone, without fetch and store", RENDER_BUCKETS_S, "style"
        )
        self.jobs = self._counter("jobs", "Attempts at tasks on this server", "style", "outcome")
        self.cluster_workers = self._gauge("cluster_workers", "Workers of the Dask cluster", "state")
        self.threads = self._gauge("threads", "Threads of a pool", "pool")
        self.threads_busy = self._gauge("threads_busy", "Busy threads of a pool", "pool")
        self.downloads = self._counter("downloads", "Sources fetched for jobs", "outcome")
        self.callbacks = self._counter("upload_callbacks", "Callbacks of the bucket after uploads", "outcome")
        self.database_errors = self._counter("database_errors", "Failed calls to the database")
        self.bucket_errors = self._counter("bucket_errors", "Failed calls to the bucket", "error")
        self.listeners = self._gauge("event_listeners", "Open streams of server-sent events")

    def on_event(self, event: TaskEvent) -> None:
        """A callback for the event feed: measures how long a task waited."""
        task = event.task
        if event.kind != "task" or task is None or task.state is not TaskState.RUNNING or task.started is None:
            return
        if task.server == self._server and task.attempts == 1:
            waited_s = (task.started - task.created).total_seconds()
            self.wait_seconds.labels(task.style).observe(max(0.0, waited_s))

    def set_queue(self, totals: Mapping[str, int] | None, oldest_s: Mapping[str, float] | None) -> None:
        """Set the gauges of queued and running tasks; None if the database does not answer."""
        for state in ACTIVE:
            self.queue.labels(str(state)).set(totals[state] if totals else math.nan)
            self.oldest.labels(str(state)).set(oldest_s[state] if oldest_s else math.nan)

    def watch_threads(self, pool: str, size: Callable[[], int], busy: Callable[[], int]) -> None:
        """Show a thread pool under this name. busy: calls that were submitted and have not finished."""
        self.threads.labels(pool).set_function(size)
        self.threads_busy.labels(pool).set_function(lambda: min(busy(), size()))

    def watch_workers(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Show the workers of a cluster by state; nothing where there is none."""
        for state in counts():
            self.cluster_workers.labels(state).set_function(partial(lambda name: counts()[name], state))

    def text(self, accepted: str) -> tuple[bytes, str]:
        """All metrics in the format that fits an Accept header, and the media type of that format."""
        encode, media_type = choose_encoder(accepted)
        return encode(self.registry), media_type

    async def measure_lag(self) -> None:
        """Measure how late the event loop runs timers, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_INTERVAL_S
            await asyncio.sleep(LAG_INTERVAL_S)
            self.lag_seconds.observe(max(0.0, loop.time() - due))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"tessera_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"tessera_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"tessera_{name}", text, labels, buckets=buckets, registry=self.registry)
