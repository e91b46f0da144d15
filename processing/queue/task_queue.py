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
from models.queue.fair_order import FairOrder
from models.queue.leases import Leases
from models.queue.order import OrderReader
from models.queue.servers import ServerRegistry
from models.queue.tasks import Task, Tasks, TaskState, new_task, to_document
from processing.engine import Engine
from processing.engine.job import dedup_key_of
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.queue.estimator import TimeEstimator
from processing.queue.event_feed import EventFeed
from processing.queue.runner import TaskRunner
from processing.queue.status import QueueStatus
from processing.queue.workers import DRAIN_S, Records, Workers

log = logging.getLogger(__name__)

DEFAULT_RETRY_AFTER_S = 10
"""What a full queue tells people to wait while nothing is known of its pace."""
MAX_RETRY_AFTER_S = 3600
COUNT_INTERVAL_S = 1.0
"""The tasks of everybody are counted this often at most, and once more before anybody is sent away."""
LEARN_FROM_TASKS = 200


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """Tasks that may wait or run: in all, and of one person."""

    total: int
    per_user: int


@dataclass(frozen=True, slots=True)
class TaskSource:
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
    live: EventFeed
    engine: Engine
    threads: Executors
    bucket: Bucket
    rules: FetchPolicy
    max_megapixels: int


class TaskQueue:
    """`async with` starts the workers, and at the end drains them: see `stop`."""

    def __init__(self, server: str, shop: Shop, limits: QueueLimits) -> None:
        self._tasks, self._events, self._engine, self._limits = shop.tasks, shop.events, shop.engine, limits
        self.estimator = TimeEstimator()
        self._servers, self._turns = ServerRegistry(shop.database), FairOrder(shop.database)
        claims = Leases(shop.database, server)
        runner = TaskRunner(
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
        self._workers = Workers(server, records, runner, live=shop.live, pace=self.estimator)
        standings = OrderReader(shop.database)
        self.status = QueueStatus(standings, shop.tasks, shop.live, self.estimator, lambda: self._workers.threads)
        self._adding: Counter[int | None] = Counter()
        self._total, self._counted_at = 0, float("-inf")

    async def __aenter__(self) -> TaskQueue:
        await self._turns.refresh()
        self.estimator.update_all(reversed(await self._tasks.finished(limit=LEARN_FROM_TASKS)))
        await self._workers.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self, grace_s: float = DRAIN_S) -> None:
        """Take nothing more; give what runs grace_s to finish; put the rest back into the queue, uncounted."""
        await self._workers.stop(grace_s)
        await self.status.close()

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

    async def add(self, owner: Owner, source: TaskSource, *, style: str, recipe: dict[str, Any]) -> Task:
        """Queue a task, for good. Raises QueueFull, TooManyTasks, DatabaseUnavailable."""
        with self._reserve_slot(owner):
            own = await self._check_limits(owner)
            turn = await self._turns.next_round(owner.id, idle=own == 0)
            task = new_task(
                owner,
                url=source.url,
                type="model",
                style=style,
                recipe=recipe,
                dedup_key=dedup_key_of(source.key or source.url, recipe),
                source_key=source.key,
                source_id=source.image_id,
                megapixels=source.megapixels,
            )
            task = await self._tasks.add(task, round_number=turn)
            self._total += 1
        log.info("task %s: queued, style %s", task.id, style)
        self._queued(task)
        return task

    async def cancel(self, task_id: int) -> Task:
        """Raises NotFound, InvalidState."""
        task = await self._tasks.cancel(task_id)
        log.info("task %s: asked to cancel", task_id)
        self._events.publish("cancel" if task.state is TaskState.RUNNING else "task", _document(task))
        return task

    async def retry(self, task_id: int) -> Task:
        """Raises NotFound, InvalidState, QueueFull, TooManyTasks."""
        owner = (await self._tasks.by_id(task_id)).owner
        with self._reserve_slot(owner):
            own = await self._check_limits(owner)
            task = await self._tasks.retry(task_id, round_number=await self._turns.next_round(owner.id, idle=own == 0))
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
    def _reserve_slot(self, owner: Owner) -> Iterator[None]:
        """What is being added just now counts, so that a hundred requests at once are no way around the limits."""
        self._adding[owner.id] += 1
        try:
            yield
        finally:
            self._adding[owner.id] -= 1
            if not self._adding[owner.id]:
                del self._adding[owner.id]

    async def _check_limits(self, owner: Owner) -> int:
        """How many this person has in the queue (0 for nobody). Raises QueueFull, TooManyTasks."""
        await self._count(COUNT_INTERVAL_S)
        if self._total + self._adding.total() > self._limits.total:
            await self._count(0)
        if self._total + self._adding.total() > self._limits.total:
            raise errors.QueueFull(retry_after_s=self._retry_after_s(self._limits.total))
        own = await self._tasks.count_active(owner_id=owner.id, limit=self._limits.per_user)
        if owner.id is not None and own + self._adding[owner.id] > self._limits.per_user:
            raise errors.TooManyTasks(limit=self._limits.per_user, retry_after_s=self._retry_after_s(self._total))
        return own

    async def _count(self, older_than_s: float) -> None:
        now = time.monotonic()
        if now - self._counted_at >= older_than_s:
            self._total = await self._tasks.count_active(all_owners=True, limit=self._limits.total)
            self._counted_at = now

    def _retry_after_s(self, waiting: int) -> int:
        """Whole seconds in which a tenth of what waits should be gone."""
        wait_s = self.estimator.wait_s(max(1, waiting // 10), self._workers.threads)
        return DEFAULT_RETRY_AFTER_S if wait_s is None else min(MAX_RETRY_AFTER_S, max(1, round(wait_s)))


def _document(task: Task) -> dict[str, Any]:
    return {"_id": task.id, **to_document(task), "server": task.server}
