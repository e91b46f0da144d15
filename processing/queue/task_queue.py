"""The task queue as the outside sees it: what people ask for, and what they may ask.

MongoDB is the record (`models/queue/`), workers take tasks (`workers.py`), the event feed publishes changes
(`event_feed.py`). A task is durable before it is acknowledged; a server that dies loses nothing.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from models import errors
from models.bucket import Bucket
from models.database import Database
from models.images import Images, Owner
from models.queue.events import Events
from models.queue.fair_order import Turns
from models.queue.leases import Claims
from models.queue.order import Standings
from models.queue.servers import Servers
from models.queue.tasks import Task, Tasks, TaskState, new_task, to_document
from processing.engine.job import identity_of
from processing.engine.threads import Engine, Threads
from processing.fetch.allowlist import FetchRules
from processing.queue.estimator import Pace
from processing.queue.event_feed import LiveView
from processing.queue.runner import Runner
from processing.queue.status import Overview
from processing.queue.workers import DRAIN_S, Records, Workers

log = logging.getLogger(__name__)

BUSY_RETRY_S = 10
"""What a full queue tells people to wait while nothing is known of its pace."""
LONGEST_RETRY_S = 3600
COUNT_S = 1.0
"""The tasks of everybody are counted this often at most, and once more before anybody is sent away."""
LEARN_FROM = 200


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """Tasks that may wait or run: in all, and of one person."""

    total: int
    each: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where a task's picture is: an address, and its key and image where it lies in our bucket."""

    url: str
    key: str | None = None
    image_id: int | None = None
    megapixels: float | None = None


@dataclass(frozen=True, slots=True)
class Shop:
    """The parts that the queue joins."""

    database: Database
    tasks: Tasks
    images: Images
    events: Events
    live: LiveView
    engine: Engine
    threads: Threads
    bucket: Bucket
    rules: FetchRules
    max_megapixels: int


class TaskQueue:
    """`async with` starts the workers, and at the end drains them: see `stop`."""

    def __init__(self, server: str, shop: Shop, limits: QueueLimits) -> None:
        self._tasks, self._events, self._engine, self._limits = shop.tasks, shop.events, shop.engine, limits
        self.pace = Pace()
        self._servers, self._turns = Servers(shop.database), Turns(shop.database)
        claims = Claims(shop.database, server)
        runner = Runner(
            claims,
            shop.tasks,
            shop.images,
            shop.events,
            shop.engine,
            shop.threads,
            shop.bucket,
            shop.rules,
            shop.max_megapixels,
        )
        records = Records(claims, self._servers, self._turns)
        self._workers = Workers(server, records, runner, live=shop.live, pace=self.pace)
        standings = Standings(shop.database)
        self.overview = Overview(standings, shop.tasks, shop.live, self.pace, lambda: self._workers.threads)
        self._adding: Counter[int | None] = Counter()
        self._total, self._counted_at = 0, float("-inf")

    async def __aenter__(self) -> TaskQueue:
        await self._turns.catch_up()
        self.pace.learn_all(reversed(await self._tasks.finished(limit=LEARN_FROM)))
        await self._workers.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self, grace_s: float = DRAIN_S) -> None:
        """Take nothing more; give what runs grace_s to finish; put the rest back into the queue, uncounted."""
        await self._workers.stop(grace_s)
        await self.overview.close()

    @property
    def draining(self) -> bool:
        """Whether this server takes no more tasks because it is stopping."""
        return self._workers.stopping

    @property
    def active_count(self) -> int:
        return self._workers.active_count

    @property
    def paused(self) -> bool:
        """Whether developers hold the queue."""
        return self._workers.paused

    @property
    def problem(self) -> str | None:
        """One line for the health, where no task can run on this server."""
        return "queue: this server is stopping" if self.draining else self._engine.problem

    # --- what people ask ------------------------------------------------------------------------------------------

    async def add(self, owner: Owner, source: Source, *, style: str, recipe: dict[str, Any]) -> Task:
        """Queue a task, for good. Raises QueueFull, TooManyTasks, DatabaseUnavailable."""
        with self._entering(owner):
            own = await self._refuse_surplus(owner)
            turn = await self._turns.next(owner.id, idle=own == 0)
            task = new_task(
                owner,
                url=source.url,
                type="model",
                style=style,
                recipe=recipe,
                identity=identity_of(source.key or source.url, recipe),
                source_key=source.key,
                source_id=source.image_id,
                megapixels=source.megapixels,
            )
            task = await self._tasks.add(task, turn=turn)
            self._total += 1
        log.info("task %s: queued, style %s", task.id, style)
        self._queued(task)
        return task

    async def cancel(self, task_id: int) -> Task:
        """Raises NotFound, WrongState."""
        task = await self._tasks.cancel(task_id)
        log.info("task %s: asked to cancel", task_id)
        self._events.publish("cancel" if task.state is TaskState.RUNNING else "task", _document(task))
        return task

    async def retry(self, task_id: int) -> Task:
        """Raises NotFound, WrongState, QueueFull, TooManyTasks."""
        owner = (await self._tasks.by_id(task_id)).owner
        with self._entering(owner):
            own = await self._refuse_surplus(owner)
            task = await self._tasks.retry(task_id, turn=await self._turns.next(owner.id, idle=own == 0))
            self._total += 1
        log.info("task %s: queued again", task_id)
        self._queued(task)
        return task

    async def pause(self, paused: bool) -> None:
        """Hold the queue on all servers, or let it go on. What runs is not stopped."""
        await self._servers.pause(paused)
        log.info("queue: %s", "paused" if paused else "goes on")
        self._events.publish("queue", {"paused": paused})

    def _queued(self, task: Task) -> None:
        self._events.publish("task", _document(task))
        self._workers.wake()

    # --- limits -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _entering(self, owner: Owner) -> Iterator[None]:
        """What is being added just now counts, so that a hundred requests at once are no way around the limits."""
        self._adding[owner.id] += 1
        try:
            yield
        finally:
            self._adding[owner.id] -= 1
            if not self._adding[owner.id]:
                del self._adding[owner.id]

    async def _refuse_surplus(self, owner: Owner) -> int:
        """How many this person has in the queue (0 for nobody). Raises QueueFull, TooManyTasks."""
        await self._count(COUNT_S)
        if self._total + self._adding.total() > self._limits.total:
            await self._count(0)
        if self._total + self._adding.total() > self._limits.total:
            raise errors.QueueFull(retry_after_s=self._worth_coming_back(self._limits.total))
        own = await self._tasks.count_live(owner_id=owner.id, limit=self._limits.each)
        if owner.id is not None and own + self._adding[owner.id] > self._limits.each:
            raise errors.TooManyTasks(limit=self._limits.each, retry_after_s=self._worth_coming_back(self._total))
        return own

    async def _count(self, older_than_s: float) -> None:
        now = time.monotonic()
        if now - self._counted_at >= older_than_s:
            self._total = await self._tasks.count_live(everybody=True, limit=self._limits.total)
            self._counted_at = now

    def _worth_coming_back(self, waiting: int) -> int:
        """Whole seconds in which a tenth of what waits should be gone."""
        wait_s = self.pace.wait_s(max(1, waiting // 10), self._workers.threads)
        return BUSY_RETRY_S if wait_s is None else min(LONGEST_RETRY_S, max(1, round(wait_s)))


def _document(task: Task) -> dict[str, Any]:
    return {"_id": task.id, **to_document(task), "server": task.server}
