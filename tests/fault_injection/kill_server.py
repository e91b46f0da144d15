"""Drill 1: kill -9 of the server, at each step of a task and at random moments under load."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from models.database import Database
from tests.fault_injection.bucket_reader import reader
from tests.fault_injection.checker import check, settle
from tests.fault_injection.environment import Ground, Server, ground
from tests.fault_injection.instrumented_server import POINTS
from tests.fault_injection.load import Load, client_of
from tests.fault_injection.report import Figures

LEASE_S = 15
EACH_SECOND = 20


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("1 kill -9 of the server")
    async with ground(folder) as here:
        server = here.server()
        await server.begin()
        load = await Load.of(client_of(), server.base_url)
        points = ["after-store"] if short else list(POINTS)
        starts = await at_each_step(here.database, load, server, rounds=1 if short else 5, points=points)
        starts += await at_random(load, server, kills=1 if short else 100)
        settled_s = await settle(here.database, load.ids, timeout_s=2 * LEASE_S)
        figures.expect(settled_s <= 2 * LEASE_S, "not every task came to an end within two leases")
        await close(figures, here, server, load)
        figures.notes |= {"kills": len(starts), "restart to ready, s": f"{sorted(starts)[len(starts) // 2]:.1f}"}
        figures.notes["all final after, s"] = round(settled_s, 1)
    return figures


async def at_each_step(
    database: Database, load: Load, server: Server, *, rounds: int, points: list[str]
) -> list[float]:
    """Die at the first, second, ... passage of each point."""
    starts = []
    for point in points:
        for count in range(1, rounds + 1):
            await settle(database, load.ids, timeout_s=2 * LEASE_S)
            server.kill()
            server.trap(f"{point}:{count}")
            await server.begin()
            for _ in range(count + 2):
                await load.ask()
            assert await server.wait_dead(20), f"nobody came to {point}"
            server.trap(None)
            starts.append(await server.begin())
    return starts


async def at_random(load: Load, server: Server, *, kills: int) -> list[float]:
    """Die at any moment, 0 to 3 seconds after it was up, under a steady load."""
    starts = []
    async with load.looking():
        for _ in range(kills):
            asking = asyncio.create_task(load.ask_for(1.5, EACH_SECOND))
            await asyncio.sleep(random.uniform(0, 1.4))
            server.kill()
            starts.append(await server.begin())
            await asking
            await load.served_again()
    return starts


async def close(figures: Figures, here: Ground, server: Server, load: Load) -> None:
    """What every drill with one server ends with."""
    await asyncio.sleep(0.6)
    known = server.figures
    figures.submitted, figures.outage_s = load.submitted, load.outage_s
    figures.lag_p99_ms, figures.lag_max_ms = known["lag_p99_ms"], known["lag_max_ms"]
    await check(figures, here.database, load.ids, reader(server))
    before, trace, _ = server.log.partition("Traceback")
    figures.expect(not trace, f"there is a trace in the log: {before.splitlines()[-1] if before else ''}")
