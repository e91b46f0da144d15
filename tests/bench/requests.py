"""What a request costs, idle and while the pool is saturated; whole trips a second; memory. Prints Markdown.

.venv/bin/python -m tests.bench.requests [rounds]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from dataclasses import dataclass, field

from tests.bench.asking import Spans, Target, flat_out, steadily
from tests.bench.hello import hello
from tests.bench.photos import photo
from tests.bench.populated_server import Town, town
from tests.bench.timing import table
from tests.support.client import Api
from tests.support.pictures import encoded
from tests.support.pictures import photo as small_photo
from tests.support.waiting import until

ROUNDS = 5
SLICE_S = 1.0
PHASE_S = 5.0
EACH_SECOND = 8.0
SETTLE_S = 0.5
LARGE = ("`/tasks/query/` (50 done)",)
"""Answers that are not small: they wait for themselves."""
STYLES = ("mosaic", "hexagon", "triangle", "voronoi")
RENDERS_EACH_ROUND = 100
TRIPS, TRIPS_AT_ONCE = 60, 8


@dataclass
class Measured:
    """Of one target: flat out, and steadily while idle and while rendering."""

    rates: list[float] = field(default_factory=list)
    spans: Spans = field(default_factory=Spans)
    idle: Spans = field(default_factory=Spans)
    busy: Spans = field(default_factory=Spans)
    ratios: list[float] = field(default_factory=list)
    """p99 rendering / p99 idle, of each round."""


def targets_of(place: Town, hello_url: str) -> list[Target]:
    base, cookie = place.server.base_url, place.cookie
    return [
        Target("hello-world Tornado", hello_url),
        Target("`/api/user/query/` (40 names)", f"{base}/api/user/query/?username=ada", cookie),
        Target("`/api/image/query/`", f"{base}/api/image/query/?id={place.picture}", cookie),
        Target("`/tasks/query/?limit=20`", f"{base}/tasks/query/?limit=20", cookie),
        Target("`/tasks/query/` (50 done)", f"{base}/tasks/query/", cookie),
        Target("`/api/feed/` (30 pictures)", f"{base}/api/feed/", cookie),
        Target("`/health`", f"{base}/health"),
    ]


async def flat(targets: list[Target], found: dict[str, Measured], rounds: int) -> None:
    for _ in range(rounds):
        for target in targets:
            measured = found[target.name]
            measured.rates.append(await flat_out(target, measured.spans, seconds=SLICE_S))


async def saturated(place: Town, targets: list[Target], found: dict[str, Measured], rounds: int) -> float:
    """Idle and rendering in turns, over one queue that is held and let go. Returns renders a second."""
    source = await place.api.upload(photo(), "photo.jpg")
    renders, spent = 0, 0.0
    for number in range(rounds):
        await _hold(place.api)
        await _fill(place.api, source["url"], number)
        idle, busy = {target.name: Spans() for target in targets}, {target.name: Spans() for target in targets}
        asked = [(target, idle[target.name]) for target in targets]
        await steadily(asked, seconds=PHASE_S, each_second=EACH_SECOND)
        before, begun = await _done(place.api), time.perf_counter()
        await place.api.post("/api/tasks/resume/")
        await asyncio.sleep(SETTLE_S)
        asked = [(target, busy[target.name]) for target in targets]
        await steadily(asked, seconds=PHASE_S, each_second=EACH_SECOND)
        renders, spent = renders + await _done(place.api) - before, spent + time.perf_counter() - begun
        assert (await _totals(place.api))["queued"], "the queue ran dry: RENDERS_EACH_ROUND is too small here"
        for name in idle:
            measured = found[name]
            measured.idle.each += idle[name].each
            measured.busy.each += busy[name].each
            measured.ratios.append(busy[name].at(0.99) / idle[name].at(0.99))
    return renders / spent


async def _hold(api: Api) -> None:
    await api.post("/api/tasks/pause/")

    async def still() -> bool:
        return not (await _totals(api))["running"]

    await until(still, timeout_s=60)


async def _fill(api: Api, url: str, round_number: int) -> None:
    """Only what was rendered since is added: the queue stays as long as it is."""
    missing = RENDERS_EACH_ROUND - (await _totals(api))["queued"]
    for number in range(missing):
        style = STYLES[number % len(STYLES)]
        await api.make(url, {"style": style, "seed": 1000 * round_number + number})


async def _totals(api: Api) -> dict[str, int]:
    return dict((await api.get("/tasks/query/", limit=1))["totals"])


async def _done(api: Api) -> int:
    totals = await _totals(api)
    assert not totals["failed"], "a render failed"
    return totals["done"]


async def trips(place: Town) -> float:
    """Whole trips a second: leave, upload, callback, task, render of 2 megapixels, result downloaded."""
    await _hold(place.api)
    for task in (await place.api.get("/tasks/query/", limit=1000, state="queued"))["tasks"]:
        await place.api.post("/api/tasks/cancel/", id=task["id"])
    await place.api.post("/api/tasks/resume/")
    pictures = [encoded(small_photo(1600, 1200, seed), "JPEG", quality=90) for seed in range(TRIPS_AT_ONCE)]
    gate = asyncio.Semaphore(TRIPS_AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            url = (await place.api.upload(pictures[number % TRIPS_AT_ONCE], "photo.jpg"))["url"]
            task = await place.api.make(url, {"style": "mosaic", "seed": number})

            async def over() -> str | None:
                found = (await place.api.get("/tasks/query/", id=task["id"]))["done"]
                return found[0]["result_url"] if found else None

            answer = await place.api.get(await until(over, timeout_s=60))
            assert answer.status == 200

    begun = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(TRIPS)))
    return TRIPS / (time.perf_counter() - begun)


def flat_table(found: dict[str, Measured]) -> str:
    hellos = next(iter(found.values())).rates
    rows = []
    for name, measured in found.items():
        share = statistics.median(rate / floor for rate, floor in zip(measured.rates, hellos, strict=True))
        rate = f"{statistics.median(measured.rates):.0f}"
        rows.append((name, rate, f"{share:.2f}", f"{measured.spans.at(0.5):.1f} / {measured.spans.at(0.99):.0f}"))
    return table(("asked", "a second", "of hello", "p50 / p99 ms, 32 at once"), rows)


def saturated_table(found: dict[str, Measured]) -> str:
    rows = []
    for name, measured in found.items():
        if not measured.ratios:
            continue
        pairs = [f"{spans.at(0.5):.1f} / {spans.at(0.99):.1f}" for spans in (measured.idle, measured.busy)]
        pooled = measured.busy.at(0.99) / measured.idle.at(0.99)
        rows.append((name, *pairs, f"{statistics.median(measured.ratios):.2f}", f"{pooled:.2f}"))
    head = ("asked", "idle p50 / p99 ms", "rendering p50 / p99 ms", "p99 ratio, median of rounds", "of all together")
    return table(head, rows)


async def main(rounds: int) -> None:
    with hello() as hello_url:
        async with town() as place:
            rest = place.memory()
            targets = targets_of(place, hello_url)
            found = {target.name: Measured() for target in targets}
            await flat(targets, found, rounds)
            print(f"### Requests\n\n{flat_table(found)}\n", flush=True)
            small = [target for target in targets if target.name not in LARGE]
            renders = await saturated(place, small, found, rounds)
            print(f"### While 12 megapixels are rendered\n\n{saturated_table(found)}\n", flush=True)
            bad = sum(measured.spans.bad + measured.idle.bad + measured.busy.bad for measured in found.values())
            print(f"{renders:.1f} renders a second meanwhile. Answers that were not 200: {bad}.\n", flush=True)
            print(f"### Whole trips\n\n{await trips(place):.1f} a second, {TRIPS_AT_ONCE} at once\n", flush=True)
            rows = [(name, f"{rest[name][0]:.0f}", f"{high:.0f}") for name, (_, high) in place.memory().items()]
            print(f"### Memory\n\n{table(('process', 'at rest, MB', 'at its highest, MB'), rows)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
