"""The task queue as handlers use it: adding, cancelling and retrying tasks, and the limits for adding.

MongoDB is the record (`models/queue/`), workers take tasks (`workers.py`), the event feed publishes changes
(`event_feed.py`). A task is durable before it is acknowledged, so that a server that dies loses nothing.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from models import errors
from models.bucket import Bucket
from models.images.image import Owner
from models.images.visibility import Visibility
from models.queue.fair_order import Place
from models.queue.task import NewTask, Task, TaskState
from models.store import Store
from processing.engine import Engine
from processing.engine.job import dedup_key_of
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.queue.estimator import TimeEstimator
from processing.queue.event_feed import EventFeed, publish_cancel, publish_task
from processing.queue.runner import TaskRunner
from processing.queue.status import QueueStatus
from processing.queue.worker_limits import WorkerLimits
from processing.queue.workers import Workers

log = logging.getLogger(__name__)

DEFAULT_RETRY_AFTER_S = 10
"""The Retry-After of a full queue before any task was measured."""
MAX_RETRY_AFTER_S = 3600
COUNT_INTERVAL_S = 1.0
"""The tasks of all users are counted this often at most, and once more before a task is refused."""
LEARN_FROM_TASKS = 200
NEWCOMERS_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """Limits on queued and running tasks together: of all users, of each user, of each address, and of each guest.

    Of the total, the last NEWCOMERS_SHARE are for users and addresses that have no task in the queue.
    """

    total: int
    per_user: int
    per_address: int
    per_guest: int = 10

    @property
    def regular(self) -> int:
        """The total for those who have a task in the queue."""
        return self.total - int(self.total * NEWCOMERS_SHARE)

    def of(self, owner: Owner) -> int:
        return self.per_guest if owner.is_guest else self.per_user


@dataclass(frozen=True, slots=True)
class TaskSource:
    """The source image of a task. key, image_id, visibility: None if it is not in our bucket. megapixels: of
    the result, if known."""

    url: str
    key: str | None = None
    image_id: int | None = None
    megapixels: float | None = None
    visibility: Visibility | None = None


class TaskQueue:
    """`async with` starts the workers, and `stop` drains them. server: its name in the store. version: of its code."""

    def __init__(
        self,
        server: str,
        *,
        store: Store,
        feed: EventFeed,
        engine: Engine,
        executors: Executors,
        bucket: Bucket,
        policy: FetchPolicy,
        max_megapixels: int,
        max_result_megapixels: int,
        limits: QueueLimits,
        log_address: Callable[[str], str] = str,
        version: str = "",
    ) -> None:
        self._store, self._engine, self._limits, self._log_address = store, engine, limits, log_address
        self.estimator = TimeEstimator()
        self._workers = Workers(
            server,
            store=store,
            runner=TaskRunner(store, engine, executors, bucket, policy, max_megapixels, max_result_megapixels),
            feed=feed,
            estimator=self.estimator,
            limits=WorkerLimits(),
            version=version,
        )
        self.status = QueueStatus(store.order, store.tasks, feed, estimator=self.estimator, workers=self._workers)
        self._adding: Counter[int | str | None] = Counter()
        self._total, self._counted_at = 0, float("-inf")

    async def __aenter__(self) -> TaskQueue:
        await self._store.fair_order.refresh()
        self.estimator.update_all(reversed(await self._store.tasks.finished(limit=LEARN_FROM_TASKS)))
        await self._workers.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self, grace_s: float | None = None) -> None:
        """Take no more tasks; give the running ones grace_s to finish; requeue the rest, uncounted.

        grace_s: None stands for the worker limits' shutdown_grace_s.
        """
        await self._workers.stop(grace_s)
        await self._store.fair_order.drain()
        await self.status.close()

    @property
    def draining(self) -> bool:
        """Whether this server takes no more tasks because it is stopping."""
        return self._workers.stopping

    @property
    def running(self) -> list[Task]:
        """The tasks that this server runs, those included whose ends are still being recorded."""
        return self._workers.running

    @property
    def paused(self) -> bool:
        """Whether a developer has paused the queue."""
        return self._workers.paused

    @property
    def problem(self) -> str | None:
        """One line for the health page while no task can run on this server."""
        return "queue: this server is stopping" if self.draining else self._engine.problem

    @property
    def left_count(self) -> int:
        """Queued tasks that this server leaves to a newer version."""
        return self._workers.left_count

    @property
    def warnings(self) -> list[str]:
        """Lines for the health page about what is wrong while this server can run tasks."""
        count = self.left_count
        left = [f"queue: {count} tasks need a newer version of this server and wait"] if count else []
        return [*left, *self._engine.warnings]

    async def renew_now(self) -> None:
        """Renew the leases and look for missed cancellations now; this is also done every few seconds."""
        await self._workers.renew_leases()

    async def wait_until_idle(self) -> None:
        """Wait until this server runs no task, and cleans up after none."""
        await self._workers.wait_until_idle()

    # --- requests ---------------------------------------------------------------------------------------------------

    async def add(
        self,
        owner: Owner,
        source: TaskSource,
        *,
        style: str,
        recipe: dict[str, Any],
        visibility: Visibility | None = None,
        batch: str | None = None,
        request_id: str | None = None,
        address: str = "",
    ) -> Task:
        """Queue a task durably. visibility, batch: of the result.

        request_id: chosen by the client; the same one again returns the task that exists. address: of the client, as a
        key of limits; empty if only the owner counts. Raises QueueFull, TooManyTasks, TooManyTasksOfAddress,
        DatabaseUnavailable.
        """
        if request_id is not None and (earlier := await self._store.tasks.by_request(owner, request_id)):
            return earlier
        with self._count_as_adding(owner, address):
            place = await self._admit(owner, address)
            await self._store.ended.note_added(owner)  # before: a task that is stored must be answered
            new = NewTask(
                owner,
                url=source.url,
                type="model",
                style=style,
                recipe=recipe,
                dedup_key=dedup_key_of(source.key or source.url, recipe),
                source_key=source.key,
                source_id=source.image_id,
                megapixels=source.megapixels,
                visibility=visibility,
                source_visibility=source.visibility,
                batch=batch,
                request_id=request_id,
            )
            task = await self._store.tasks.add(new, place=place)
            self._total += 1
        log.info("task %s: queued for user %s at %s, style %s", task.id, owner.id, self._log_address(address), style)
        self._announce(task)
        return task

    async def cancel(self, task_id: int) -> Task:
        """Raises NotFound, InvalidState."""
        task = await self._store.tasks.cancel(task_id)
        log.info("task %s: cancel requested", task_id)
        if task.state is TaskState.RUNNING:
            publish_cancel(self._store.events, task)
        else:
            publish_task(self._store.events, task)
        return task

    async def retry(self, task_id: int, *, address: str = "") -> Task:
        """Queue a failed or cancelled task again. address: as in `add`.

        Raises NotFound, InvalidState, QueueFull, TooManyTasks, TooManyTasksOfAddress.
        """
        owner = (await self._store.tasks.by_id(task_id)).owner
        with self._count_as_adding(owner, address):
            task = await self._store.tasks.retry(task_id, place=await self._admit(owner, address))
            self._total += 1
        log.info("task %s: queued again", task_id)
        self._announce(task)
        return task

    async def pause(self, paused: bool) -> None:
        """Pause the queue on all servers, or resume it. Running tasks are not stopped."""
        await self._store.servers.pause(paused)
        self._workers.set_paused(paused)
        log.info("queue: %s", "paused" if paused else "resumed")
        self._store.events.publish("queue", {"paused": paused})

    def _announce(self, task: Task) -> None:
        publish_task(self._store.events, task)
        self._workers.note_queued(task)

    # --- limits -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _count_as_adding(self, owner: Owner, address: str) -> Iterator[None]:
        """Count a task while it is being added, so that simultaneous requests cannot exceed the limits."""
        adding = Counter([owner.id, address])
        self._adding += adding
        try:
            yield
        finally:
            self._adding -= adding  # drops keys at zero

    async def _admit(self, owner: Owner, address: str) -> Place:
        """The place of the user's next task. Raises QueueFull, TooManyTasks, TooManyTasksOfAddress."""
        limits, own_limit = self._limits, self._limits.of(owner)
        own = await self._store.tasks.count_active(owner.id)
        queue = await self._store.fair_order.address_queue(address, owner.id)
        if address and owner.id is None:
            own = queue.active
        await self._check_total(limits.regular if own or queue.active else limits.total)
        if owner.id is not None and own + self._adding[owner.id] > own_limit:
            raise errors.TooManyTasks(limit=own_limit, retry_after_s=self._retry_after_s(self._total))
        if address and queue.active + self._adding[address] > limits.per_address:
            retry_after_s = self._retry_after_s(self._total)
            raise errors.TooManyTasksOfAddress(limit=limits.per_address, retry_after_s=retry_after_s)
        return await self._store.fair_order.assign(owner, queue, address, idle=own == 0)

    async def _check_total(self, limit: int) -> None:
        """Raises QueueFull."""
        await self._count(COUNT_INTERVAL_S)
        if self._total + self._adding_count > limit:
            await self._count(0)
        if self._total + self._adding_count > limit:
            raise errors.QueueFull(retry_after_s=self._retry_after_s(limit))

    @property
    def _adding_count(self) -> int:
        """Each task that is being added counts for an owner and for an address."""
        return self._adding.total() // 2

    async def _count(self, max_age_s: float) -> None:
        now = time.monotonic()
        if now - self._counted_at >= max_age_s:
            self._total = await self._store.tasks.count_all_active(limit=self._limits.total)
            self._counted_at = now

    def _retry_after_s(self, waiting: int) -> int:
        """Whole seconds in which a tenth of the waiting tasks should be done."""
        wait_s = self.estimator.wait_s(max(1, waiting // 10), self._workers.threads)
        return DEFAULT_RETRY_AFTER_S if wait_s is None else min(MAX_RETRY_AFTER_S, max(1, round(wait_s)))
