"""Drill 13: SIGTERM under load: running tasks finish or are requeued, event streams are closed, no task is lost."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from tests.fault_injection.checker import wait_until_final
from tests.fault_injection.environment import drill_environment
from tests.fault_injection.kill_server import complete_report
from tests.fault_injection.load import LoadGenerator, make_client, picture
from tests.fault_injection.report import DrillReport
from tests.handlers.sse_client import open_event_stream

MAX_DRAIN_S = 25.0
MAX_SECOND_SIGNAL_S = 2.0


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("13 SIGTERM, then a second one")
    async with drill_environment(folder) as env:
        server = env.server("one", "--workers=4")
        await server.launch()
        load = await LoadGenerator.create(make_client(), server.base_url, data=picture(1500, 1000))
        await load.submit_many(14 if short else 104)
        async with AsyncExitStack() as stack:
            subscribers = [
                await stack.enter_async_context(open_event_stream(load.api)) for _ in range(5 if short else 50)
            ]
            code, drain_s = await server.shut_down()
            async with asyncio.timeout(5):
                while not all(subscriber.closed for subscriber in subscribers):
                    await asyncio.sleep(0.01)
        log = server.log
        tasks = env.database.collection("tasks")
        queued, running = (
            await tasks.count_documents({"state": "queued"}),
            await tasks.count_documents({"state": "running"}),
        )
        attempted = await tasks.count_documents({"state": "queued", "attempts": {"$gt": 0}})
        await server.launch()
        second_stop = asyncio.create_task(server.shut_down())
        await asyncio.sleep(0.2)
        server.signal(signal.SIGTERM)
        _, second_stop_s = await second_stop
        await server.launch()
        settled_s = await wait_until_final(env.database, load.ids, timeout_s=120)
        report.expect(
            (code, running, attempted) == (0, 0, 0), f"exit code {code}, {running} running, {attempted} with attempts"
        )
        report.expect(drain_s <= MAX_DRAIN_S, f"the drain took {drain_s:.1f} s")
        report.expect(second_stop_s <= MAX_SECOND_SIGNAL_S, f"the second signal took {second_stop_s:.1f} s")
        report.expect("was destroyed" not in log, "a coroutine was destroyed while it was pending")
        report.expect(settled_s < 120, "not every task came to an end")
        report.notes |= {"drained in, s": round(drain_s, 1), "left in the queue": queued}
        report.notes["second signal, s"] = round(second_stop_s, 1)
        await complete_report(report, env, server, load)
    return report
