"""What the overview says of the queue, and as of when."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from models.database import Database
from models.queue.order import OrderReader, QueueOrder
from processing.queue.estimator import TimeEstimator
from processing.queue.event_feed import EventFeed
from processing.queue.snapshot import Position
from processing.queue.status import QueueStatus
from tests.processing.queue.queue_harness import QueueHarness, queue_harness


class PausedOrder(OrderReader):
    """What the first look has read is given away when the test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.has_read, self.go_on = asyncio.Event(), asyncio.Event()

    async def read(self, *, head: int) -> QueueOrder:
        order = await super().read(head=head)
        if not self.has_read.is_set():
            self.has_read.set()
            await self.go_on.wait()
        return order


def overview_of(here: QueueHarness, standings: OrderReader, live: EventFeed) -> QueueStatus:
    return QueueStatus(standings, here.tasks, live, TimeEstimator(), lambda: 1)


@pytest.mark.gen_test
async def test_looking_again_sees_what_a_look_under_way_did_not(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as here:
        standings = PausedOrder(database)
        overview = overview_of(here, standings, here.feed)
        early = asyncio.create_task(overview.snapshot())
        await standings.has_read.wait()
        task = await here.add()

        late = asyncio.create_task(overview.fresh_snapshot())
        standings.go_on.set()

        assert (await early).position_of(task.id) is None
        assert (await late).position_of(task.id) == Position(1, None)
        await overview.close()
