"""`/tasks/query/` with 10,000 finished tasks in MongoDB, idle and while every thread renders 12 megapixels.

    .venv/bin/python -m tests.bench.listing [seconds]

Prints a Markdown table. Requests are sent at a fixed rate and latencies count from when each request was due; the user
is a developer, who sees every task. Idle and rendering phases alternate by pausing and resuming one queue.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.hello import hello
from tests.bench.http_load import Latencies, Target, measure_at_rate
from tests.bench.photos import photo
from tests.bench.timing import table
from tests.fault_injection.busy_loop import insert_finished_tasks
from tests.fault_injection.environment import DrillEnvironment, drill_environment
from tests.fault_injection.load import make_client
from tests.support.accounts import add_account
from tests.support.client import ApiClient
from tests.support.process import ServerProcess
from tests.support.waiting import finished, until

FINISHED_TASKS = 10_000
QUEUED_TASKS = 100
STYLES = ("mosaic", "hexagon", "triangle", "voronoi")
ROUNDS = 3
REQUESTS_PER_S = 10.0
SETTLE_S = 1.0


async def bench(env: DrillEnvironment, hello_url: str, seconds: float) -> str:
    with ServerProcess(env.folder / "data", f"--mongodb_uri={env.mongod.uri}", "--developers=ada") as server:
        await add_account(env.database, "ada")
        api = await ApiClient(make_client(), server.base_url).sign_in("ada")
        url = (await api.upload(photo(), "photo.jpg"))["url"]
        for style in STYLES:  # the first render of a style imports modules
            await finished(api, (await api.add_task(url, style))["id"])
        await insert_finished_tasks(env.database, FINISHED_TASKS)
        targets = targets_of(api, hello_url)
        idle, busy = [Latencies() for _ in targets], [Latencies() for _ in targets]
        for number in range(ROUNDS):
            await pause_queue(api)
            await fill_queue(api, url, number)
            await measure_at_rate(pairs(targets, idle), seconds=seconds / ROUNDS, rate=REQUESTS_PER_S)
            await api.post("/api/tasks/resume/")
            await asyncio.sleep(SETTLE_S)
            await measure_at_rate(pairs(targets, busy), seconds=seconds / ROUNDS, rate=REQUESTS_PER_S)
            totals = (await api.get("/tasks/query/", limit=1))["totals"]
            assert totals["queued"], "the queue ran empty: the threads were not busy all the time"
            assert not totals["failed"], "a render failed"
        await pause_queue(api)
    rows = [row(*three) for three in zip(targets, idle, busy, strict=True)]
    head = ("request", "responses", "idle p50 / p99 / max ms", "rendering p50 / p99 / max ms", "not 200")
    return table(head, rows)


def targets_of(api: ApiClient, hello_url: str) -> list[Target]:
    cookie = "; ".join(f"{name}={value}" for name, value in api.cookies.items())
    return [
        Target("hello-world Tornado, separate process", hello_url),
        Target("`/tasks/query/?limit=20`", f"{api.base_url}/tasks/query/?limit=20", cookie),
        Target(f"`/tasks/query/` ({QUEUED_TASKS} live, 50 done)", f"{api.base_url}/tasks/query/", cookie),
    ]


def pairs(targets: Sequence[Target], latencies: Sequence[Latencies]) -> list[tuple[Target, Latencies]]:
    return list(zip(targets, latencies, strict=True))


def row(target: Target, idle: Latencies, busy: Latencies) -> tuple[str, ...]:
    columns = [
        f"{latencies.quantile(0.5):.1f} / {latencies.quantile(0.99):.1f} / {max(latencies.values_ms):.0f}"
        for latencies in (idle, busy)
    ]
    return (target.name, str(len(idle.values_ms) + len(busy.values_ms)), *columns, str(idle.errors + busy.errors))


async def pause_queue(api: ApiClient) -> None:
    await api.post("/api/tasks/pause/")

    async def queue_idle() -> bool:
        return not (await api.get("/tasks/query/", limit=1))["totals"]["running"]

    await until(queue_idle, timeout_s=60)


async def fill_queue(api: ApiClient, url: str, round_number: int) -> None:
    missing = QUEUED_TASKS - (await api.get("/tasks/query/", limit=1))["totals"]["queued"]
    for number in range(missing):
        recipe = {"style": STYLES[number % len(STYLES)], "seed": 1000 * round_number + number}
        assert (await api.add_task(url, recipe))["id"]


async def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder, hello() as hello_url:
        async with drill_environment(Path(folder)) as env:
            print(await bench(env, hello_url, seconds))


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 45.0))
