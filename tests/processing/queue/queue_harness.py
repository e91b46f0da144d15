"""A queue on real parts whose engine is worked by hand: the test decides what each job makes, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from models.database import Database
from models.images import Images, Owner
from models.queue.events import Events
from models.queue.tasks import Task, Tasks, TaskState
from models.uploads import PendingUploads
from processing.engine.job import Job, JobResult
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.queue.event_feed import EventFeed, TaskEvent
from processing.queue.task_queue import QueueLimits, Shop, TaskQueue, TaskSource
from processing.rendering import Cancelled
from tests.support.waiting import until

ADA, BOB = Owner(1, "ada"), Owner(2, "bob")
RECIPE = {"style": "mosaic", "seed": 0}
UNLIMITED = QueueLimits(10_000, 10_000)


class ManualJob:
    """One job that waits for the test. deaf: it cannot stop any more, as one that writes a large picture."""

    def __init__(self, job: Job, on_progress: Callable[[float], None]) -> None:
        self.job, self.progress, self.deaf = job, on_progress, False
        self.outcome: asyncio.Future[JobResult] = asyncio.get_running_loop().create_future()

    async def result(self) -> JobResult:
        return await asyncio.shield(self.outcome)

    def stop(self) -> None:
        if not (self.deaf or self.outcome.done()):
            self.outcome.set_exception(Cancelled())


class ManualEngine:
    """An Engine. instantly: every job is done at once."""

    def __init__(self, size: int = 2, bucket: EmbeddedBucket | None = None, *, instantly: bool = False) -> None:
        self.size, self.problem = size, None
        self.runs: dict[int, ManualJob] = {}
        self.started: list[int] = []
        self._bucket, self.instantly = bucket, instantly

    def start(self, job: Job, on_progress: Callable[[float], None]) -> ManualJob:
        self.runs[job.task_id] = job_handle = ManualJob(job, on_progress)
        self.started.append(job.task_id)
        if self.instantly:
            self.finish(job.task_id)
        return job_handle

    def finish(self, task_id: int, key: str | None = None) -> None:
        """The job stores a result and is done."""
        run = self.runs.pop(task_id)
        key = key or f"mosaic/{task_id}.png"
        if self._bucket is not None and not self.instantly:
            self._bucket.put(key, b"a mosaic", mime="image/png")
        took_s = 0.0 if self.instantly else 0.5
        result = JobResult(key, 8, "etag", "image/png", 4, 3, "#102030", 0.5, 1.0, {}, took_s)
        run.outcome.set_result(result)

    def fail(self, task_id: int, error: Exception) -> None:
        self.runs.pop(task_id).outcome.set_exception(error)

    async def close(self) -> None:
        return None


@dataclass
class QueueHarness:
    """One server's queue and what it is made of."""

    queue: TaskQueue
    engine: ManualEngine
    tasks: Tasks
    images: Images
    feed: EventFeed
    bucket: EmbeddedBucket
    database: Database
    events: list[TaskEvent] = field(default_factory=list)

    async def pause(self) -> None:
        """Pause the queue, and wait until it is."""
        await self.queue.pause(True)

        async def look() -> bool:
            return self.queue.paused

        await until(look)

    async def add(self, owner: Owner = ADA, name: str = "a", **params: Any) -> Task:
        source = TaskSource(f"http://x/bucket/{name}", name, None, params.pop("megapixels", None))
        return await self.queue.add(owner, source, style="mosaic", recipe={**RECIPE, **params})

    async def runs(self, task: Task) -> ManualJob:
        """The task's run, once it has started."""

        async def look() -> ManualJob | None:
            run = self.engine.runs.get(task.id)
            return run if run and not run.outcome.done() else None

        return await until(look)

    async def becomes(self, task: Task, state: TaskState, *, timeout_s: float = 10) -> Task:
        """The task, once it is in this state."""

        async def look() -> Task | None:
            current = await self.tasks.by_id(task.id)
            return current if current.state is state else None

        return await until(look, timeout_s=timeout_s)

    async def wait_for_percent(self, percent: int) -> None:
        async def look() -> bool:
            return any(news.kind == "progress" and news.percent == percent for news in self.events)

        await until(look, timeout_s=5)

    async def finish(self, task: Task, **options: Any) -> Task:
        await self.runs(task)
        self.engine.finish(task.id, **options)
        return await self.becomes(task, TaskState.DONE)


@asynccontextmanager
async def queue_harness(
    database: Database,
    folder: Path,
    server: str = "one",
    *,
    size: int = 2,
    limits: QueueLimits = UNLIMITED,
    **engine: bool,
) -> AsyncIterator[QueueHarness]:
    """A server's queue; ended as after a kill if the test has set `queue` aside."""
    async with AsyncExitStack() as stack:
        tasks, images = Tasks(database), Images(database)
        uploads = PendingUploads(database)
        await database.create_indexes({"tasks": tasks.indexes, "images": images.indexes, "uploads": uploads.indexes})
        events = Events(database, server)
        live = await stack.enter_async_context(EventFeed(events))
        threads = Executors(1)
        stack.push_async_callback(threads.close)
        keys = Keys("access", "secret")
        bucket = EmbeddedBucket(
            folder, keys, public_url="http://x", callback_url="http://x/callback", size_limit_bytes=1_000_000
        )
        hand = ManualEngine(size, bucket, **engine)
        shop = Shop(database, tasks, images, events, live, hand, threads, bucket, FetchPolicy(), 50)
        harness = QueueHarness(TaskQueue(server, shop, limits), hand, tasks, images, live, bucket, database)
        live.subscribe(harness.events.append)
        await harness.queue.__aenter__()
        try:
            yield harness
        finally:
            await harness.queue.stop(grace_s=0)
