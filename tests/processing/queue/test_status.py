"""What the overview says of the queue, and as of when."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from models.database import Database
from models.queue.order import Standing, Standings
from processing.queue.estimator import Pace
from processing.queue.event_feed import LiveView
from processing.queue.snapshot import Place
from processing.queue.status import Overview
from tests.processing.queue.queue_harness import Floor, floor


class HeldStandings(Standings):
    """What the first look has read is given away when the test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.has_read, self.go_on = asyncio.Event(), asyncio.Event()

    async def look(self, *, head: int) -> Standing:
        found = await super().look(head=head)
        if not self.has_read.is_set():
            self.has_read.set()
            await self.go_on.wait()
        return found


def overview_of(here: Floor, standings: Standings, live: LiveView) -> Overview:
    return Overview(standings, here.tasks, live, Pace(), lambda: 1)


@pytest.mark.gen_test
async def test_looking_again_sees_what_a_look_under_way_did_not(database: Database, tmp_path: Path) -> None:
    async with floor(database, tmp_path, size=0) as here:
        standings = HeldStandings(database)
        overview = overview_of(here, standings, here.live)
        early = asyncio.create_task(overview.look())
        await standings.has_read.wait()
        task = await here.add()

        late = asyncio.create_task(overview.look_again())
        standings.go_on.set()

        assert (await early).place(task.id) is None
        assert (await late).place(task.id) == Place(1, None)
        await overview.close()
