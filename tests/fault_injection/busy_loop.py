"""Drill 19: the loop's lag, the list of tasks, and how soon a running task is cancelled, while all threads render large
pictures and 10,000 are done. What a list takes is measured with care by `tests/bench/listing.py`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from models.database import Database
from models.images import Owner
from models.queue.tasks import new_task, to_document
from processing import mosaic
from tests.fault_injection.checker import FINAL, settle
from tests.fault_injection.environment import ground
from tests.fault_injection.kill_server import close
from tests.fault_injection.load import Load, client_of, picture
from tests.fault_injection.report import Figures
from tests.handlers.sse_client import listening
from tests.support.waiting import until

P99_MS, MAX_MS = 50, 300
CANCEL_S = 0.5
MORE = {"redact": {"regions": [[0.1, 0.1, 0.3, 0.3]]}}


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
            await load.ask_many(4 if short else 150)
            await settle(here.database, load.ids, timeout_s=180)
            looks = sorted(load.looks)
            cancelled_s = [await cancel_running(load, style) for style in list(mosaic.STYLES)[: 2 if short else None]]
        figures.notes["cancelled in, s"] = round(max(cancelled_s), 2)
        figures.expect(max(cancelled_s) < CANCEL_S, f"cancelled only after {max(cancelled_s):.2f} s")
        p50_ms, p99_ms = 1000 * looks[len(looks) // 2], 1000 * looks[int(len(looks) * 0.99)]
        figures.notes["list p50 / p99, ms"] = f"{p50_ms:.0f} / {p99_ms:.0f}"
        await close(figures, here, server, load)
        figures.expect(figures.lag_p99_ms < P99_MS, f"lag p99 {figures.lag_p99_ms} ms")
        figures.expect(figures.lag_max_ms < MAX_MS, f"lag max {figures.lag_max_ms} ms")
    return figures


async def cancel_running(load: Load, style: str) -> float:
    """Seconds from asking to being told, for a task of this style that runs beside another one."""
    recipes = [{"style": style, "seed": seed, **MORE.get(style, {})} for seed in (1, 2)]
    async with listening(load.api) as ear:
        other, task = [int((await load.api.make(load.url, recipe))["id"]) for recipe in recipes]
        await running(load, task)
        begun = asyncio.get_running_loop().time()
        for number in (task, other):
            await load.api.post("/api/tasks/cancel/", id=number)
        told = await ear.until(lambda one: one.data.get("id") == task and one.data.get("state") in FINAL)
    return told.at - begun


async def running(load: Load, task: int) -> None:
    async def look() -> bool:
        answer = await load.api.get("/tasks/query/", id=task)
        return bool(answer["done"]) or any(found["percent"] > 0 for found in answer["tasks"])

    await until(look, timeout_s=60)
