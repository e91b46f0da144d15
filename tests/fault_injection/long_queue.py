"""Drill 14: a restart with 10,000 queued tasks."""

from __future__ import annotations

import asyncio
from pathlib import Path

from models.images import Owner
from models.queue.tasks import Tasks, new_task, to_document
from tests.fault_injection.environment import Server, ground
from tests.fault_injection.load import Load, client_of
from tests.fault_injection.report import Figures

READY_S = 3.0
"""Or a third more than the start with an empty queue, where the machine is busy with others."""
MORE_MB = 100


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("14 restart with 10,000 queued")
    count, seconds = (2000, 2.0) if short else (10_000, 10.0)
    async with ground(folder) as here:
        server = here.server()
        empty_s = await server.begin()
        load = await Load.of(client_of(), server.base_url)
        await asyncio.sleep(0.6)
        base_mb = server.figures["rss_mb"]
        task = await load.ask()
        assert task is not None
        like = await here.database.collection("tasks").find_one({"_id": task})
        assert like is not None
        few = await rate(load, server, seconds)
        await server.end()
        await fill(Tasks(here.database), like, count)
        ready_s = await server.begin()
        await load.served_again()
        many = await rate(load, server, seconds, ask=False)
        known = server.figures
        bulk = {"state": "done", "bulk": True}
        done = await here.database.collection("tasks").find(bulk, sort="turn", limit=count, fields=["turn"])
        taken = [line["turn"] - 100_000 for line in done]
        figures.submitted = figures.acknowledged = count
        figures.done = len(taken)
        figures.expect(ready_s <= max(READY_S, 1.3 * empty_s), f"ready only after {ready_s:.1f} s")
        figures.expect(known["rss_mb"] < base_mb + MORE_MB, f"{known['rss_mb'] - base_mb:.0f} MiB more")
        figures.expect(max(taken, default=0) <= len(taken) + 64, "the order was not kept")
        figures.expect(many > 0.8 * few, f"{many:.0f} tasks a second where {few:.0f} were done with few")
        figures.lag_p99_ms, figures.lag_max_ms = known["lag_p99_ms"], known["lag_max_ms"]
        figures.notes |= {"ready after, s": round(ready_s, 2), "empty, s": round(empty_s, 2)}
        figures.notes["memory more, MiB"] = round(known["rss_mb"] - base_mb)
        figures.notes |= {"tasks/s with 100 queued": round(few), f"with {count}": round(many)}
    return figures


async def fill(tasks: Tasks, like: dict[str, object], count: int) -> None:
    """So many waiting tasks, each with a recipe of its own."""
    plain = to_document(new_task(Owner(None, None), url="", type="model", style="mosaic", recipe={}, identity=""))
    keep = ("url", "source_key", "source_id", "owner_id", "owner", "recipe")
    for start in range(0, count, 1000):
        await tasks._tasks.insert_all(
            [
                {
                    **plain,
                    **{name: like[name] for name in keep},
                    "recipe": {**like["recipe"], "seed": 10_000 + number},
                    "identity": f"bulk-{number}",
                    "_id": number + 1,
                    "turn": 100_000 + number,
                    "bulk": True,
                }
                for number in range(start, min(count, start + 1000))
            ]
        )


async def rate(load: Load, server: Server, seconds: float, *, ask: bool = True) -> float:
    """Tasks done in a second. Asked for as little as can be: looking is not what is measured."""
    if ask:
        await load.ask_many(100)
    before = (await load.api.get("/tasks/query/", limit=1))["totals"]["done"]
    begun = asyncio.get_running_loop().time()
    while True:
        await asyncio.sleep(0.5)
        totals = (await load.api.get("/tasks/query/", limit=1))["totals"]
        gone_s = asyncio.get_running_loop().time() - begun
        if gone_s > seconds or not totals["queued"]:
            return float(totals["done"] - before) / gone_s
