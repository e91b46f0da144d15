"""The status of the queue, and how current it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from models.database import Database
from models.queue.order import OrderReader, QueueOrder
from models.queue.task import NewTask, TaskState, to_document
from processing.queue.estimator import TimeEstimator
from processing.queue.event_feed import follow_events
from processing.queue.snapshot import Position
from processing.queue.status import QueueStatus
from tests.processing.queue.queue_harness import ADA, RECIPE, lose_events, queue_harness
from tests.support.waiting import until


class OneThread:
    threads = 1
    paused = False


class PausedOrderReader(OrderReader):
    """Returns its first order only after the test has set `go_on`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.has_read, self.go_on = asyncio.Event(), asyncio.Event()

    async def read(self, *, head: int) -> QueueOrder:
        order = await super().read(head=head)
        if not self.has_read.is_set():
            self.has_read.set()
            await self.go_on.wait()
        return order


@pytest.mark.gen_test
async def test_a_fresh_snapshot_has_what_a_read_in_progress_has_missed(database: Database, tmp_path: Path) -> None:
    async with (
        queue_harness(database, tmp_path, size=0) as server,
        follow_events(server.store.events) as feed,
    ):
        order = PausedOrderReader(database)
        status = QueueStatus(order, server.store.tasks, feed, estimator=TimeEstimator(), workers=OneThread())
        early = asyncio.create_task(status.snapshot())
        await order.has_read.wait()
        task = await server.add()

        late = asyncio.create_task(status.fresh_snapshot())
        order.go_on.set()

        assert (await early).position_of(task.id) is None
        assert (await late).position_of(task.id) == Position(1, None)
        await status.close()


@pytest.mark.gen_test
async def test_after_missed_events_finished_tasks_are_counted_again(
    database: Database,
    mongodb_uri: str,
    database_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expect_log: Callable[[str], None],
) -> None:
    expect_log("events: the database does not answer; following again")
    monkeypatch.setattr("processing.queue.status.COUNT_INTERVAL_S", 3600.0)
    async with queue_harness(database, tmp_path) as server:

        async def done_count() -> int:
            return (await server.queue.status.fresh_snapshot()).totals["done"]

        await server.finish(await server.add())
        await server.received(lambda event: event.task is not None and event.task.state is TaskState.DONE)
        first = await done_count()
        document = to_document(new_task().with_id(77)) | {"state": "done"}
        await database.collection("tasks").insert_one({"_id": 77, **document})
        without_an_event = await done_count()

        lose_events(mongodb_uri, database_name)
        await server.store.events.ensure_collection()

        async def counted_again() -> bool:
            return await done_count() == 2

        assert (first, without_an_event) == (1, 1)
        await until(counted_again)


def new_task() -> NewTask:
    return NewTask(ADA, url="u", type="model", style="mosaic", recipe=RECIPE, dedup_key="another")
