"""The overview: how many tasks are in each state, where each waiting one stands, and how long it will take.

Read from the database again when something has moved, but never for more than a tenth of the time: what a thousand
people look at costs the database what one of them costs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from models.tasks import FINAL, Task, Tasks, TaskState
from processing.live import LiveView, News
from processing.pace import Pace

REFRESH_S = 0.2
LOOK_SHARE = 10
"""The queue is looked at anew after REFRESH_S, or sooner if this many times as long as a look takes has gone by."""
HEAD = 1000
"""So many of the waiting tasks are known by their place; those behind them are counted when somebody asks."""
COUNT_SHARE = 50
"""Finished tasks are counted anew when this many times as long as the last count took has gone by."""
STALE_S = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """position: 1 is next, 0 runs. wait_s: seconds until it is done, None while nothing is known of our pace."""

    task: Task
    position: int
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at the queue. waiting: the head of it, by task id, in order."""

    totals: dict[str, int] = field(default_factory=lambda: {str(state): 0 for state in TaskState})
    running: dict[int, Place] = field(default_factory=dict)
    waiting: dict[int, Place] = field(default_factory=dict)
    work_s: float = 0.0
    """Seconds until everything in the head is done."""


class Overview:
    """threads: how many renders run at once, on all servers together."""

    def __init__(self, tasks: Tasks, live: LiveView, pace: Pace, threads: Callable[[], int]) -> None:
        self._tasks, self._live, self._pace, self._threads = tasks, live, pace, threads
        self._sight = Sight()
        self._seen_at, self._look_s = float("-inf"), 0.0
        self._moved = True
        self._looking: asyncio.Task[Sight] | None = None
        self._finals: dict[str, int] = {}
        self._count_at = 0.0
        self._unlisten = live.listen(self._hear)

    async def close(self) -> None:
        self._unlisten()
        if self._looking is not None:
            await asyncio.gather(self._looking, return_exceptions=True)

    async def look(self) -> Sight:
        """The queue as it was at most REFRESH_S ago. Raises DatabaseUnavailable."""
        age_s = time.monotonic() - self._seen_at
        if age_s < min(REFRESH_S, LOOK_SHARE * self._look_s) or (not self._moved and age_s < STALE_S):
            return self._sight
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def place(self, task: Task) -> Place | None:
        """Where a task stands; None when it is over."""
        if task.state not in (TaskState.QUEUED, TaskState.RUNNING):
            return None
        sight = await self.look()
        known = sight.running.get(task.id) or sight.waiting.get(task.id)
        if known is not None and (known.position > 0) == (task.state is TaskState.QUEUED):
            return known
        if task.state is TaskState.RUNNING:
            return Place(task, 0, self._left_s(task))
        position = await self._tasks.position(task)
        own_s = self._pace.render_s(task.style, task.megapixels)
        between_s = self._pace.wait_s(max(0, position - 1 - len(sight.waiting)), self._threads())
        unknown = own_s is None or between_s is None
        return Place(task, position, None if unknown else round(sight.work_s + (between_s or 0) + (own_s or 0), 1))

    async def _look(self) -> Sight:
        try:
            self._moved, begun = False, time.monotonic()
            live = await self._tasks.live(limit=HEAD)
            totals = {str(state): await self._tasks.count(state) for state in (TaskState.QUEUED, TaskState.RUNNING)}
            self._sight = self._arrange(live, totals | await self._count_finals())
            self._seen_at, self._look_s = begun, time.monotonic() - begun
            return self._sight
        finally:
            self._looking = None

    async def _count_finals(self) -> dict[str, int]:
        """Exact at first and again now and then; in between news is added."""
        if time.monotonic() >= self._count_at:
            begun = time.monotonic()
            self._finals = {str(state): await self._tasks.count(state) for state in FINAL}
            self._count_at = time.monotonic() + COUNT_SHARE * (time.monotonic() - begun)
        return dict(self._finals)

    def _arrange(self, live: list[Task], totals: dict[str, int]) -> Sight:
        running = {task.id: Place(task, 0, self._left_s(task)) for task in live if task.state is TaskState.RUNNING}
        ahead_s = sum(place.wait_s or 0.0 for place in running.values())
        waiting: dict[int, Place] = {}
        for task in live:
            own_s = self._pace.render_s(task.style, task.megapixels)
            if task.state is TaskState.QUEUED:
                wait_s = None if own_s is None else round(ahead_s / self._threads() + own_s, 1)
                waiting[task.id] = Place(task, len(waiting) + 1, wait_s)
                ahead_s += own_s or 0.0
        return Sight(totals, running, waiting, ahead_s / self._threads())

    def _left_s(self, task: Task) -> float | None:
        whole_s = self._pace.render_s(task.style, task.megapixels)
        return None if whole_s is None else round(whole_s * (1 - self._live.percent(task) / 100), 1)

    def _hear(self, news: News) -> None:
        if news.kind == "reset":
            self._moved, self._count_at = True, 0.0
        elif news.kind == "task" and news.task is not None:
            self._moved = True
            if str(news.task.state) in self._finals:
                self._finals[str(news.task.state)] += 1
