"""Drill 7: objects answer 404 for a while after they were stored; a task with a missing object fails in time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import check_tasks, wait_until_final
from tests.fault_injection.kodo_environment import kodo_environment
from tests.fault_injection.load import LoadGenerator, make_client
from tests.fault_injection.report import DrillReport
from tests.support.kodo_state import Faults

MAX_MISSING_S = 10


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("7 bucket: late and missing objects")
    async with kodo_environment(folder) as (env, server, kodo):
        load = await LoadGenerator.create(make_client(), server.base_url)
        kodo.faults = Faults(stale_reads=2)
        for _ in range(2 if short else 10):
            await load.submit()
        await wait_until_final(env.database, load.ids, timeout_s=60)
        late = list(load.ids)
        kodo.objects.pop(next(key for key in kodo.objects if key.startswith("source/")))
        started = asyncio.get_running_loop().time()
        missing = await load.submit()
        assert missing is not None
        await wait_until_final(env.database, [missing], timeout_s=60)
        missing_s = asyncio.get_running_loop().time() - started
        failed = await env.database.collection("tasks").find_one({"_id": missing})
        assert failed is not None
        report.expect(failed["error"] == "source_missing", f"the task without object ended as {failed['error']}")
        report.expect(missing_s <= MAX_MISSING_S, f"the task without object took {missing_s:.1f} s")
        report.submitted = load.submitted
        report.notes |= {"missing object failed after, s": round(missing_s, 1)}
        await check_tasks(report, env.database, load.ids, lambda key: kodo.objects[key].data)
        report.expect(report.done == len(late), f"{len(late) - report.done} tasks with late objects were not done")
    return report
