"""Drill 13: SIGTERM under work: what runs is finished or given back, listeners are sent away, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from tests.fault_injection.checker import settle
from tests.fault_injection.environment import ground
from tests.fault_injection.kill_server import close
from tests.fault_injection.load import Load, client_of, picture
from tests.fault_injection.report import Figures
from tests.handlers.sse_client import listening

LONGEST_S = 25.0
SECOND_SIGNAL_S = 2.0


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("13 SIGTERM, then a second one")
    async with ground(folder) as here:
        server = here.server("one", "--workers=4")
        await server.begin()
        load = await Load.of(client_of(), server.base_url, data=picture(1500, 1000))
        await load.ask_many(14 if short else 104)
        async with AsyncExitStack() as stack:
            ears = [await stack.enter_async_context(listening(load.api)) for _ in range(5 if short else 50)]
            code, took_s = await server.end()
            async with asyncio.timeout(5):
                while not all(ear.over for ear in ears):
                    await asyncio.sleep(0.01)
        first = server.log
        tasks = here.database.collection("tasks")
        left, held = await tasks.count({"state": "queued"}), await tasks.count({"state": "running"})
        counted = await tasks.count({"state": "queued", "attempts": {"$gt": 0}})
        await server.begin()
        impatient = asyncio.create_task(server.end())
        await asyncio.sleep(0.2)
        server.signal(signal.SIGTERM)
        _, impatient_s = await impatient
        await server.begin()
        settled_s = await settle(here.database, load.ids, timeout_s=120)
        figures.expect((code, held, counted) == (0, 0, 0), f"exit code {code}, {held} held, {counted} counted")
        figures.expect(took_s <= LONGEST_S, f"the drain took {took_s:.1f} s")
        figures.expect(impatient_s <= SECOND_SIGNAL_S, f"the second signal took {impatient_s:.1f} s")
        figures.expect("was destroyed" not in first, "a coroutine was destroyed while it was pending")
        figures.expect(settled_s < 120, "not every task came to an end")
        figures.notes |= {"drained in, s": round(took_s, 1), "left in the queue": left}
        figures.notes["second signal, s"] = round(impatient_s, 1)
        await close(figures, here, server, load)
    return figures
