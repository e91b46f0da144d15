"""`/tasks/query/` with 10,000 finished tasks in MongoDB, idle and while every thread renders 12 megapixels.

    .venv/bin/python -m tests.bench.listing [seconds]

Prints a Markdown table. Asked steadily, each request counted from when it was due; the person who asks is a developer
and sees everything. Idle and rendering take turns over one queue, which is held and let go.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.asking import Spans, Target, steadily
from tests.bench.hello import hello
from tests.bench.photos import photo
from tests.bench.timing import table
from tests.fault_injection.busy_loop import remember
from tests.fault_injection.environment import Ground, ground
from tests.fault_injection.load import client_of
from tests.support.client import Api
from tests.support.process import ServerProcess
from tests.support.waiting import finished, until

DONE = 10_000
WAITING = 100
STYLES = ("mosaic", "hexagon", "triangle", "voronoi")
ROUNDS = 3
EACH_SECOND = 10.0
SETTLE_S = 1.0


async def bench(here: Ground, hello_url: str, seconds: float) -> str:
    with ServerProcess(here.folder / "data", f"--mongodb_uri={here.mongod.uri}", "--developers=ada") as server:
        api = await Api(client_of(), server.base_url).sign_up("ada")
        url = (await api.upload(photo(), "photo.jpg"))["url"]
        for style in STYLES:  # the first one imports what it needs, which holds everybody up once
            await finished(api, (await api.make(url, style))["id"])
        await remember(here.database, DONE)
        targets = targets_of(api, hello_url)
        idle, busy = [Spans() for _ in targets], [Spans() for _ in targets]
        for number in range(ROUNDS):
            await hold(api)
            await fill(api, url, number)
            await steadily(pairs(targets, idle), seconds=seconds / ROUNDS, each_second=EACH_SECOND)
            await api.post("/api/tasks/resume/")
            await asyncio.sleep(SETTLE_S)
            await steadily(pairs(targets, busy), seconds=seconds / ROUNDS, each_second=EACH_SECOND)
            totals = (await api.get("/tasks/query/", limit=1))["totals"]
            assert totals["queued"], "the threads were not busy all the time"
            assert not totals["failed"], "a render failed"
        await hold(api)
    rows = [row(*three) for three in zip(targets, idle, busy, strict=True)]
    head = ("asked", "answers", "idle p50 / p99 / max ms", "rendering p50 / p99 / max ms", "not 200")
    return table(head, rows)


def targets_of(api: Api, hello_url: str) -> list[Target]:
    cookie = "; ".join(f"{name}={value}" for name, value in api.cookies.items())
    return [
        Target("hello-world Tornado, a process of its own", hello_url),
        Target("`/tasks/query/?limit=20`", f"{api.base_url}/tasks/query/?limit=20", cookie),
        Target(f"`/tasks/query/` ({WAITING} live, 50 done)", f"{api.base_url}/tasks/query/", cookie),
    ]


def pairs(targets: Sequence[Target], spans: Sequence[Spans]) -> list[tuple[Target, Spans]]:
    return list(zip(targets, spans, strict=True))


def row(target: Target, idle: Spans, busy: Spans) -> tuple[str, ...]:
    shown = [f"{spans.at(0.5):.1f} / {spans.at(0.99):.1f} / {max(spans.each):.0f}" for spans in (idle, busy)]
    return (target.name, str(len(idle.each) + len(busy.each)), *shown, str(idle.bad + busy.bad))


async def hold(api: Api) -> None:
    await api.post("/api/tasks/pause/")

    async def still() -> bool:
        return not (await api.get("/tasks/query/", limit=1))["totals"]["running"]

    await until(still, timeout_s=60)


async def fill(api: Api, url: str, round_number: int) -> None:
    missing = WAITING - (await api.get("/tasks/query/", limit=1))["totals"]["queued"]
    for number in range(missing):
        recipe = {"style": STYLES[number % len(STYLES)], "seed": 1000 * round_number + number}
        assert (await api.make(url, recipe))["id"]


async def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder, hello() as hello_url:
        async with ground(Path(folder)) as here:
            print(await bench(here, hello_url, seconds))


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 45.0))
