"""Drill 4: the database hangs for 20 seconds, longer than a lease, then continues."""

from __future__ import annotations

import asyncio
from pathlib import Path

from handlers import API
from tests.fault_injection.checker import wait_until_final
from tests.fault_injection.environment import drill_environment
from tests.fault_injection.kill_server import complete_report
from tests.fault_injection.load import LoadGenerator, make_client, picture
from tests.fault_injection.report import DrillReport
from tests.support.client import ApiClient

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
            freezing = asyncio.create_task(env.freeze_mongod(4 if short else FROZEN_S))
            await asyncio.sleep(0.1)
            endpoint_s = await slowest_response_s(load.api)
            await freezing
            back_s = await load.wait_until_served()
            await submitting
        settled_s = await wait_until_final(env.database, load.ids, timeout_s=120)
        repeated = await env.database.collection("tasks").find({"attempts": {"$gt": 1}}, sort="_id", limit=100)
        report.expect(settled_s < 120, "not every task came to an end")
        report.expect(load.slowest_s <= MAX_RESPONSE_S + 1, f"a response took {load.slowest_s:.1f} s")
        report.expect(not repeated, f"{len(repeated)} tasks ran twice")
        report.notes |= {"back after, s": round(back_s, 1), "slowest response, s": round(load.slowest_s, 1)}
        report.expect(endpoint_s <= MAX_RESPONSE_S + 1, f"an endpoint took {endpoint_s:.1f} s while the database hung")
        report.notes["slowest endpoint, s"] = round(endpoint_s, 1)
        report.notes["ran twice"] = len(repeated)
        await complete_report(report, env, one, load)
    return report


async def slowest_response_s(api: ApiClient) -> float:
    """Seconds of the slowest response of all endpoints, requested concurrently."""

    async def seconds(path: str) -> float:
        started = asyncio.get_running_loop().time()
        await api.get(path)
        return asyncio.get_running_loop().time() - started

    paths = [path for path, _ in API if "(?P<" not in path and not path.endswith("events")]
    return max(await asyncio.gather(*(seconds(path) for path in paths)))
