"""Drill 19: the loop's lag and the list of tasks while all threads render large pictures and 10,000 are done."""

from __future__ import annotations

from pathlib import Path

from models.database import Database
from models.images import Owner
from models.tasks import new_task, to_document
from tests.drills.check import settle
from tests.drills.figures import Figures
from tests.drills.ground import ground
from tests.drills.kill_server import close
from tests.drills.load import Load, client_of, picture

P99_MS, MAX_MS = 50, 300


async def remember(database: Database, count: int) -> None:
    """So many finished tasks, for the list to choose from."""
    one = new_task(Owner(7, "eve"), url="http://x", type="model", style="mosaic", recipe={}, identity="")
    done = {**to_document(one), "state": "done", "finished": one.created}
    tasks = database.collection("tasks", journaled=False)
    for start in range(0, count, 1000):
        await tasks.insert_all([{**done, "_id": number + 1} for number in range(start, start + 1000)])


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("19 loop lag while rendering 12 Mpx")
    async with ground(folder) as here:
        server = here.server()
        await server.begin()
        load = await Load.of(client_of(), server.base_url, data=picture(4000, 3000))
        await remember(here.database, 1000 if short else 10_000)
        async with load.looking():
            await load.ask_many(4 if short else 60)
            await settle(here.database, load.ids, timeout_s=180)
        looks = sorted(load.looks)
        p50_ms, p99_ms = 1000 * looks[len(looks) // 2], 1000 * looks[int(len(looks) * 0.99)]
        figures.notes["list p50 / p99, ms"] = f"{p50_ms:.0f} / {p99_ms:.0f}"
        await close(figures, here, server, load)
        figures.expect(figures.lag_p99_ms < P99_MS, f"lag p99 {figures.lag_p99_ms} ms")
        figures.expect(figures.lag_max_ms < MAX_MS, f"lag max {figures.lag_max_ms} ms")
    return figures
