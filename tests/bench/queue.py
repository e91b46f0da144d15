"""The cost of the queue itself: no-op tasks, each durable in MongoDB before it is acknowledged.

`python -m tests.bench.queue [COUNT]` prints tasks enqueued and done per second, submitted by fifty users and by one,
and the latency from submission to done with an empty queue. Compare figures of other queues only when measured on the
same machine in the same minute.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from models.database import Database
from models.embedded_mongod import Mongod
from models.images.image import Owner
from models.queue.task import Task, TaskState
from models.store import Store
from processing.engine import Engine
from processing.event_loop import make_loop
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.queue.event_feed import EventFeed, TaskEvent, follow_events
from processing.queue.task_queue import QueueLimits, TaskQueue, TaskSource
from tests.processing.queue.queue_harness import ManualEngine

RECIPE = {"style": "mosaic", "seed": 0}
CONCURRENCY = 64
MEGAPIXELS = 1.92
"""Of 1600 x 1200 pixels."""
USERS = 50


class QueueBench:
    """One server's queue. done_count: tasks reported as done; user_count: how many users submit in turn."""

    def __init__(
        self, queue: TaskQueue, store: Store, feed: EventFeed, bucket: EmbeddedBucket, mongod_pid: int | None
    ) -> None:
        self.queue, self.bucket, self._store, self._mongod_pid = queue, bucket, store, mongod_pid
        self._task_done = asyncio.Event()
        self.done_count, self.user_count, self._numbers = 0, USERS, itertools.count(1)
        feed.subscribe(self._on_event)

    def _on_event(self, event: TaskEvent) -> None:
        if event.kind == "task" and event.task is not None and event.task.state is TaskState.DONE:
            self.done_count += 1
            self._task_done.set()

    def mongod_cpu_s(self) -> float:
        """Processor time that its mongod has taken until now."""
        user, system = Path(f"/proc/{self._mongod_pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    async def submit(self, number: int, key: str | None = None) -> Task:
        """key: the source of all tasks; None: a different source for each. Their size is known, as in the handler."""
        key = key or f"source/{number}"
        owner = Owner(number % self.user_count + 1, "user")
        await self._store.quotas.check_not_full(owner)  # as the handler does
        return await self.queue.add(
            owner,
            TaskSource(f"http://x/{key}", key, megapixels=MEGAPIXELS),
            style="mosaic",
            recipe=RECIPE | {"seed": abs(number)},
        )

    async def pause(self) -> None:
        await self.queue.pause(True)
        while not self.queue.paused:
            await asyncio.sleep(0.01)

    async def enqueue(self, count: int, key: str | None = None) -> float:
        """Seconds to submit `count` tasks, CONCURRENCY at a time."""
        started, semaphore = time.perf_counter(), asyncio.Semaphore(CONCURRENCY)

        async def one() -> None:
            async with semaphore:
                await self.submit(next(self._numbers), key)

        await asyncio.gather(*(one() for _ in range(count)))
        return time.perf_counter() - started

    async def wait_until_done(self, count: int) -> float:
        started = time.perf_counter()
        while self.done_count < count:
            self._task_done.clear()
            await self._task_done.wait()
        return time.perf_counter() - started

    async def round_trip_ms(self, number: int) -> float:
        """Milliseconds from submission to done, of one task in an empty queue."""
        self._task_done.clear()
        started = time.perf_counter()
        await self.submit(number)
        await self._task_done.wait()
        return 1000 * (time.perf_counter() - started)


async def measure_driver(database: Database) -> None:
    """Print what the driver alone achieves, for comparison."""
    collection = database.collection("things")
    await collection.insert_one({"_id": 1, "count": 0})

    async def update() -> float:
        started = time.perf_counter()
        await collection.find_one_and_update({"_id": 1}, {"$inc": {"count": 1}})
        return 1000 * (time.perf_counter() - started)

    latencies_ms = [await update() for _ in range(200)]
    started = time.perf_counter()
    for _ in range(10):
        await asyncio.gather(*(collection.find_one({"_id": 1}) for _ in range(CONCURRENCY)))
    reads = 10 * CONCURRENCY / (time.perf_counter() - started)
    print(f"control: one journaled change p50 {statistics.median(latencies_ms):.1f} ms, reads {reads:.0f}/s", end="; ")


@asynccontextmanager
async def queue_bench(
    make_engine: Callable[[EmbeddedBucket], Engine], bucket_limit: int = 10_000_000
) -> AsyncIterator[QueueBench]:
    """A server's queue with a mongod of its own."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tessera-bench-")))
        mongod = await stack.enter_async_context(Mongod(folder / "db"))
        database = Database(mongod.uri, "bench")
        stack.callback(database.close)
        store = Store.of(database, "bench")
        await store.create_indexes()
        feed = await stack.enter_async_context(follow_events(store.events))
        executors = Executors(1)
        stack.push_async_callback(executors.close)
        keys = Keys("access", "secret")
        bucket = EmbeddedBucket(
            folder / "b", keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=bucket_limit
        )
        engine = make_engine(bucket)
        stack.push_async_callback(engine.close)
        queue = TaskQueue(
            "bench",
            store=store,
            feed=feed,
            engine=engine,
            executors=executors,
            bucket=bucket,
            policy=FetchPolicy(),
            max_megapixels=50,
            max_result_megapixels=150,
            limits=QueueLimits(1_000_000, 1_000_000, 1_000_000),
        )
        queue_under_test = QueueBench(queue, store, feed, bucket, mongod.pid)
        await queue.__aenter__()
        yield queue_under_test
        await queue.stop(0)


async def main(count: int) -> None:
    async with queue_bench(lambda bucket: ManualEngine(2, bucket, instantly=True)) as running:
        await running.round_trip_ms(-1)
        latencies_ms = [await running.round_trip_ms(-number) for number in range(2, 202)]
        for running.user_count in (USERS, 1):
            await running.pause()
            enqueue_s, running.done_count = await running.enqueue(count), 0
            await running.queue.pause(False)
            done_s = await running.wait_until_done(count)
            rates = f"enqueued {count / enqueue_s:.0f}/s, done {count / done_s:.0f}/s"
            print(f"users {running.user_count}: {rates}", end=", ")
        print(f"submitted to done p50 {statistics.median(latencies_ms):.1f} ms, p99 {sorted(latencies_ms)[-2]:.1f} ms")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
