"""Drill 15: two servers on one database and one bucket; kill -9 of one of them under load."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import wait_until_final
from tests.fault_injection.environment import drill_environment
from tests.fault_injection.kill_server import complete_report
from tests.fault_injection.load import LoadGenerator, make_client
from tests.fault_injection.report import DrillReport

LEASE_S = 15
THREADS = 2


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("15 two servers, kill -9 of one")
    count = 60 if short else 1000
    async with drill_environment(folder) as env:
        one = env.server("one", f"--workers={THREADS}")
        await one.launch()
        two = env.server("two", f"--workers={THREADS}", like=one)
        await two.launch()
        load = await LoadGenerator.create(make_client(), one.base_url)
        submitting = asyncio.create_task(load.submit_many(count))
        tasks = env.database.collection("tasks")
        async with asyncio.timeout(60):
            while not await tasks.find_one({"state": "running", "server": {"$regex": "^two"}}):
                await asyncio.sleep(0.005)
        two.kill()
        await submitting
        settled_s = await wait_until_final(env.database, load.ids, timeout_s=LEASE_S + 120)
        repeated = await tasks.count_documents({"attempts": {"$gt": 1}})
        report.expect(settled_s < LEASE_S + 120, "not every task came to an end")
        report.expect(repeated <= 64, f"{repeated} tasks ran twice")
        report.expect(repeated >= 1, "no running task was hit by the kill")
        report.notes |= {"ran twice": repeated, "all final after, s": round(settled_s, 1)}
        await complete_report(report, env, one, load)
        report.expect(report.done == count, f"{report.done} of {count} are done")
    return report
