"""The status of the queue, and how current it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from models.database import Database
from models.queue.order import OrderReader, QueueOrder
from processing.queue.estimator import TimeEstimator
from processing.queue.event_feed import follow_events
from processing.queue.snapshot import Position
from processing.queue.status import QueueStatus
from tests.processing.queue.queue_harness import queue_harness


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
