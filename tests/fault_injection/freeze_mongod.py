"""Drill 4: the database hangs for 20 seconds, longer than a lease, then continues."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import wait_until_final
from tests.fault_injection.environment import drill_environment
from tests.fault_injection.kill_server import complete_report
from tests.fault_injection.load import LoadGenerator, make_client, picture
from tests.fault_injection.report import DrillReport

FROZEN_S = 20
MAX_RESPONSE_S = 5.0


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("4 SIGSTOP of mongod for 20 s")
    async with drill_environment(folder) as env:
        one = env.server("one")
        await one.launch()
        two = env.server("two", like=one)
        await two.launch()
        load = await LoadGenerator.create(make_client(), one.base_url, data=picture(3000, 2000))
        async with load.polling():
            submitting = asyncio.create_task(load.submit_for(8, 5))
            await asyncio.sleep(2)
            await env.freeze_mongod(4 if short else FROZEN_S)
            back_s = await load.wait_until_served()
            await submitting
        settled_s = await wait_until_final(env.database, load.ids, timeout_s=120)
        repeated = await env.database.collection("tasks").find({"attempts": {"$gt": 1}}, sort="_id", limit=100)
        report.expect(settled_s < 120, "not every task came to an end")
        report.expect(load.slowest_s <= MAX_RESPONSE_S + 1, f"a response took {load.slowest_s:.1f} s")
        report.expect(not repeated, f"{len(repeated)} tasks ran twice")
        report.notes |= {"back after, s": round(back_s, 1), "slowest response, s": round(load.slowest_s, 1)}
        report.notes["ran twice"] = len(repeated)
        await complete_report(report, env, one, load)
    return report
