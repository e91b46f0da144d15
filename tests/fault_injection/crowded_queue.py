"""Drill 23: one user submits 10,000 tasks; another user's task must start soon."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tests.fault_injection.environment import drill_environment
from tests.fault_injection.load import make_client
from tests.fault_injection.report import DrillReport
from tests.support.accounts import add_account
from tests.support.client import ApiClient
from tests.support.waiting import finished

TASKS = 10_000
USER_LIMIT = 200
MAX_START_S = 2.0


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("23 crowded queue")
    async with drill_environment(folder) as env:
        server = env.server("one", f"--user_queue_limit={USER_LIMIT}")
        await server.launch()
        client = make_client()
        ada, bob = [await ApiClient(client, server.base_url).sign_up(name) for name in ("ada", "bob")]
        await add_account(env.database, "dev")
        dev = await ApiClient(client, server.base_url).sign_in("dev")
        urls = {user.username: (await user.upload())["url"] for user in (ada, bob)}
        await dev.post("/api/tasks/pause/")
        semaphore, count = asyncio.Semaphore(8), 500 if short else TASKS

        async def submit(user: ApiClient, seed: int) -> int:
            async with semaphore:
                param = {"style": "mosaic", "seed": seed}
                response = await user.post("/api/tasks/add/", url=urls[user.username], param=param)
            return response.status

        statuses = Counter(await asyncio.gather(*(submit(ada, number) for number in range(count))))
        task = await bob.add_task(urls["bob"], {"style": "mosaic", "seed": 1})
        await dev.post("/api/tasks/resume/")
        resumed = datetime.now(UTC)
        started = datetime.fromisoformat((await finished(bob, task["id"], timeout_s=60))["started"])

        waited_s = (started - resumed).total_seconds()
        report.submitted, report.acknowledged, report.failed = count, statuses[200], statuses[429]
        report.expect(statuses == {200: USER_LIMIT, 429: count - USER_LIMIT}, f"submissions got {dict(statuses)}")
        report.expect(waited_s < MAX_START_S, f"the other user's task started after {waited_s:.1f} s")
        report.notes["other user's task started after, s"] = round(waited_s, 2)
    return report
