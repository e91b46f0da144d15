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
from models.queue.order import Standing, Standings
from models.queue.tasks import FINAL, Task, Tasks, TaskState
from processing.queue.estimator import Pace
from processing.queue.event_feed import LiveView, News
from processing.queue.snapshot import Move, Place, Sight, moved

REFRESH_S = 0.2
LOOK_SHARE = 10
"""The queue is looked at anew after REFRESH_S, or sooner if this many times as long as a look takes has gone by."""
HEAD = 1000
"""Of so many of the waiting tasks style and size are known; those behind them take as long as is usual."""
COUNT_S = 2.0
COUNT_SHARE = 50
"""Finished tasks are counted anew after COUNT_S and this many times as long as the last count took; in between news is
added."""
STALE_S = 5.0
KEPT_MOVES = 200


class Overview:
    """threads: how many renders run at once, on all servers together."""

    def __init__(
        self, standings: Standings, tasks: Tasks, live: LiveView, pace: Pace, threads: Callable[[], int]
    ) -> None:
        self._standings, self._tasks, self._live, self._pace, self._threads = standings, tasks, live, pace, threads
        self._sight = Sight(number=time.time_ns() // 1_000_000)
        self._moves: deque[Move] = deque(maxlen=KEPT_MOVES)
        self._seen_at, self._look_s = float("-inf"), 0.0
        self.moved = True
        """Whether something has happened since the last look began."""
        self._looking: asyncio.Task[Sight] | None = None
        self._counting: asyncio.Task[None] | None = None
        self._finals: dict[str, int] = {}
        self._count_at = float("-inf")
        self._unlisten = live.listen(self._hear)

    async def close(self) -> None:
        self._unlisten()
        under_way = [task for task in (self._looking, self._counting) if task is not None]
        await asyncio.gather(*under_way, return_exceptions=True)

    async def look(self) -> Sight:
        """The queue as it was at most REFRESH_S ago. Raises DatabaseUnavailable."""
        age_s = time.monotonic() - self._seen_at
        if age_s < min(REFRESH_S, LOOK_SHARE * self._look_s) or (not self.moved and age_s < STALE_S):
            return self._sight
        return await asyncio.shield(self._begin_look())

    async def look_again(self) -> Sight:
        """The queue as it is now, what was done just before this included. Raises DatabaseUnavailable."""
        if self._looking is not None:  # it may have read before that
            await asyncio.wait([self._looking])
        return await asyncio.shield(self._begin_look())

    def _begin_look(self) -> asyncio.Task[Sight]:
        """The look that is under way, or a new one."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return self._looking

    async def place(self, task: Task, sight: Sight | None = None) -> Place | None:
        """Where a task stands, in this look or in one of now; None when it is over."""
        if task.state not in (TaskState.QUEUED, TaskState.RUNNING):
            return None
        sight = sight or await self.look()
        known = sight.place(task.id)
        if known is not None and (known.position > 0) == (task.state is TaskState.QUEUED):
            return known
        if task.state is TaskState.RUNNING:
            return Place(0, self._left_s(task))
        return sight.at(await self._tasks.position(task))

    def moves_since(self, number: int) -> list[Move]:
        """What moved after that look. Moves that were many, or long ago, are not among them."""
        return [move for move in self._moves if move.number > number]

    async def _look(self) -> Sight:
        try:
            self.moved, begun = False, time.monotonic()
            standing = await self._standings.look(head=HEAD)
            totals = {str(TaskState.QUEUED): standing.queued, str(TaskState.RUNNING): len(standing.running)}
            self._sight = self._arrange(standing, totals | await self._count_finals())
            self._seen_at, self._look_s = begun, time.monotonic() - begun
            return self._sight
        finally:
            self._looking = None

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
            self._count_at = now + max(COUNT_S, COUNT_SHARE * (now - begun))
        except errors.DatabaseUnavailable:
            if not self._finals:
                raise
        finally:
            self._counting = None

    def _arrange(self, standing: Standing, totals: dict[str, int]) -> Sight:
        threads = self._threads()
        running = {task.id: Place(0, self._left_s(task)) for task in standing.running}
        ahead_s = sum(place.wait_s or 0.0 for place in running.values())
        waits: list[float | None] = []
        for style, megapixels in zip(standing.styles, standing.megapixels, strict=True):
            own_s = self._pace.render_s(style, megapixels)
            waits.append(None if own_s is None else round(ahead_s / threads + own_s, 1))
            ahead_s += own_s or 0.0
        number = self._sight.number
        if move := moved(self._sight.ids, standing.ids, number + 1):
            number = move.number
            if move.small:
                self._moves.append(move)
        return Sight(
            number=number,
            totals=totals,
            running=running,
            ids=standing.ids,
            owners=standing.owners,
            waits=waits,
            head={task_id: position for position, task_id in enumerate(standing.ids[: len(waits)], 1)},
            head_s=ahead_s / threads,
            each_s=self._pace.wait_s(1, threads),
        )

    def _left_s(self, task: Task) -> float | None:
        whole_s = self._pace.render_s(task.style, task.megapixels)
        return None if whole_s is None else round(whole_s * (1 - self._live.percent(task) / 100), 1)

    def _hear(self, news: News) -> None:
        if news.kind == "reset":
            self.moved, self._count_at = True, float("-inf")
        elif news.kind == "task" and news.task is not None:
            self.moved = True
            self._note(news.task)

    def _note(self, task: Task) -> None:
        """A final state is one more; a task that is queued again was one of the others before."""
        if str(task.state) in self._finals:
            self._finals[str(task.state)] += 1
        elif task.state is TaskState.QUEUED and task.attempts:
            self._count_at = float("-inf")
