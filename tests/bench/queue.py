"""What the queue itself costs: tasks whose work is nothing, each durable in MongoDB before it is answered.

`python -m tests.bench.queue [COUNT]`: enqueued a second, done a second, of fifty people and of one, and the median from
asking to done when the queue is empty. Compare with the figures of other queues only on the same machine in the same
minute.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from models.bucket.embedded.bucket import LocalBucket
from models.bucket.keys import Keys
from models.database import Database
from models.embedded_mongod import Mongod
from models.images import Images, Owner
from models.queue.events import Events
from models.queue.tasks import Task, Tasks, TaskState
from processing.engine.threads import Engine, Threads
from processing.fetch.allowlist import FetchRules
from processing.queue.event_feed import LiveView, News
from processing.queue.task_queue import QueueLimits, Shop, Source, TaskQueue
from tests.processing.queue.queue_harness import HandEngine

RECIPE = {"style": "mosaic", "seed": 0}
AT_ONCE = 64
PEOPLE = 50


class Bench:
    """One server's queue; `ended` counts what was told to be done. people: how many take turns in asking."""

    def __init__(self, queue: TaskQueue, live: LiveView, bucket: LocalBucket) -> None:
        self.queue, self.bucket = queue, bucket
        self._one_ended = asyncio.Event()
        self.ended, self.people, self._numbers = 0, PEOPLE, itertools.count(1)
        live.listen(self._hear)

    def _hear(self, news: News) -> None:
        if news.kind == "task" and news.task is not None and news.task.state is TaskState.DONE:
            self.ended += 1
            self._one_ended.set()

    async def ask(self, number: int, key: str | None = None) -> Task:
        """key: the one source of all; None: another one for each."""
        key = key or f"source/{number}"
        return await self.queue.add(
            Owner(number % self.people + 1, "somebody"),
            Source(f"http://x/{key}", key),
            style="mosaic",
            recipe=RECIPE | {"seed": number},
        )

    async def hold(self) -> None:
        await self.queue.pause(True)
        while not self.queue.paused:
            await asyncio.sleep(0.01)

    async def enqueue(self, count: int, key: str | None = None) -> float:
        """Seconds for so many, AT_ONCE under way."""
        begun, gate = time.perf_counter(), asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with gate:
                await self.ask(next(self._numbers), key)

        await asyncio.gather(*(one() for _ in range(count)))
        return time.perf_counter() - begun

    async def done(self, count: int) -> float:
        begun = time.perf_counter()
        while self.ended < count:
            await asyncio.sleep(0.005)
        return time.perf_counter() - begun

    async def round_trip_ms(self, number: int) -> float:
        """From asking to done, of one task alone."""
        self._one_ended.clear()
        begun = time.perf_counter()
        await self.ask(number)
        await self._one_ended.wait()
        return 1000 * (time.perf_counter() - begun)


async def control(database: Database) -> None:
    """What the driver alone does here and now."""
    things = database.collection("things")
    await things.insert({"_id": 1, "count": 0})

    async def change() -> float:
        begun = time.perf_counter()
        await things.change_one({"_id": 1}, {"$inc": {"count": 1}})
        return 1000 * (time.perf_counter() - begun)

    alone = [await change() for _ in range(200)]
    begun = time.perf_counter()
    for _ in range(10):
        await asyncio.gather(*(things.find_one({"_id": 1}) for _ in range(AT_ONCE)))
    reads = 10 * AT_ONCE / (time.perf_counter() - begun)
    print(f"control: one journaled change p50 {statistics.median(alone):.1f} ms, reads {reads:.0f}/s", end="; ")


@asynccontextmanager
async def bench(engine_of: Callable[[LocalBucket], Engine], bucket_limit: int = 10_000_000) -> AsyncIterator[Bench]:
    """A server's queue on a mongod of its own."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tessera-bench-")))
        mongod = await stack.enter_async_context(Mongod(folder / "db"))
        database = Database(mongod.uri, "bench")
        stack.callback(database.close)
        tasks, images, events = Tasks(database), Images(database), Events(database, "bench")
        await database.make_indexes({"tasks": tasks.indexes, "images": images.indexes})
        live = await stack.enter_async_context(LiveView(events))
        threads = Threads(1)
        stack.push_async_callback(threads.close)
        keys = Keys("access", "secret")
        bucket = LocalBucket(
            folder / "b", keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=bucket_limit
        )
        engine = engine_of(bucket)
        stack.push_async_callback(engine.close)
        shop = Shop(database, tasks, images, events, live, engine, threads, bucket, FetchRules(), 50)
        queue = TaskQueue("bench", shop, QueueLimits(1_000_000, 1_000_000))
        made = Bench(queue, live, bucket)
        await queue.__aenter__()
        yield made
        await queue.stop(0)


async def main(count: int) -> None:
    async with bench(lambda bucket: HandEngine(2, bucket, instantly=True)) as made:
        await made.round_trip_ms(-1)
        alone = [await made.round_trip_ms(-number) for number in range(2, 202)]
        for made.people in (PEOPLE, 1):
            await made.hold()
            enqueue_s, made.ended = await made.enqueue(count), 0
            await made.queue.pause(False)
            done_s = await made.done(count)
            print(f"people {made.people}: enqueued {count / enqueue_s:.0f}/s, done {count / done_s:.0f}/s", end=", ")
        print(f"asked to done p50 {statistics.median(alone):.1f} ms, p99 {sorted(alone)[-2]:.1f} ms")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
