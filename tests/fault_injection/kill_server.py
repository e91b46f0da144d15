"""Drill 1: kill -9 of the server, at each step of a task and at random moments under load."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from models.database import Database
from tests.fault_injection.bucket_reader import bucket_reader
from tests.fault_injection.checker import check_tasks, wait_until_final
from tests.fault_injection.environment import DrillEnvironment, DrillServer, drill_environment
from tests.fault_injection.instrumented_server import KILL_POINTS
from tests.fault_injection.load import LoadGenerator, make_client
from tests.fault_injection.report import DrillReport

LEASE_S = 15
TASKS_PER_S = 20


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("1 kill -9 of the server")
    async with drill_environment(folder) as env:
        server = env.server()
        await server.launch()
        load = await LoadGenerator.create(make_client(), server.base_url)
        points = ["after-store"] if short else list(KILL_POINTS)
        starts = await kill_at_each_point(env.database, load, server, rounds=1 if short else 5, points=points)
        starts += await kill_at_random(load, server, kills=1 if short else 100)
        settled_s = await wait_until_final(env.database, load.ids, timeout_s=2 * LEASE_S)
        report.expect(settled_s <= 2 * LEASE_S, "not every task came to an end within two leases")
        await complete_report(report, env, server, load)
        report.notes |= {"kills": len(starts), "restart to ready, s": f"{sorted(starts)[len(starts) // 2]:.1f}"}
        report.notes["all final after, s"] = round(settled_s, 1)
    return report


async def kill_at_each_point(
    database: Database, load: LoadGenerator, server: DrillServer, *, rounds: int, points: list[str]
) -> list[float]:
    """Kill the server at the first, second, ... passage of each kill point."""
    starts = []
    for point in points:
        for count in range(1, rounds + 1):
            await wait_until_final(database, load.ids, timeout_s=2 * LEASE_S)
            server.kill()
            server.set_kill_point(f"{point}:{count}")
            await server.launch()
            for _ in range(count + 2):
                await load.submit()
            assert await server.wait_for_exit(20), f"the server did not reach {point}"
            server.set_kill_point(None)
            starts.append(await server.launch())
    return starts


async def kill_at_random(load: LoadGenerator, server: DrillServer, *, kills: int) -> list[float]:
    """Kill the server up to 1.4 seconds after its start under a steady load."""
    starts, moments = [], random.Random(5)
    async with load.polling():
        for _ in range(kills):
            submitting = asyncio.create_task(load.submit_for(1.5, TASKS_PER_S))
            await asyncio.sleep(moments.uniform(0, 1.4))
            server.kill()
            starts.append(await server.launch())
            await submitting
            await load.wait_until_served()
    return starts


async def complete_report(report: DrillReport, env: DrillEnvironment, server: DrillServer, load: LoadGenerator) -> None:
    """Fill in metrics and task outcomes, and check the log."""
    await asyncio.sleep(0.6)
    metrics = server.metrics
    report.submitted, report.outage_s = load.submitted, load.outage_s
    report.lag_p99_ms, report.lag_max_ms = metrics["lag_p99_ms"], metrics["lag_max_ms"]
    await check_tasks(report, env.database, load.ids, bucket_reader(server))
    before, trace, _ = server.log.partition("Traceback")
    report.expect(not trace, f"traceback in the log: {before.splitlines()[-1] if before else ''}")
