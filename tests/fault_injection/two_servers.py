"""Drill 15: two servers on one database and one bucket, and kill -9 of one of them in the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import settle
from tests.fault_injection.environment import ground
from tests.fault_injection.kill_server import close
from tests.fault_injection.load import Load, client_of
from tests.fault_injection.report import Figures

LEASE_S = 15
THREADS = 2


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("15 two servers, kill -9 of one")
    count = 60 if short else 1000
    async with ground(folder) as here:
        one = here.server("one", f"--workers={THREADS}")
        await one.begin()
        two = here.server("two", f"--workers={THREADS}", like=one)
        await two.begin()
        load = await Load.of(client_of(), one.base_url)
        asking = asyncio.create_task(load.ask_many(count))
        tasks = here.database.collection("tasks")
        async with asyncio.timeout(60):
            while not await tasks.find_one({"state": "running", "server": {"$regex": "^two"}}):
                await asyncio.sleep(0.005)
        two.kill()
        await asking
        settled_s = await settle(here.database, load.ids, timeout_s=LEASE_S + 120)
        twice = await tasks.count({"attempts": {"$gt": 1}})
        figures.expect(settled_s < LEASE_S + 120, "not every task came to an end")
        figures.expect(twice <= 64, f"{twice} tasks were begun twice")
        figures.expect(twice >= 1, "the kill hit nobody")
        figures.notes |= {"begun twice": twice, "all final after, s": round(settled_s, 1)}
        await close(figures, here, one, load)
        figures.expect(figures.done == count, f"{figures.done} of {count} are done")
    return figures
