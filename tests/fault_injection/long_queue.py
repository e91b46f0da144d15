"""Drill 14: a restart with 10,000 queued tasks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from models.database import Collection
from models.images.image import Owner
from models.queue.task import NewTask, to_document
from tests.fault_injection.environment import DrillServer, drill_environment
from tests.fault_injection.load import LoadGenerator, make_client
from tests.fault_injection.report import DrillReport

MAX_START_S = 3.0
"""Or 1.3 times the start with an empty queue, on a busy machine."""
MAX_MEMORY_MIB = 100


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("14 restart with 10,000 queued")
    count, seconds = (2000, 2.0) if short else (10_000, 10.0)
    async with drill_environment(folder) as env:
        server = env.server()
        empty_s = await server.launch()
        load = await LoadGenerator.create(make_client(), server.base_url)
        await asyncio.sleep(0.6)
        base_mb = server.metrics["rss_mb"]
        task = await load.submit()
        assert task is not None
        template = await env.database.collection("tasks").find_one({"_id": task})
        assert template is not None
        rate_short = await tasks_per_s(load, server, seconds)
        await server.shut_down()
        await insert_queued_tasks(env.database.collection("tasks"), template, count)
        ready_s = await server.launch()
        await load.wait_until_served()
        rate_long = await tasks_per_s(load, server, seconds, submit=False)
        metrics = server.metrics
        bulk = {"state": "done", "bulk": True}
        done = await env.database.collection("tasks").find(bulk, sort="round", limit=count, fields=["round"])
        turns = [row["round"] - 100_000 for row in done]
        report.submitted = report.acknowledged = count
        report.done = len(turns)
        report.expect(ready_s <= max(MAX_START_S, 1.3 * empty_s), f"ready after {ready_s:.1f} s")
        report.expect(metrics["rss_mb"] < base_mb + MAX_MEMORY_MIB, f"{metrics['rss_mb'] - base_mb:.0f} MiB more")
        report.expect(max(turns, default=0) <= len(turns) + 64, "the order was not kept")
        report.expect(
            rate_long > 0.8 * rate_short, f"{rate_long:.0f} tasks per second, with a short queue {rate_short:.0f}"
        )
        report.lag_p99_ms, report.lag_max_ms = metrics["lag_p99_ms"], metrics["lag_max_ms"]
        report.notes |= {"ready after, s": round(ready_s, 2), "empty, s": round(empty_s, 2)}
        report.notes["additional memory, MiB"] = round(metrics["rss_mb"] - base_mb)
        report.notes |= {"tasks/s with 100 queued": round(rate_short), f"with {count}": round(rate_long)}
    return report


async def insert_queued_tasks(tasks: Collection, template: dict[str, Any], count: int) -> None:
    """Insert `count` queued tasks, each with its own recipe."""
    blank = to_document(
        NewTask(Owner(None, None), url="", type="model", style="mosaic", recipe={}, dedup_key="").with_id(0)
    )
    copied = ("url", "source_key", "source_id", "owner_id", "owner", "recipe", "megapixels")
    for start in range(0, count, 1000):
        await tasks.insert_many(
            [
                {
                    **blank,
                    **{name: template[name] for name in copied},
                    "recipe": {**template["recipe"], "seed": 10_000 + number},
                    "dedup_key": f"bulk-{number}",
                    "_id": number + 1,
                    "round": 100_000 + number,
                    "bulk": True,
                }
                for number in range(start, min(count, start + 1000))
            ]
        )


async def tasks_per_s(load: LoadGenerator, server: DrillServer, seconds: float, *, submit: bool = True) -> float:
    """Tasks done per second. Polls rarely, so that polling is not measured."""
    if submit:
        await load.submit_many(100)
    before = (await load.api.get("/tasks/query/", limit=1))["totals"]["done"]
    started = asyncio.get_running_loop().time()
    while True:
        await asyncio.sleep(0.5)
        totals = (await load.api.get("/tasks/query/", limit=1))["totals"]
        elapsed_s = asyncio.get_running_loop().time() - started
        if elapsed_s > seconds or not totals["queued"]:
            return float(totals["done"] - before) / elapsed_s
