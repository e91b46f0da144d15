"""Request throughput and latency, idle and while all workers render; whole trips per second; memory. Prints Markdown.

.venv/bin/python -m tests.bench.requests [rounds]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from dataclasses import dataclass, field

from tests.bench.hello import hello
from tests.bench.http_load import Latencies, Target, measure_at_rate, measure_throughput
from tests.bench.photos import photo
from tests.bench.populated_server import PopulatedServer, populated_server
from tests.bench.timing import table
from tests.support.client import ApiClient
from tests.support.pictures import encoded
from tests.support.pictures import photo as small_photo
from tests.support.waiting import until

ROUNDS = 5
THROUGHPUT_S = 1.0
PHASE_S = 5.0
REQUESTS_PER_S = 8.0
SETTLE_S = 0.5
LARGE_RESPONSES = ("`/tasks/query/` (50 done)",)
"""Large responses, which are not measured under load."""
STYLES = ("mosaic", "hexagon", "triangle", "voronoi")
RENDERS_PER_ROUND = 100
TRIPS, CONCURRENT_TRIPS = 60, 8


@dataclass
class TargetResults:
    """Results of one target: throughput, and latencies at a fixed rate while idle and while rendering."""

    rates: list[float] = field(default_factory=list)
    latencies: Latencies = field(default_factory=Latencies)
    idle: Latencies = field(default_factory=Latencies)
    busy: Latencies = field(default_factory=Latencies)
    ratios: list[float] = field(default_factory=list)
    """p99 rendering / p99 idle, one value per round."""


def make_targets(populated: PopulatedServer, hello_url: str) -> list[Target]:
    base, cookie = populated.server.base_url, populated.cookie
    return [
        Target("hello-world Tornado", hello_url),
        Target("`/api/user/query/` (40 names)", f"{base}/api/user/query/?username=ada", cookie),
        Target("`/api/image/query/`", f"{base}/api/image/query/?id={populated.image_id}", cookie),
        Target("`/tasks/query/?limit=20`", f"{base}/tasks/query/?limit=20", cookie),
        Target("`/tasks/query/` (50 done)", f"{base}/tasks/query/", cookie),
        Target("`/api/feed/` (30 pictures)", f"{base}/api/feed/", cookie),
        Target("`/health`", f"{base}/health"),
    ]


async def run_throughput(targets: list[Target], results: dict[str, TargetResults], rounds: int) -> None:
    for _ in range(rounds):
        for target in targets:
            result = results[target.name]
            result.rates.append(await measure_throughput(target, result.latencies, seconds=THROUGHPUT_S))


async def run_under_load(
    populated: PopulatedServer, targets: list[Target], results: dict[str, TargetResults], rounds: int
) -> float:
    """Alternate idle and rendering phases by pausing and resuming the queue. Returns renders per second."""
    source = await populated.api.upload(photo(), "photo.jpg")
    renders, duration_s = 0, 0.0
    for number in range(rounds):
        await _pause_queue(populated.api)
        await _fill_queue(populated.api, source["url"], number)
        idle, busy = {target.name: Latencies() for target in targets}, {target.name: Latencies() for target in targets}
        scheduled = [(target, idle[target.name]) for target in targets]
        await measure_at_rate(scheduled, seconds=PHASE_S, rate=REQUESTS_PER_S)
        before, started = await _done_count(populated.api), time.perf_counter()
        await populated.api.post("/api/tasks/resume/")
        await asyncio.sleep(SETTLE_S)
        scheduled = [(target, busy[target.name]) for target in targets]
        await measure_at_rate(scheduled, seconds=PHASE_S, rate=REQUESTS_PER_S)
        renders += await _done_count(populated.api) - before
        duration_s += time.perf_counter() - started
        assert (await _totals(populated.api))["queued"], "the queue ran empty: RENDERS_PER_ROUND is too small here"
        for name in idle:
            result = results[name]
            result.idle.values_ms += idle[name].values_ms
            result.busy.values_ms += busy[name].values_ms
            result.ratios.append(busy[name].quantile(0.99) / idle[name].quantile(0.99))
    return renders / duration_s


async def _pause_queue(api: ApiClient) -> None:
    await api.post("/api/tasks/pause/")

    async def queue_idle() -> bool:
        return not (await _totals(api))["running"]

    await until(queue_idle, timeout_s=60)


async def _fill_queue(api: ApiClient, url: str, round_number: int) -> None:
    """Refill the queue to RENDERS_PER_ROUND tasks."""
    missing = RENDERS_PER_ROUND - (await _totals(api))["queued"]
    for number in range(missing):
        style = STYLES[number % len(STYLES)]
        await api.add_task(url, {"style": style, "seed": 1000 * round_number + number})


async def _totals(api: ApiClient) -> dict[str, int]:
    return dict((await api.get("/tasks/query/", limit=1))["totals"])


async def _done_count(api: ApiClient) -> int:
    totals = await _totals(api)
    assert not totals["failed"], "a render failed"
    return totals["done"]


async def measure_trips(populated: PopulatedServer) -> float:
    """Whole trips per second: token, upload, callback, task, render of 2 megapixels, download of the result."""
    await _pause_queue(populated.api)
    for task in (await populated.api.get("/tasks/query/", limit=1000, state="queued"))["tasks"]:
        await populated.api.post("/api/tasks/cancel/", id=task["id"])
    await populated.api.post("/api/tasks/resume/")
    pictures = [encoded(small_photo(1600, 1200, seed), "JPEG", quality=90) for seed in range(CONCURRENT_TRIPS)]
    semaphore = asyncio.Semaphore(CONCURRENT_TRIPS)

    async def run_trip(number: int) -> None:
        async with semaphore:
            url = (await populated.api.upload(pictures[number % CONCURRENT_TRIPS], "photo.jpg"))["url"]
            task = await populated.api.add_task(url, {"style": "mosaic", "seed": number})

            async def result_url() -> str | None:
                done = (await populated.api.get("/tasks/query/", id=task["id"]))["done"]
                return done[0]["result_url"] if done else None

            answer = await populated.api.get(await until(result_url, timeout_s=60))
            assert answer.status == 200

    started = time.perf_counter()
    await asyncio.gather(*(run_trip(number) for number in range(TRIPS)))
    return TRIPS / (time.perf_counter() - started)


def throughput_table(results: dict[str, TargetResults]) -> str:
    hellos = next(iter(results.values())).rates
    rows = []
    for name, result in results.items():
        share = statistics.median(rate / floor for rate, floor in zip(result.rates, hellos, strict=True))
        rate = f"{statistics.median(result.rates):.0f}"
        pair = f"{result.latencies.quantile(0.5):.1f} / {result.latencies.quantile(0.99):.0f}"
        rows.append((name, rate, f"{share:.2f}", pair))
    return table(("request", "per second", "of hello", "p50 / p99 ms, 32 concurrent"), rows)


def load_table(results: dict[str, TargetResults]) -> str:
    rows = []
    for name, result in results.items():
        if not result.ratios:
            continue
        phases = (result.idle, result.busy)
        pairs = [f"{latencies.quantile(0.5):.1f} / {latencies.quantile(0.99):.1f}" for latencies in phases]
        pooled = result.busy.quantile(0.99) / result.idle.quantile(0.99)
        rows.append((name, *pairs, f"{statistics.median(result.ratios):.2f}", f"{pooled:.2f}"))
    head = ("request", "idle p50 / p99 ms", "rendering p50 / p99 ms", "p99 ratio, median of rounds", "pooled")
    return table(head, rows)


async def main(rounds: int) -> None:
    with hello() as hello_url:
        async with populated_server() as populated:
            memory_at_rest = populated.memory_mb()
            targets = make_targets(populated, hello_url)
            results = {target.name: TargetResults() for target in targets}
            await run_throughput(targets, results, rounds)
            print(f"### Requests\n\n{throughput_table(results)}\n", flush=True)
            small = [target for target in targets if target.name not in LARGE_RESPONSES]
            renders = await run_under_load(populated, small, results, rounds)
            print(f"### While 12 megapixels are rendered\n\n{load_table(results)}\n", flush=True)
            errors = sum(each.latencies.errors + each.idle.errors + each.busy.errors for each in results.values())
            print(f"{renders:.1f} renders per second meanwhile. Responses other than 200: {errors}.\n", flush=True)
            rate = await measure_trips(populated)
            print(f"### Whole trips\n\n{rate:.1f} per second, {CONCURRENT_TRIPS} concurrent\n", flush=True)
            peaks = {name: peak for name, (_, peak) in populated.memory_mb().items()}
            rows = [(name, f"{memory_at_rest[name][0]:.0f}", f"{peak:.0f}") for name, peak in peaks.items()]
            print(f"### Memory\n\n{table(('process', 'at rest, MB', 'peak, MB'), rows)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
