"""The overview: how many tasks are in each state, where each waiting one stands, and how long it will take.

Read from the database again when something has moved, but at most every REFRESH_S: what a thousand people look at
costs the database what one of them costs.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from models import errors
from models.queue.order import OrderReader, QueueOrder
from models.queue.tasks import FINAL, Task, Tasks, TaskState
from processing.queue.estimator import TimeEstimator
from processing.queue.event_feed import EventFeed, TaskEvent
from processing.queue.snapshot import OrderChange, Position, QueueSnapshot, order_change

REFRESH_S = 0.2
READ_SHARE = 10
"""The queue is looked at anew after REFRESH_S, or sooner if this many times as long as a look takes has gone by."""
HEAD = 1000
"""Of so many of the waiting tasks style and size are known; those behind them take as long as is usual."""
COUNT_INTERVAL_S = 2.0
COUNT_SHARE = 50
"""Finished tasks are counted anew after COUNT_S and this many times as long as the last count took; in between news is
added."""
MAX_AGE_S = 5.0
MAX_KEPT_CHANGES = 200


class QueueStatus:
    """threads: how many renders run at once, on all servers together."""

    def __init__(
        self, standings: OrderReader, tasks: Tasks, live: EventFeed, pace: TimeEstimator, threads: Callable[[], int]
    ) -> None:
        self._orders, self._tasks, self._events, self._estimator, self._threads = standings, tasks, live, pace, threads
        self._snapshot = QueueSnapshot(revision=time.time_ns() // 1_000_000)
        self._changes: deque[OrderChange] = deque(maxlen=MAX_KEPT_CHANGES)
        self._read_at, self._read_s = float("-inf"), 0.0
        self.dirty = True
        """Whether something has happened since the last look began."""
        self._reading: asyncio.Task[QueueSnapshot] | None = None
        self._counting: asyncio.Task[None] | None = None
        self._finals: dict[str, int] = {}
        self._count_at = float("-inf")
        self._unsubscribe = live.subscribe(self._on_event)

    async def close(self) -> None:
        self._unsubscribe()
        under_way = [task for task in (self._reading, self._counting) if task is not None]
        await asyncio.gather(*under_way, return_exceptions=True)

    async def snapshot(self) -> QueueSnapshot:
        """The queue as it was at most REFRESH_S ago. Raises DatabaseUnavailable."""
        age_s = time.monotonic() - self._read_at
        if age_s < min(REFRESH_S, READ_SHARE * self._read_s) or (not self.dirty and age_s < MAX_AGE_S):
            return self._snapshot
        return await asyncio.shield(self._current_read())

    async def fresh_snapshot(self) -> QueueSnapshot:
        """The queue as it is now, what was done just before this included. Raises DatabaseUnavailable."""
        if self._reading is not None:  # it may have read before that
            await asyncio.wait([self._reading])
        return await asyncio.shield(self._current_read())

    def _current_read(self) -> asyncio.Task[QueueSnapshot]:
        """The look that is under way, or a new one."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._take_snapshot())
        return self._reading

    async def position_of(self, task: Task, snapshot: QueueSnapshot | None = None) -> Position | None:
        """Where a task stands, in this look or in one of now; None when it is over."""
        if task.state not in (TaskState.QUEUED, TaskState.RUNNING):
            return None
        snapshot = snapshot or await self.snapshot()
        position = snapshot.position_of(task.id)
        if position is not None and (position.number > 0) == (task.state is TaskState.QUEUED):
            return position
        if task.state is TaskState.RUNNING:
            return Position(0, self._remaining_s(task))
        return snapshot.position_at(await self._tasks.position(task))

    def changes_since(self, revision: int) -> list[OrderChange]:
        """What moved after that look. Moves that were many, or long ago, are not among them."""
        return [change for change in self._changes if change.revision > revision]

    async def _take_snapshot(self) -> QueueSnapshot:
        try:
            self.dirty, begun = False, time.monotonic()
            order = await self._orders.read(head=HEAD)
            totals = {str(TaskState.QUEUED): order.queued, str(TaskState.RUNNING): len(order.running)}
            self._snapshot = self._build_snapshot(order, totals | await self._count_finals())
            self._read_at, self._read_s = begun, time.monotonic() - begun
            return self._snapshot
        finally:
            self._reading = None

    async def _count_finals(self) -> dict[str, int]:
        """Exact at first and, once in a while, again while others are answered; in between news is added."""
        if self._counting is None and time.monotonic() >= self._count_at:
            self._counting = asyncio.create_task(self._count())
        if not self._finals and self._counting is not None:
            await asyncio.shield(self._counting)
        return dict(self._finals)

    async def _count(self) -> None:
        begun = time.monotonic()
        try:
            counts = await asyncio.gather(*(self._tasks.count(state) for state in FINAL))
            self._finals = {str(state): count for state, count in zip(FINAL, counts, strict=True)}
            now = time.monotonic()
            self._count_at = now + max(COUNT_INTERVAL_S, COUNT_SHARE * (now - begun))
        except errors.DatabaseUnavailable:
            if not self._finals:
                raise
        finally:
            self._counting = None

    def _build_snapshot(self, order: QueueOrder, totals: dict[str, int]) -> QueueSnapshot:
        threads = self._threads()
        running = {task.id: Position(0, self._remaining_s(task)) for task in order.running}
        ahead_s = sum(position.wait_s or 0.0 for position in running.values())
        waits: list[float | None] = []
        for style, megapixels in zip(order.styles, order.megapixels, strict=True):
            own_s = self._estimator.estimate_s(style, megapixels)
            waits.append(None if own_s is None else round(ahead_s / threads + own_s, 1))
            ahead_s += own_s or 0.0
        revision = self._snapshot.revision
        if change := order_change(self._snapshot.ids, order.ids, revision + 1):
            revision = change.revision
            if change.is_small:
                self._changes.append(change)
        return QueueSnapshot(
            revision=revision,
            totals=totals,
            running=running,
            ids=order.ids,
            owner_ids=order.owners,
            waits=waits,
            head={task_id: position for position, task_id in enumerate(order.ids[: len(waits)], 1)},
            head_s=ahead_s / threads,
            each_s=self._estimator.wait_s(1, threads),
        )

    def _remaining_s(self, task: Task) -> float | None:
        total_s = self._estimator.estimate_s(task.style, task.megapixels)
        return None if total_s is None else round(total_s * (1 - self._events.percent(task) / 100), 1)

    def _on_event(self, event: TaskEvent) -> None:
        if event.kind == "reset":
            self.dirty, self._count_at = True, float("-inf")
        elif event.kind == "task" and event.task is not None:
            self.dirty = True
            self._count_final(event.task)

    def _count_final(self, task: Task) -> None:
        """A final state is one more; a task that is queued again was one of the others before."""
        if str(task.state) in self._finals:
            self._finals[str(task.state)] += 1
        elif task.state is TaskState.QUEUED and task.attempts:
            self._count_at = float("-inf")
