"""Where the workers of a server get their leases: the next task in the order of the queue, or several short ones.

A leased task cannot be overtaken, so a task is leased when there is a thread for it. While renders take hundredths of a
second, those behind it are leased by the same calls, as far as they begin within AHEAD_S.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import replace

from models import errors
from models.queue.lease import Lease
from models.queue.newcomers import Newcomers
from models.queue.task import Task
from models.store import Store
from processing.queue.estimator import TimeEstimator
from processing.rendering import is_known

log = logging.getLogger(__name__)

AHEAD_S = 0.25
"""Estimated seconds of all renders that are leased behind the first one."""
MAX_AHEAD = 16
MAX_WAIT_S = 0.5
"""A lease that is ready for longer is given back: renders take longer than estimated."""


class LeaseSource:
    """Leases tasks, and keeps those that wait for a thread.

    left_count: queued tasks that this server leaves to a newer version. ready: leases that wait, the next one first.
    """

    def __init__(self, store: Store, estimator: TimeEstimator, *, poll_interval_s: float) -> None:
        self._store, self._estimator, self._poll_interval_s = store, estimator, poll_interval_s
        self._unknown: set[int] = set()
        self.ready: deque[Lease] = deque()
        self._overdue_at = self._woken_at = float("-inf")
        self._runs_are_short = False
        self.left_count = 0

    # --- acquiring --------------------------------------------------------------------------------------------------

    async def next(self, running: Collection[Lease], newcomers: Newcomers | None = None) -> Lease | None:
        """The next lease for a free thread; None if there is none, or the database does not answer.

        running: what this server runs. newcomers: lease no tasks but theirs. One suspect at a time: a task during which
        a server died runs beside tasks without a crash only.
        """
        for ready in self.ready:
            if newcomers is None or newcomers.include(ready):
                self.ready.remove(ready)
                return ready
        suspect_runs = any(lease.task.crashes for lease in (*running, *self.ready))
        try:
            await self._wake_postponed()
            count = 1 if newcomers is not None else self._worthwhile_count()
            if count > 1:
                leased = await self._lease_several(count, suspect_runs)
                if self.ready:
                    return self.ready.popleft()
                if not leased:
                    return None
            while lease := await self._store.leases.acquire(
                skip_suspects=suspect_runs, skip=self._unknown, newcomers=newcomers
            ):
                if is_known(lease.task.recipe):
                    return lease
                await self._put_back(lease)
            return None
        except errors.DatabaseUnavailable:
            return None
        except Exception:  # pragma: no cover - a bug of ours
            log.exception("queue: taking a task failed")
            return None

    def note_run(self, seconds: float) -> None:
        """A run has had its thread for this long, the time for its source included."""
        self._runs_are_short = seconds <= AHEAD_S

    def _worthwhile_count(self) -> int:
        """How many tasks to lease at once: as many average ones as begin soon, if what runs here is short."""
        average_s = self._estimator.wait_s(1, 1)
        if not average_s or not self._runs_are_short:
            return 1
        return 1 + min(MAX_AHEAD, int(AHEAD_S / average_s))

    async def _lease_several(self, count: int, suspect_runs: bool) -> bool:
        """Lease tasks, which are ready then, and look for their earlier results. Returns whether any was leased."""
        leases = await self._store.leases.acquire_several(
            count, self._choose, skip_suspects=suspect_runs, skip=self._unknown
        )
        self._overdue_at = time.monotonic() + MAX_WAIT_S
        unknown: list[Lease] = []
        for lease in leases:
            (self.ready if is_known(lease.task.recipe) else unknown).append(lease)
        for lease in unknown:  # when the others are ready: a call that fails here would lose them
            await self._put_back(lease)
        earlier = await self._store.images.dedup_keys_of_results({lease.task.dedup_key for lease in self.ready})
        self.ready = deque(replace(lease, is_first=lease.task.dedup_key not in earlier) for lease in self.ready)
        return bool(leases)

    def _choose(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """The first one, and those behind it that begin soon. Without an estimate, or after a crash, none is ahead."""
        ahead_s = 0.0
        for count, task in enumerate(tasks[1:], 1):
            ahead_s += self._estimate_s(task)
            if ahead_s > AHEAD_S or task.crashes or tasks[0].crashes:
                return tasks[:count]
        return tasks

    def _estimate_s(self, task: Task) -> float:
        seconds = self._estimator.estimate_s(task.style, task.megapixels, task.recipe) if task.megapixels else None
        return float("inf") if seconds is None else seconds

    async def _put_back(self, lease: Lease) -> None:
        """Give back a task whose recipe this version does not know; an accepted recipe is not its owner's failure."""
        self._unknown.add(lease.task.id)
        await self._store.leases.release(lease)

    async def _wake_postponed(self) -> None:
        """Raises DatabaseUnavailable."""
        now = time.monotonic()
        if now - self._woken_at >= self._poll_interval_s:
            self._woken_at = now
            await self._store.leases.wake_due(self._store.fair_order)

    # --- giving back ------------------------------------------------------------------------------------------------

    def wait_s(self) -> float:
        """How long to wait for work: until the next search, or until the ready leases are overdue."""
        overdue_in_s = self._overdue_at - time.monotonic() if self.ready else self._poll_interval_s
        return min(self._poll_interval_s, overdue_in_s)

    def take_back(self, key: tuple[int, int]) -> Lease | None:
        """The ready lease of this attempt, which is ready no more."""
        lease = next((lease for lease in self.ready if lease.key == key), None)
        if lease is not None:
            self.ready.remove(lease)
        return lease

    def take_overdue(self, *, all_ready: bool) -> list[Lease]:
        """The leases that are to be given back, which are ready no more: those that wait for too long, or all."""
        if not (all_ready or time.monotonic() >= self._overdue_at):
            return []
        overdue, self.ready = list(self.ready), deque()
        return overdue

    async def count_left(self) -> None:
        """Raises DatabaseUnavailable."""
        before = self.left_count
        self.left_count, self._unknown = await self._store.leases.left(self._unknown)
        if self.left_count and not before:
            log.warning("queue: %s tasks need a newer version of this server and are left queued", self.left_count)
