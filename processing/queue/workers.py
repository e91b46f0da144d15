"""The workers of one server: take tasks while there is room, keep their leases, and drain at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from models import errors
from models.queue.fair_order import FairOrder
from models.queue.leases import Lease, Leases
from models.queue.servers import ClusterState, ServerRegistry
from models.queue.tasks import TaskState
from processing.queue.attempt import Run
from processing.queue.estimator import TimeEstimator
from processing.queue.event_feed import EventFeed, TaskEvent
from processing.queue.runner import TaskRunner

log = logging.getLogger(__name__)

POLL_S = 1.0
"""How often a server with room looks for tasks that rested or whose news was lost."""
HEARTBEAT_S = 4.0
STEADY_S = 9.0
"""After an outage of the database others get this long to renew their leases before they are taken over."""
DRAIN_S = 20.0
STOP_S = 2.0
MOST_ACTIVE = 256
"""Tasks whose ends are being recorded hold no thread, but they hold memory."""
QUICK_S, QUICK_MEMORY = 0.02, 0.9
"""Where tasks took less of late, the database is asked for several at once. How much of the longest is remembered."""
BREATH_S = 5.0
"""The longest pause between two tasks while everything fails because something is away."""


@dataclass(frozen=True, slots=True)
class Records:
    """What workers write and read beside the attempts themselves."""

    claims: Leases
    servers: ServerRegistry
    turns: FairOrder


class Workers:
    """`start` takes back what this server left when it died; `stop` drains."""

    def __init__(
        self, server: str, records: Records, runner: TaskRunner, *, live: EventFeed, pace: TimeEstimator
    ) -> None:
        self._server = server
        self._claims, self._servers, self._turns = records.claims, records.servers, records.turns
        self._runner, self._live, self._pace = runner, live, pace
        self._attempts: dict[tuple[int, int], Run] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._roll = ClusterState(0, False)
        self._took_s = QUICK_S
        self._failures = 0
        self._steady_at = 0.0
        self.stopping = False
        self._unlisten: Callable[[], None] = lambda: None

    @property
    def active_count(self) -> int:
        return len(self._attempts)

    @property
    def paused(self) -> bool:
        return self._roll.paused

    @property
    def threads(self) -> int:
        """Renders at once, on all servers together; at least 1."""
        return max(1, self._roll.threads, self._runner.engine.size)

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self._unlisten = self._live.subscribe(self._hear)
        for task in await self._claims.reclaim_own():
            log.info("task %s: was running when this server ended; %s", task.id, task.state)
            self._runner.publish(task)
        await self._call_the_roll()
        self._loops = [asyncio.create_task(loop) for loop in (self._take_tasks(), self._keep_leases())]

    def wake(self) -> None:
        """There may be something to take."""
        self._wake.set()

    async def stop(self, grace_s: float = DRAIN_S) -> None:
        """Take nothing more; give what runs grace_s to finish; put the rest back into the queue, uncounted."""
        self.stopping = True
        self._wake.set()
        if self._loops:
            await asyncio.wait(self._loops[:1], timeout=BREATH_S)
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)
        for attempt in list(self._attempts.values()):
            attempt.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_S)
        if self._runner.cleanups:
            await asyncio.wait(self._runner.cleanups, timeout=STOP_S)
        await _cancel([*self._loops, *self._running, *self._runner.cleanups])
        self._loops = []
        self._unlisten()
        with contextlib.suppress(errors.DatabaseUnavailable):
            await self._servers.unregister(self._server)

    # --- taking -----------------------------------------------------------------------------------------------------

    async def _take_tasks(self) -> None:
        while not self.stopping:
            self._wake.clear()
            room = 0 if self.paused else self._room()
            taken = await self._take(1) if room > 0 else []
            if taken and room > 1:
                taken += await self._take(room - 1)
            if taken and self._took_s < QUICK_S:
                await self._take(MOST_ACTIVE - len(self._attempts), turn=taken[-1].task.round)
            if not taken:
                await self._rest(POLL_S)
            if self._failures > self._runner.engine.size:
                await self._rest(min(BREATH_S, 0.1 * 2.0 ** min(self._failures, 10)))

    async def _take(self, limit: int, turn: int | None = None) -> list[Lease]:
        """Take up to so many and begin them."""
        suspects = any(attempt.claim.task.crashes for attempt in self._attempts.values())
        try:
            claims = await self._claims.acquire(limit, skip_suspects=suspects, in_round=turn)
        except errors.DatabaseUnavailable:
            return []
        except Exception:
            log.exception("queue: taking a task failed")
            return []
        for claim in claims:
            self._begin(claim)
        return claims

    def _room(self) -> int:
        """How many more tasks to take: one for each free thread, even if what it made is being recorded.

        Quick ones may be taken before a thread is free, of the turn that is being served: at most one of each person,
        so that nobody's place changes.
        """
        making = sum(attempt.rendering for attempt in self._attempts.values())
        return min(self._runner.engine.size - making, MOST_ACTIVE - len(self._attempts))

    async def _rest(self, timeout_s: float) -> None:
        if not self.stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout_s)

    def _begin(self, claim: Lease) -> None:
        attempt = Run(claim, stopping=self.stopping, on_made=self.wake)
        self._attempts[claim.key] = attempt
        self._turns.mark_served(claim.task.round)
        log.info("task %s: running, attempt %s", claim.task.id, claim.task.attempts)
        self._runner.publish(claim.task)
        started = asyncio.create_task(self._carry(attempt))
        self._running.add(started)
        started.add_done_callback(self._running.discard)

    async def _carry(self, attempt: Run) -> None:
        claim = attempt.claim
        try:
            task = await self._runner.run(attempt)
        except Exception:
            log.exception("task %s: its end could not be recorded; it will be taken back", claim.task.id)
        else:
            if task is not None:
                log.info("task %s: %s%s", task.id, task.state, f" ({task.error})" if task.error else "")
                self._runner.publish(task)
                self._failures = self._failures + 1 if task.retries > claim.task.retries else 0
            if attempt.took_s is not None:
                self._took_s = max(attempt.took_s, QUICK_MEMORY * self._took_s)
        finally:
            self._attempts.pop(claim.key, None)
            self._wake.set()

    # --- keeping ------------------------------------------------------------------------------------------------

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await self._keep_own()
                if time.monotonic() - self._steady_at >= STEADY_S:
                    await self._take_over()
            except errors.DatabaseUnavailable:
                log.warning("leases: the database does not answer")
                self._steady_at = time.monotonic()
            except Exception:
                log.exception("leases: keeping them failed")

    async def _keep_own(self) -> None:
        begun = time.monotonic()
        held = [attempt.claim for attempt in self._attempts.values()]
        lost = await self._claims.renew(held)
        stopping = await self._claims.cancel_requested(held) if held else []
        for claim in (*lost, *stopping):
            if attempt := self._attempts.get(claim.key):
                attempt.stop()
        await self._call_the_roll()
        await self._turns.refresh()
        if time.monotonic() - begun > HEARTBEAT_S:
            self._steady_at = time.monotonic()

    async def _take_over(self) -> None:
        """What a dead server left, and what is ours without our knowing."""
        known = [attempt.claim for attempt in self._attempts.values()]
        for task in [*await self._claims.reclaim_expired(), *await self._claims.reclaim_orphaned(known)]:
            log.warning("task %s: its server does not answer for it; %s", task.id, task.state)
            self._runner.publish(task)

    async def _call_the_roll(self) -> None:
        self._roll = await self._servers.heartbeat(self._server, threads=self._runner.engine.size)

    # --- hearing ------------------------------------------------------------------------------------------------

    def _hear(self, news: TaskEvent) -> None:
        """What all servers say: new tasks to take, running ones to stop, a queue that is held."""
        if news.kind == "queue":
            self._roll = ClusterState(self._roll.threads, news.paused)
            self._wake.set()
        if news.task is None:
            return
        if news.kind == "task" and news.task.state is TaskState.DONE:
            self._pace.update(news.task)
        if news.kind == "task" and news.task.state is TaskState.QUEUED:
            self._wake.set()
        if news.kind == "task" and news.task.state is TaskState.RUNNING:
            self._turns.note_served_elsewhere(news.task.round)
        if news.kind == "cancel" and (attempt := self._attempts.get((news.task.id, news.task.attempts))):
            attempt.stop()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
