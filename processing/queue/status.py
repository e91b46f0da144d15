"""The status of the queue: tasks by state, the position of each waiting task and its estimated wait.

It is read again from the database when something has changed, but at most every REFRESH_S, so that a thousand users
who look at the queue cost the database as much as one.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from models import errors
from models.queue.order import OrderReader, QueueOrder
from models.queue.task import FINAL, Task, TaskState
from models.queue.tasks import Tasks
from processing.queue.estimator import TimeEstimator
from processing.queue.event_feed import EventFeed, TaskEvent
from processing.queue.snapshot import Position, QueueSnapshot

REFRESH_S = 0.2
READ_SHARE = 10
"""A snapshot is read again after REFRESH_S, or earlier: after READ_SHARE times the duration of a read."""
HEAD = 1000
"""Style and size of this many waiting tasks are read; the tasks behind them count with the average time."""
COUNT_INTERVAL_S = 2.0
COUNT_SHARE = 50
"""Finished tasks are counted again after COUNT_INTERVAL_S and COUNT_SHARE times the duration of the last count; in
between, events are added to the count."""
MAX_AGE_S = 5.0


class WorkerState(Protocol):
    """threads: concurrent renders on all servers together. paused: whether no task is started."""

    @property
    def threads(self) -> int: ...

    @property
    def paused(self) -> bool: ...


class QueueStatus:
    """workers: how many renders run at once, and whether the queue is paused: while it is, no waits are promised."""

    def __init__(
        self,
        order: OrderReader,
        tasks: Tasks,
        feed: EventFeed,
        *,
        estimator: TimeEstimator,
        workers: WorkerState,
    ) -> None:
        self._order, self._tasks, self._feed = order, tasks, feed
        self._estimator, self._workers = estimator, workers
        self._snapshot = QueueSnapshot()
        self._read_at, self._read_s = float("-inf"), 0.0
        self.dirty = True
        """Whether something has changed since the last read began."""
        self._reading: asyncio.Task[QueueSnapshot] | None = None
        self._counting: asyncio.Task[None] | None = None
        self._finals: dict[str, int] = {}
        self._count_at = float("-inf")
        self._unsubscribe = feed.subscribe(self._on_event)

    async def close(self) -> None:
        self._unsubscribe()
        unfinished = [task for task in (self._reading, self._counting) if task is not None]
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def snapshot(self) -> QueueSnapshot:
        """The queue as it was at most REFRESH_S ago. Raises DatabaseUnavailable."""
        age_s = time.monotonic() - self._read_at
        if age_s < min(REFRESH_S, READ_SHARE * self._read_s) or (not self.dirty and age_s < MAX_AGE_S):
            return self._snapshot
        return await asyncio.shield(self._current_read())

    async def fresh_snapshot(self) -> QueueSnapshot:
        """The queue as it is now, with every change before this call. Raises DatabaseUnavailable."""
        if self._reading is not None:  # it may have read before the change
            await asyncio.wait([self._reading])
        return await asyncio.shield(self._current_read())

    async def position_of(self, task: Task, snapshot: QueueSnapshot | None = None) -> Position | None:
        """The position of a task in this snapshot, or in a present one. None if the task is final."""
        if task.state not in (TaskState.QUEUED, TaskState.RUNNING):
            return None
        snapshot = snapshot or await self.snapshot()
        position = snapshot.position_of(task.id)
        if position is not None and (position.number > 0) == (task.state is TaskState.QUEUED):
            return position
        if task.state is TaskState.RUNNING:
            return Position(0, self._remaining_s(task))
        return snapshot.position_at(await self._tasks.position(task))

    # --- reading ----------------------------------------------------------------------------------------------------

    def _current_read(self) -> asyncio.Task[QueueSnapshot]:
        """The read that is going on, or a new one."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read(self) -> QueueSnapshot:
        try:
            self.dirty, started_at = False, time.monotonic()
            order = await self._order.read(head=HEAD)
            totals = {str(TaskState.QUEUED): order.queued, str(TaskState.RUNNING): len(order.running)}
            self._snapshot = self._build_snapshot(order, totals | await self._count_finals())
            self._read_at, self._read_s = started_at, time.monotonic() - started_at
            return self._snapshot
        finally:
            self._reading = None

    def _build_snapshot(self, order: QueueOrder, totals: dict[str, int]) -> QueueSnapshot:
        threads, paused = self._workers.threads, self._workers.paused
        running = {task.id: Position(0, self._remaining_s(task)) for task in order.running}
        ahead_s = sum(position.wait_s or 0.0 for position in running.values())
        waits: list[float | None] = []
        for style, megapixels in zip(order.styles, order.megapixels, strict=True):
            own_s = self._estimator.estimate_s(style, megapixels)
            waits.append(None if own_s is None or paused else round(ahead_s / threads + own_s, 1))
            ahead_s += own_s or 0.0
        return QueueSnapshot(
            totals=totals,
            running=running,
            ids=order.ids,
            owner_ids=order.owners,
            waits=waits,
            head={task_id: number for number, task_id in enumerate(order.ids[: len(waits)], 1)},
            head_s=ahead_s / threads,
            each_s=None if paused else self._estimator.wait_s(1, threads),
        )

    def _remaining_s(self, task: Task) -> float | None:
        total_s = self._estimator.estimate_s(task.style, task.megapixels, task.recipe)
        return None if total_s is None else round(total_s * (1 - self._feed.percent(task) / 100), 1)

    # --- counting ---------------------------------------------------------------------------------------------------

    async def _count_finals(self) -> dict[str, int]:
        """Final tasks by state: exact at first, later the last count plus the events since then.

        Counting again goes on beside the answer.
        """
        if self._counting is None and time.monotonic() >= self._count_at:
            self._counting = asyncio.create_task(self._count())
        if not self._finals and self._counting is not None:
            await asyncio.shield(self._counting)
        return dict(self._finals)

    async def _count(self) -> None:
        started_at = time.monotonic()
        try:
            counts = await asyncio.gather(*(self._tasks.count(state) for state in FINAL))
            self._finals = {str(state): count for state, count in zip(FINAL, counts, strict=True)}
            now = time.monotonic()
            self._count_at = now + max(COUNT_INTERVAL_S, COUNT_SHARE * (now - started_at))
        except errors.DatabaseUnavailable:  # pragma: no cover - while tasks are counted
            if not self._finals:
                raise
        finally:
            self._counting = None

    def _on_event(self, event: TaskEvent) -> None:
        if event.kind == "queue":
            self.dirty, self._read_at = True, float("-inf")
        elif event.kind == "reset":
            self.dirty, self._count_at = True, float("-inf")
        elif event.kind == "task" and event.task is not None:
            self.dirty = True
            self._count_event(event.task)

    def _count_event(self, task: Task) -> None:
        """Add a final task. A task that is queued again was counted as final before: count all again."""
        if str(task.state) in self._finals:
            self._finals[str(task.state)] += 1
        elif task.state is TaskState.QUEUED and task.attempts:
            self._count_at = float("-inf")
