"""Thread scaling: throughput of two threads against one, and request latency while two threads render."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from processing.mosaic import Recipe, TilePool, render
from processing.thread_priority import RENDER_NICENESS, lower_thread_priority, prioritise_loop
from tests.bench.photos import pool
from tests.bench.style_renders import TILES, recipes
from tests.bench.timing import table

SLOT_S = 1.5
"""Long enough that threads that started together are no longer at the same step of a render."""
RATE_SAMPLES, LATENCY_SAMPLES = 5, 3
"""Samples of each throughput and of each latency."""
LATENCY_S = 3.0
REQUESTS_PER_S = 100

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Throughput:
    """Calls per second, and the share of time that a worker waited for the GIL, the heap or a core."""

    per_second: float
    waiting_share: float


def report(data: bytes) -> str:
    prioritise_loop()
    tiles = pool(TILES)
    works: dict[str, Work] = {"(hashing alone)": lambda: hashlib.sha256(bytes(30_000_000))}
    works |= {f"`{name}`": _render(data, recipe, tiles) for name, recipe in recipes().items()}
    head = ("style", "two threads / one", "waiting", "two processes / one", "idle p50 / p99 ms", "while two render")
    return table((*head, "p99 ratio"), [_row(name, work) for name, work in works.items()])


def _render(data: bytes, recipe: Recipe, tiles: TilePool) -> Work:
    return lambda: render(data, recipe, pool=tiles)


def _row(name: str, work: Work) -> tuple[str, ...]:
    """Alternate all measurements, so that other load on the machine affects them alike."""
    work()
    threads, processes, waiting = [], [], []
    idle: list[float] = []
    busy: list[float] = []
    for _ in range(RATE_SAMPLES):
        before, two = _in_threads(work, 1), _in_threads(work, 2)
        forked, after = _in_processes(work), _in_threads(work, 1)
        alone = (before.per_second + after.per_second) / 2
        threads.append(two.per_second / alone)
        processes.append(forked.per_second / alone)
        waiting.append(two.waiting_share)
    for _ in range(LATENCY_SAMPLES):
        idle += asyncio.run(latencies(None))
        busy += asyncio.run(latencies(work))
    ratio = _percentile(busy, 0.99) / _percentile(idle, 0.99)
    waits = f"{statistics.median(waiting):.0%}"
    latency = _median_and_p99(idle), _median_and_p99(busy), f"{ratio:.1f}"
    return (name, _median(threads), waits, _median(processes), *latency)


def _in_threads(work: Work, count: int) -> Throughput:
    with ThreadPoolExecutor(count, initializer=lower_thread_priority, initargs=(RENDER_NICENESS,)) as executor:
        return _combine(list(executor.map(lambda _: _repeat(work), range(count))))


def _in_processes(work: Work) -> Throughput:
    """Two forked processes: what two cores achieve without a shared lock."""
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()

    def put_sample() -> None:
        lower_thread_priority(RENDER_NICENESS)
        results.put(_repeat(work))

    processes = [fork.Process(target=put_sample) for _ in range(2)]
    for process in processes:
        process.start()
    samples = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return _combine(samples)


def _repeat(work: Work) -> tuple[int, float, float]:
    """Number of calls, wall-clock seconds and CPU seconds.

    Called once before, because a fork copies each page on its first write.
    """
    work()
    started, on_processor, count = time.perf_counter(), time.thread_time(), 0
    while time.perf_counter() - started < SLOT_S:
        work()
        count += 1
    return count, time.perf_counter() - started, time.thread_time() - on_processor


def _combine(samples: list[tuple[int, float, float]]) -> Throughput:
    seconds = sum(clock for _, clock, _ in samples)
    rate = sum(count / clock for count, clock, _ in samples)
    return Throughput(rate, 1 - sum(processor for _, _, processor in samples) / seconds)


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


async def latencies(work: Work | None) -> list[float]:
    """Latencies in ms of requests at a fixed rate from another process, while two threads repeat `work`."""
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([("/", Hello)]))
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/"
    stop = threading.Event()
    with ThreadPoolExecutor(2, initializer=lower_thread_priority, initargs=(RENDER_NICENESS,)) as executor:
        if work is not None:
            for _ in range(2):
                executor.submit(_repeat_until, stop, work)
            await asyncio.sleep(0.5)
        try:
            return await _measure_latencies(url)
        finally:
            stop.set()
            server.stop()
            await server.close_all_connections()


def _repeat_until(stop: threading.Event, work: Work) -> None:
    while not stop.is_set():
        work()


async def _measure_latencies(url: str) -> list[float]:
    arguments = ("-m", "tests.bench.http_load", url, str(LATENCY_S), str(REQUESTS_PER_S))
    client = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    output, _ = await client.communicate()
    return [float(span) for span in output.split()]


def _median(shares: list[float]) -> str:
    return f"{statistics.median(shares):.2f}"


def _median_and_p99(spans: list[float]) -> str:
    return f"{statistics.median(spans):.1f} / {_percentile(spans, 0.99):.1f}"


def _percentile(spans: list[float], share: float) -> float:
    return sorted(spans)[int(len(spans) * share)]
