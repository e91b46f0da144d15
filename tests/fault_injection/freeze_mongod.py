"""Drill 4: the database hangs for 20 seconds, longer than a lease, and goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import settle
from tests.fault_injection.environment import ground
from tests.fault_injection.kill_server import close
from tests.fault_injection.load import Load, client_of, picture
from tests.fault_injection.report import Figures

FROZEN_S = 20
LONGEST_ANSWER_S = 5.0


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("4 SIGSTOP of mongod for 20 s")
    async with ground(folder) as here:
        one = here.server("one")
        await one.begin()
        two = here.server("two", like=one)
        await two.begin()
        load = await Load.of(client_of(), one.base_url, data=picture(3000, 2000))
        async with load.looking():
            asking = asyncio.create_task(load.ask_for(8, 5))
            await asyncio.sleep(2)
            await here.freeze_mongod(4 if short else FROZEN_S)
            back_s = await load.served_again()
            await asking
        settled_s = await settle(here.database, load.ids, timeout_s=120)
        tasks = await here.database.collection("tasks").find({"attempts": {"$gt": 1}}, sort="_id", limit=100)
        figures.expect(settled_s < 120, "not every task came to an end")
        figures.expect(load.slowest_s <= LONGEST_ANSWER_S + 1, f"an answer took {load.slowest_s:.1f} s")
        figures.expect(not tasks, f"{len(tasks)} tasks were done twice")
        figures.notes |= {"back after, s": round(back_s, 1), "slowest answer, s": round(load.slowest_s, 1)}
        figures.notes["done twice"] = len(tasks)
        await close(figures, here, one, load)
    return figures
