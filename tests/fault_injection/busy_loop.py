"""Drill 19: loop lag, response time of the task list, and cancellation time while all threads render large images.

10,000 finished tasks are in the database. `tests/bench/listing.py` measures the task list more precisely.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from models.database import Database
from models.images.image import Owner
from models.queue.task import NewTask, to_document
from processing import mosaic
from tests.fault_injection.checker import FINAL, wait_until_final
from tests.fault_injection.environment import drill_environment
from tests.fault_injection.kill_server import complete_report
from tests.fault_injection.load import LoadGenerator, make_client, picture
from tests.fault_injection.report import DrillReport
from tests.handlers.sse_client import open_event_stream
from tests.support.waiting import until

MAX_LAG_P99_MS, MAX_LAG_MS = 50, 300
MAX_CANCEL_S = 0.5
EXTRA_PARAMS = {"redact": {"regions": [[0.1, 0.1, 0.3, 0.3]]}}


async def insert_finished_tasks(database: Database, count: int) -> None:
    """Insert `count` finished tasks."""
    one = NewTask(Owner(7, "eve"), url="http://x", type="model", style="mosaic", recipe={}, dedup_key="").with_id(0)
    done = {**to_document(one), "state": "done", "finished": one.created}
    tasks = database.collection("tasks", journaled=False)
    for start in range(0, count, 1000):
        await tasks.insert_many([{**done, "_id": number + 1} for number in range(start, start + 1000)])


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("19 loop lag while rendering 12 Mpx")
    async with drill_environment(folder) as env:
        server = env.server()
        await server.launch()
        load = await LoadGenerator.create(make_client(), server.base_url, data=picture(4000, 3000))
        await insert_finished_tasks(env.database, 1000 if short else 10_000)
        async with load.polling():
            await load.submit_many(4 if short else 150)
            await wait_until_final(env.database, load.ids, timeout_s=180)
            polls_s = sorted(load.polls_s)
            cancelled_s = [await cancel_running(load, style) for style in list(mosaic.STYLES)[: 2 if short else None]]
        report.notes["cancelled in, s"] = round(max(cancelled_s), 2)
        report.expect(max(cancelled_s) < MAX_CANCEL_S, f"cancelled after {max(cancelled_s):.2f} s")
        p50_ms, p99_ms = 1000 * polls_s[len(polls_s) // 2], 1000 * polls_s[int(len(polls_s) * 0.99)]
        report.notes["list p50 / p99, ms"] = f"{p50_ms:.0f} / {p99_ms:.0f}"
        await complete_report(report, env, server, load)
        report.expect(report.lag_p99_ms < MAX_LAG_P99_MS, f"lag p99 {report.lag_p99_ms} ms")
        report.expect(report.lag_max_ms < MAX_LAG_MS, f"lag max {report.lag_max_ms} ms")
    return report


async def cancel_running(load: LoadGenerator, style: str) -> float:
    """Seconds from the request to the event, for a task of this style that runs beside another one."""
    recipes = [{"style": style, "seed": seed, **EXTRA_PARAMS.get(style, {})} for seed in (1, 2)]
    async with open_event_stream(load.api) as events:
        other, task = [int((await load.api.add_task(load.url, recipe))["id"]) for recipe in recipes]
        await wait_until_running(load, task)
        started = asyncio.get_running_loop().time()
        for number in (task, other):
            await load.api.post("/api/tasks/cancel/", id=number)
        event = await events.until(lambda one: one.data.get("id") == task and one.data.get("state") in FINAL)
    return event.at - started


async def wait_until_running(load: LoadGenerator, task: int) -> None:
    async def is_running() -> bool:
        response = await load.api.get("/tasks/query/", id=task)
        return bool(response["done"]) or any(row["percent"] > 0 for row in response["tasks"])

    await until(is_running, timeout_s=60)
