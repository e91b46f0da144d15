"""A queue on real collections whose engine is worked by hand: the test decides what each job returns, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from models.database import Database
from models.images.image import Owner
from models.queue.task import Task, TaskState
from models.store import Store
from processing.engine.job import Job, JobResult
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.queue.event_feed import EventFeed, TaskEvent, follow_events
from processing.queue.task_queue import QueueLimits, TaskQueue, TaskSource
from processing.rendering import Cancelled
from tests.support.waiting import until

ADA, BOB = Owner(1, "ada"), Owner(2, "bob")
RECIPE = {"style": "mosaic", "seed": 0}
UNLIMITED = QueueLimits(10_000, 10_000, 10_000)


class ManualJob:
    """A job that waits for the test. ignores_stop: as a job that is writing a large image."""

    def __init__(self, job: Job, on_progress: Callable[[float], None]) -> None:
        self.job, self.progress, self.ignores_stop = job, on_progress, False
        self.future: asyncio.Future[JobResult] = asyncio.get_running_loop().create_future()
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self) -> None:
        if not (self.ignores_stop or self.future.done()):
            self.future.set_exception(Cancelled())


class ManualEngine:
    """An Engine. instantly: every job is done at once. queued: jobs begin when the test says so. spare: it has a spare
    thread."""

    def __init__(
        self, size: int = 2, bucket: EmbeddedBucket | None = None, *, instantly: bool = False, spare: bool = False
    ) -> None:
        self.size, self.problem, self.spare = size, None, spare
        self.render_threads = None
        self.warnings: list[str] = []
        self.workers: dict[str, int] = {}
        self.queued = False
        self.jobs: dict[int, ManualJob] = {}
        self.started: list[int] = []
        self.started_on_spare: list[int] = []
        self._bucket, self.instantly = bucket, instantly

    @property
    def spare_free(self) -> bool:
        return self.spare and self.jobs.keys().isdisjoint(self.started_on_spare)

    def start(self, job: Job, on_progress: Callable[[float], None], *, spare: bool = False) -> ManualJob:
        handle = self.jobs[job.task_id] = ManualJob(job, on_progress)
        self.started.append(job.task_id)
        if spare:
            self.started_on_spare.append(job.task_id)
        if not self.queued:
            handle.begun.set_result(None)
        if self.instantly:
            self.finish(job.task_id)
        return handle

    def finish(self, task_id: int, key: str | None = None) -> None:
        """The job stores a result and returns it."""
        key = key or f"mosaic/{task_id}.png"
        if self._bucket is not None and not self.instantly:
            self._bucket.put(key, b"a mosaic", mime="image/png")
        result = JobResult(key, 8, "etag", "image/png", 4, 3, "#102030", 0.5, 1.0, {})
        self.jobs.pop(task_id).future.set_result(result)

    def fail(self, task_id: int, error: Exception) -> None:
        self.jobs.pop(task_id).future.set_exception(error)

    async def close(self) -> None:
        return None


@dataclass
class QueueHarness:
    """The queue of one server, with every event that the server has received."""

    queue: TaskQueue
    feed: EventFeed
    engine: ManualEngine
    store: Store
    bucket: EmbeddedBucket
    events: list[TaskEvent] = field(default_factory=list)

    async def add(
        self,
        owner: Owner = ADA,
        name: str = "a",
        *,
        megapixels: float | None = None,
        seed: int = 0,
        address: str = "",
    ) -> Task:
        """Queue a task. Tasks with the same name and seed have the same result."""
        source = TaskSource(f"http://x/bucket/{name}", name, None, megapixels)
        recipe = RECIPE | {"seed": seed}
        return await self.queue.add(owner, source, style="mosaic", recipe=recipe, address=address)

    async def add_many(self, count: int, owner: Owner = ADA, *, address: str = "") -> list[Task]:
        return [await self.add(owner, f"{owner.username}-{number}", address=address) for number in range(count)]

    async def order(self) -> list[int]:
        """The ids of the waiting tasks in the order of the queue."""
        return list((await self.store.order.read(head=1)).ids)

    async def started(self, task: Task) -> ManualJob:
        """The task's job, once it has started."""

        async def running_job() -> ManualJob | None:
            job = self.engine.jobs.get(task.id)
            return job if job and not job.future.done() else None

        return await until(running_job)

    async def becomes(self, task: Task, state: TaskState) -> Task:
        """The task, once it is in this state."""

        async def in_state() -> Task | None:
            current = await self.store.tasks.by_id(task.id)
            return current if current.state is state else None

        return await until(in_state)

    async def finish(self, task: Task, key: str | None = None) -> Task:
        """Wait until the task's job has started, finish it, and wait until the task is done."""
        await self.started(task)
        self.engine.finish(task.id, key)
        return await self.becomes(task, TaskState.DONE)

    async def received(self, matches: Callable[[TaskEvent], bool]) -> TaskEvent:
        """The first event that matches, once it has been received."""

        async def matching_event() -> TaskEvent | None:
            return next(filter(matches, self.events), None)

        return await until(matching_event)

    async def is_paused(self, paused: bool = True) -> None:
        """Wait until the server has received that the queue was paused."""

        async def in_effect() -> bool:
            return self.queue.paused is paused

        await until(in_effect)

    def keys(self) -> list[str]:
        """Of every object in the bucket."""
        return [stat.key for stat in self.bucket.list()]


@asynccontextmanager
async def queue_harness(
    database: Database,
    folder: Path,
    server: str = "one",
    *,
    size: int = 2,
    limits: QueueLimits = UNLIMITED,
    instantly: bool = False,
    spare: bool = False,
) -> AsyncIterator[QueueHarness]:
    """The queue of a server with this name. size: its threads, beside a spare one. At the end its running tasks are
    requeued."""
    async with AsyncExitStack() as stack:
        store = Store.of(database, server)
        await store.create_indexes()
        feed = await stack.enter_async_context(follow_events(store.events))
        executors = Executors(1)
        stack.push_async_callback(executors.close)
        bucket = EmbeddedBucket(
            folder,
            Keys("access", "secret"),
            public_url="http://x",
            callback_url="http://x/callback",
            size_limit_bytes=1_000_000,
        )
        engine = ManualEngine(size, bucket, instantly=instantly, spare=spare)
        queue = TaskQueue(
            server,
            store=store,
            feed=feed,
            engine=engine,
            executors=executors,
            bucket=bucket,
            policy=FetchPolicy(),
            max_megapixels=50,
            max_result_megapixels=150,
            limits=limits,
        )
        harness = QueueHarness(queue, feed, engine, store, bucket)
        feed.subscribe(harness.events.append)
        await queue.__aenter__()
        try:
            yield harness
        finally:
            await queue.stop(grace_s=0)


async def settle() -> None:
    """Let what is ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


def lose_events(uri: str, database_name: str) -> None:
    """Delete all events, so that those who follow them have missed some. The next one needs `ensure_collection`."""
    with MongoClient[dict[str, Any]](uri) as client:
        client[database_name].drop_collection("events")
