"""Drill 3: kill -9 of the database under a stream of new tasks; it is restarted after half a second."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import wait_until_final
from tests.fault_injection.environment import drill_environment
from tests.fault_injection.kill_server import complete_report
from tests.fault_injection.load import LoadGenerator, make_client
from tests.fault_injection.report import DrillReport

MAX_RESPONSE_S = 5.0
TASKS_PER_S = 20
SETTLE_S = 600


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("3 kill -9 of mongod")
    async with drill_environment(folder) as env:
        server = env.server()
        await server.launch()
        load = await LoadGenerator.create(make_client(), server.base_url)
        recoveries_s = []
        async with load.polling():
            for _ in range(1 if short else 20):
                submitting = asyncio.create_task(load.submit_for(3, TASKS_PER_S))
                await asyncio.sleep(1)
                env.kill_mongod()
                recoveries_s.append(await load.wait_until_served())
                await submitting
        settled_s = await wait_until_final(env.database, load.ids, timeout_s=SETTLE_S)
        report.expect(settled_s < SETTLE_S, "not every task came to an end")
        report.expect(load.slowest_s <= MAX_RESPONSE_S + 1, f"a response took {load.slowest_s:.1f} s")
        report.expect(max(recoveries_s) < MAX_RESPONSE_S, f"available again after {max(recoveries_s):.1f} s")
        report.notes |= {"kills": len(recoveries_s), "refused": load.refused.total()}
        report.notes["slowest response, s"] = round(load.slowest_s, 1)
        await complete_report(report, env, server, load)
    return report
