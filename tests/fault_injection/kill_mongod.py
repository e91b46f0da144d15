"""Drill 3: kill -9 of the database under a stream of new tasks; it is started again half a second later."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import settle
from tests.fault_injection.environment import ground
from tests.fault_injection.kill_server import close
from tests.fault_injection.load import Load, client_of
from tests.fault_injection.report import Figures

LONGEST_ANSWER_S = 5.0
EACH_SECOND = 20
SETTLE_S = 600


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("3 kill -9 of mongod")
    async with ground(folder) as here:
        server = here.server()
        await server.begin()
        load = await Load.of(client_of(), server.base_url)
        backs = []
        async with load.looking():
            for _ in range(1 if short else 20):
                asking = asyncio.create_task(load.ask_for(3, EACH_SECOND))
                await asyncio.sleep(1)
                here.kill_mongod()
                backs.append(await load.served_again())
                await asking
        settled_s = await settle(here.database, load.ids, timeout_s=SETTLE_S)
        figures.expect(settled_s < SETTLE_S, "not every task came to an end")
        figures.expect(load.slowest_s <= LONGEST_ANSWER_S + 1, f"an answer took {load.slowest_s:.1f} s")
        figures.expect(max(backs) < LONGEST_ANSWER_S, f"served again only after {max(backs):.1f} s")
        figures.notes |= {"kills": len(backs), "refused": load.refused.total()}
        figures.notes["slowest answer, s"] = round(load.slowest_s, 1)
        await close(figures, here, server, load)
    return figures
