"""The workers of one server: lease tasks while threads are free, renew the leases, and drain at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from models import errors
from models.queue.lease import Lease
from models.queue.newcomers import Newcomers
from models.queue.servers import Capacity, ClusterState
from models.queue.task import Task, TaskState
from models.store import Store
from processing.background import cancel
from processing.queue.estimator import TimeEstimator
from processing.queue.event_feed import EventFeed, TaskEvent, publish_task
from processing.queue.lease_source import LeaseSource
from processing.queue.newcomer_watch import NewcomerWatch
from processing.queue.run import Run
from processing.queue.runner import TaskRunner
from processing.queue.worker_limits import WorkerLimits

log = logging.getLogger(__name__)

MIN_BACKOFF_S = 0.1


class Workers:
    """`start` requeues what this server was running when it died; `stop` drains."""

    def __init__(
        self,
        server: str,
        *,
        store: Store,
        runner: TaskRunner,
        feed: EventFeed,
        estimator: TimeEstimator,
        limits: WorkerLimits,
        version: str = "",
    ) -> None:
        self._server, self._version, self._store, self._runner = server, version, store, runner
        self._feed, self._estimator, self._limits = feed, estimator, limits
        self._runs: dict[tuple[int, int], Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._newcomers = NewcomerWatch()
        self._cluster = ClusterState(0, False)
        self._source = LeaseSource(store, estimator, poll_interval_s=limits.poll_interval_s)
        self._found_none = False
        self._failures = 0
        self._outage_at = float("-inf")
        self.stopping = False
        self._unsubscribe: Callable[[], None] = lambda: None

    @property
    def running(self) -> list[Task]:
        return [run.task for run in self._runs.values()]

    @property
    def paused(self) -> bool:
        return self._cluster.paused

    @property
    def left_count(self) -> int:
        """Queued tasks that this server leaves to a newer version."""
        return self._source.left_count

    @property
    def _leases(self) -> list[Lease]:
        """Of what runs, and of what waits for a thread."""
        return [*(run.lease for run in self._runs.values()), *self._source.ready]

    @property
    def threads(self) -> int:
        """Concurrent renders on all servers together; at least 1."""
        return max(1, self._cluster.threads, self._runner.engine.size)

    # --- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self._unsubscribe = self._feed.subscribe(self._on_event)
        for task in await self._store.leases.reclaim_own():
            log.info("task %s: was running when this server ended; %s", task.id, task.state)
            publish_task(self._store.events, task)
        await self._heartbeat()
        self._loops = [asyncio.create_task(loop) for loop in (self._take_tasks(), self._keep_leases())]

    def note_queued(self, task: Task) -> None:
        """There is a task to take."""
        self._newcomers.note_queued(task, self._runs.values())
        self._wake.set()

    async def wait_until_idle(self) -> None:
        """Wait until no task runs and nothing is cleaned up after one."""
        while unfinished := self._tasks | self._runner.cleanups:
            await asyncio.wait(unfinished)

    async def stop(self, grace_s: float | None = None) -> None:
        """Take no more tasks; give the running ones grace_s to finish; requeue the rest, uncounted."""
        limits = self._limits
        self.stopping = True
        self._wake.set()
        await _wait(self._loops[:1], limits.max_backoff_s)
        await _wait(self._tasks, limits.shutdown_grace_s if grace_s is None else grace_s)
        for run in list(self._runs.values()):
            run.stop()
        await _wait(self._tasks, limits.abort_grace_s)
        await _wait(self._runner.cleanups, limits.abort_grace_s)
        await cancel([*self._loops, *self._tasks, *self._runner.cleanups])
        self._loops = []
        self._unsubscribe()
        with contextlib.suppress(errors.DatabaseUnavailable):
            await self._store.servers.unregister(self._server)

    # --- running ----------------------------------------------------------------------------------------------------

    async def _take_tasks(self) -> None:
        while not self.stopping:
            self._wake.clear()
            self._give_back(all_ready=self.paused)
            spare = self._free_threads() <= 0
            lease = await (self._acquire_for_newcomer() if spare else self._source.next(self._leases))
            self._found_none = lease is None and (self.paused or not spare)
            if lease is None:
                await self._wait_for_work(self._source.wait_s())
            else:
                self._start_run(lease, spare=spare, stopped=self.paused)
            if self._failures > self._runner.engine.size:
                backoff_s = MIN_BACKOFF_S * 2.0 ** min(self._failures, 10)
                await self._wait_for_work(min(self._limits.max_backoff_s, backoff_s))
        self._give_back(all_ready=True)

    def _give_back(self, *, all_ready: bool) -> None:
        """Requeue the tasks that wait for a thread, all of them or those that have waited for too long."""
        for lease in self._source.take_overdue(all_ready=all_ready):
            self._start_run(lease, stopped=True)

    def _free_threads(self) -> int:
        """One for each free thread, also while the ends of its earlier tasks are still being recorded."""
        if self.paused:
            return 0
        rendering = sum(run.rendering for run in self._runs.values())
        return min(self._runner.engine.size - rendering, self._limits.max_active - len(self._runs))

    async def _acquire_for_newcomer(self) -> Lease | None:
        """A task for the spare thread: whatever one address or user has running, others begin at once."""
        engine, runs = self._runner.engine, self._runs.values()
        full = self.paused or len(runs) >= self._limits.max_active
        if full or not (engine.spare_free and self._newcomers.is_due(runs, engine.size)):
            return None
        self._newcomers.note_search()
        newcomers = Newcomers.beside((run.lease for run in runs), self._store.fair_order.current)
        lease = await self._source.next(self._leases, newcomers)
        if lease is not None:
            self._newcomers.expect()
        return lease

    def _start_run(self, lease: Lease, *, spare: bool = False, stopped: bool = False) -> None:
        """stopped: its task is requeued at its place, or cancelled if its user has asked for that."""
        run = Run(lease, spare=spare, on_rendered=self._on_rendered, has_company=self._expects_results)
        if stopped or self.stopping:
            run.stop()
        if stopped:
            run.rendering = False
        else:
            self._store.fair_order.mark_served(lease.task.round)
        self._runs[lease.key] = run
        task = asyncio.create_task(self._run(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _expects_results(self) -> bool:
        """Whether others come soon with which a result can be recorded: of the runs, or of tasks that wait."""
        may_come = not self._found_none or any(not run.has_result for run in self._runs.values())
        return may_come and len(self._runs) > 1

    def _on_rendered(self, seconds: float) -> None:
        self._source.note_run(seconds)
        self._wake.set()

    async def _run(self, run: Run) -> None:
        try:
            ended = await self._runner.run(run)
            if ended is not None:
                self._failures = self._failures + 1 if ended.retries > run.task.retries else 0
        except Exception:  # pragma: no cover - a bug of ours
            log.exception("task %s: recording its end failed; its lease will expire", run.task.id)
        finally:
            if self._runs.get(run.lease.key) is run:  # not another one, if the task was given back and leased again
                del self._runs[run.lease.key]
            self._wake.set()

    def _stop_run(self, key: tuple[int, int]) -> None:
        if run := self._runs.get(key):
            run.stop()
        elif lease := self._source.take_back(key):
            self._start_run(lease, stopped=True)

    async def _wait_for_work(self, timeout_s: float) -> None:
        if not self.stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()

    # --- leases -----------------------------------------------------------------------------------------------------

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._limits.heartbeat_interval_s)
            try:
                await self.renew_leases()
                if time.monotonic() - self._outage_at >= self._limits.takeover_grace_s:
                    await self._reclaim()
            except errors.DatabaseUnavailable:  # pragma: no cover - a heartbeat that falls into an outage
                log.warning("leases: the database does not answer")
                self._outage_at = time.monotonic()
            except Exception:  # pragma: no cover - a bug of ours
                log.exception("leases: renewing them failed")

    async def renew_leases(self) -> None:
        """Renew all leases; stop the runs whose lease was lost or whose cancellation was missed. Raises
        DatabaseUnavailable."""
        started_at = time.monotonic()
        leases = self._leases
        lost = await self._store.leases.renew(leases)
        cancelled = await self._store.leases.cancel_requested(leases) if leases else []
        for lease in (*lost, *cancelled):
            self._stop_run(lease.key)
        await self._heartbeat()
        await self._source.count_left()
        await self._store.fair_order.refresh()
        self._newcomers.expect()
        if time.monotonic() - started_at > self._limits.heartbeat_interval_s:
            self._outage_at = time.monotonic()

    async def _reclaim(self) -> None:
        """Requeue the tasks of dead servers, and those that this server has leased without knowing it."""
        leases = self._leases
        expired = await self._store.leases.reclaim_expired()
        for task in [*expired, *await self._store.leases.reclaim_orphaned(leases)]:
            log.warning("task %s: lease expired; %s", task.id, task.state)
            publish_task(self._store.events, task)

    async def _heartbeat(self) -> None:
        engine = self._runner.engine
        busy = min(engine.size, sum(run.rendering for run in self._runs.values()))
        capacity = Capacity(engine.size, busy, self._version, engine.problem, engine.workers)
        self._cluster = await self._store.servers.heartbeat(self._server, capacity)

    # --- events -----------------------------------------------------------------------------------------------------

    def _on_event(self, event: TaskEvent) -> None:
        """Events of all servers: tasks to take, runs to stop, a queue that is paused."""
        if event.kind == "queue":
            self.set_paused(event.paused)
        elif event.kind == "task" and event.task is not None:
            self._on_task(event.task)
        elif event.kind == "cancel" and event.task is not None:
            self._stop_run((event.task.id, event.task.attempts))

    def set_paused(self, paused: bool) -> None:
        """Stop taking tasks, or go on. Other servers hear of it by an event."""
        self._cluster = replace(self._cluster, paused=paused)
        self._wake.set()

    def _on_task(self, task: Task) -> None:
        if task.state is TaskState.QUEUED:
            self.note_queued(task)
        elif task.state is TaskState.RUNNING:
            self._store.fair_order.note_served_elsewhere(task.round)
        elif task.state is TaskState.DONE:
            self._estimator.update(task)


async def _wait(tasks: Iterable[asyncio.Task[Any]], timeout_s: float) -> None:
    if tasks := list(tasks):
        await asyncio.wait(tasks, timeout=timeout_s)
