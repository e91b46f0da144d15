"""Drill 6: the bucket answers 503, then drops connections, then hangs, then recovers."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import check_tasks, wait_until_final
from tests.fault_injection.kodo_environment import kodo_environment
from tests.fault_injection.load import LoadGenerator, make_client
from tests.fault_injection.report import DrillReport
from tests.support.kodo_state import Faults

SECONDS = 60
MAX_RETRIES = 14


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("6 bucket: 503, dropped, hanging")
    seconds = 1.5 if short else SECONDS
    async with kodo_environment(folder) as (env, server, kodo):
        load = await LoadGenerator.create(make_client(), server.base_url)
        await load.submit_many(10)
        await wait_until_final(env.database, load.ids, timeout_s=30)
        hanging = asyncio.Event()
        async with load.polling():
            for faults in (Faults(status=503), Faults(drop=True), Faults(slow=hanging)):
                kodo.faults = faults
                await load.submit_many(5)
                await asyncio.sleep(seconds)
            hanging.set()
            kodo.faults = Faults()
            settled_s = await wait_until_final(env.database, load.ids, timeout_s=90)
        polls_s = sorted(load.polls_s)
        (most,) = await env.database.collection("tasks").find({}, sort="-retries", limit=1, fields=["retries"])
        p99_ms = 1000 * polls_s[int(len(polls_s) * 0.99)]
        report.expect(settled_s <= 60, f"the last task was done {settled_s:.0f} s after the bucket recovered")
        report.expect(most["retries"] <= MAX_RETRIES, f"{most['retries']} retries")
        report.notes |= {"all done after recovery, s": round(settled_s, 1), "most retries": most["retries"]}
        report.notes["list p99, ms"] = round(p99_ms)
        await asyncio.sleep(0.6)
        metrics = server.metrics
        report.submitted, report.outage_s = load.submitted, load.outage_s
        report.lag_p99_ms, report.lag_max_ms = metrics["lag_p99_ms"], metrics["lag_max_ms"]
        await check_tasks(report, env.database, load.ids, lambda key: kodo.objects[key].data)
        report.expect(report.failed == 0, f"{report.failed} tasks failed")
    return report
