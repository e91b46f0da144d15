"""Drill 27: kill -9 of the Dask scheduler during jobs; supervisors start it and its workers again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from models.database import Collection
from tests.fault_injection.checker import wait_until_final
from tests.fault_injection.cluster_demo import DaskCluster, dask_cluster
from tests.fault_injection.environment import drill_environment
from tests.fault_injection.kill_server import complete_report
from tests.fault_injection.load import LoadGenerator, make_client, picture
from tests.fault_injection.report import DrillReport
from tests.support.waiting import until

TASKS_PER_KILL = 4
SETTLE_S = 120
READY_S = 60


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("27 kill -9 of the Dask scheduler")
    kills, workers, returns_s = 1 if short else 10, 1 if short else 2, []
    async with dask_cluster(workers) as dask, drill_environment(folder) as env:
        server = env.server("one", f"--dask={dask.address}")
        await server.launch()
        load = await LoadGenerator.create(
            make_client(), server.base_url, data=picture(*((900, 600) if short else (1500, 1000)))
        )
        load.recipe = {"style": "tesserae", "format": "png"}
        tasks = env.database.collection("tasks")
        async with load.polling():
            for _ in range(kills):
                await until(lambda: is_ready(load), timeout_s=READY_S)
                await load.submit_many(TASKS_PER_KILL)
                await until(lambda: jobs_run(tasks, workers))
                returns_s.append(await kill_and_return(dask, load))
        settled_s = await wait_until_final(env.database, load.ids, timeout_s=SETTLE_S)
        report.expect(settled_s < SETTLE_S, "not every task came to an end")
        await count_attempts(report, tasks, kills)
        report.notes["ready again after, s"] = f"{sorted(returns_s)[kills // 2]:.1f}"
        await complete_report(report, env, server, load)
        report.expect(report.done == kills * TASKS_PER_KILL, f"{report.done} tasks are done")
    return report


async def jobs_run(tasks: Collection, workers: int) -> bool:
    """Whether there is a job for every worker."""
    return await tasks.count_documents({"state": "running"}) >= workers


async def is_ready(load: LoadGenerator) -> bool:
    return bool((await load.api.get("/health"))["ready"])


async def kill_and_return(dask: DaskCluster, load: LoadGenerator) -> float:
    """Seconds from the death of the scheduler until health says ready again, having said that no worker answers."""
    assert dask.scheduler is not None
    started = asyncio.get_running_loop().time()
    await dask.scheduler.kill()

    async def is_named() -> bool:
        return "cluster: no worker answers" in (await load.api.get("/health"))["problems"]

    await until(is_named, timeout_s=READY_S)
    await dask.restart()
    await until(lambda: is_ready(load), timeout_s=READY_S)
    return asyncio.get_running_loop().time() - started


async def count_attempts(report: DrillReport, tasks: Collection, kills: int) -> None:
    """What ran when the scheduler died must have run again, and count neither as a crash nor as a retry."""
    attempts = [task async for task in tasks.iterate({})]
    repeated = sum(task["attempts"] - 1 for task in attempts)
    counted = sum(task["crashes"] + task["retries"] for task in attempts)
    report.expect(repeated >= kills, f"{kills} kills hit {repeated} running tasks")
    report.expect(counted == 0, f"{counted} attempts count as crashes or retries")
    report.notes |= {"kills": kills, "attempts repeated": repeated, "counted": counted}
