"""What threads make of it: how much two render beside one, and how long the server's loop waits meanwhile."""

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

from processing.mosaic import Pool, Recipe, render
from processing.thread_priority import RENDER_NICENESS, go_first, step_back
from tests.bench.paintings import TILES, recipes
from tests.bench.photos import pool
from tests.bench.timing import table

SLOT_S = 1.5
"""Long enough that threads which began together are no longer at the same step of their work."""
RATES, LOOKS = 5, 3
"""How often each rate and each latency is taken."""
ASKED_S = 3.0
PER_SECOND = 100

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Pace:
    """Works a second, and the share of the time in which a worker stood still: for the lock, the heap, or a core."""

    a_second: float
    waiting: float


def report(data: bytes) -> str:
    go_first()
    tiles = pool(TILES)
    works: dict[str, Work] = {"(hashing alone)": lambda: hashlib.sha256(bytes(30_000_000))}
    works |= {f"`{name}`": _render(data, recipe, tiles) for name, recipe in recipes().items()}
    head = ("style", "two threads / one", "waiting", "two processes / one", "idle p50 / p99 ms", "while two render")
    return table((*head, "p99 ratio"), [_row(name, work) for name, work in works.items()])


def _render(data: bytes, recipe: Recipe, tiles: Pool) -> Work:
    return lambda: render(data, recipe, pool=tiles)


def _row(name: str, work: Work) -> tuple[str, ...]:
    """Everything in turns: what else the machine does hits one thread, two, two processes and the handler alike."""
    work()
    threads, processes, waiting = [], [], []
    idle: list[float] = []
    busy: list[float] = []
    for _ in range(RATES):
        before, two = _in_threads(work, 1), _in_threads(work, 2)
        forked, after = _in_processes(work), _in_threads(work, 1)
        alone = (before.a_second + after.a_second) / 2
        threads.append(two.a_second / alone)
        processes.append(forked.a_second / alone)
        waiting.append(two.waiting)
    for _ in range(LOOKS):
        idle += asyncio.run(latencies(None))
        busy += asyncio.run(latencies(work))
    ratio = _percentile(busy, 0.99) / _percentile(idle, 0.99)
    waits = f"{statistics.median(waiting):.0%}"
    return (name, _median(threads), waits, _median(processes), _pair(idle), _pair(busy), f"{ratio:.1f}")


def _in_threads(work: Work, count: int) -> Pace:
    with ThreadPoolExecutor(count, initializer=step_back, initargs=(RENDER_NICENESS,)) as executor:
        return _together(list(executor.map(lambda _: _spent(work), range(count))))


def _in_processes(work: Work) -> Pace:
    """Two, as forks, which need nothing told: what two cores give where no lock is shared."""
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()

    def put_spent() -> None:
        step_back(RENDER_NICENESS)
        answers.put(_spent(work))

    crew = [fork.Process(target=put_spent) for _ in range(2)]
    for process in crew:
        process.start()
    spent = [answers.get() for _ in crew]
    for process in crew:
        process.join()
    return _together(spent)


def _spent(work: Work) -> tuple[int, float, float]:
    """How often it was done, and the seconds that took: by the clock, and of the processor.

    Done once before, as a fork copies each page that it writes to for the first time.
    """
    work()
    started, on_processor, count = time.perf_counter(), time.thread_time(), 0
    while time.perf_counter() - started < SLOT_S:
        work()
        count += 1
    return count, time.perf_counter() - started, time.thread_time() - on_processor


def _together(spent: list[tuple[int, float, float]]) -> Pace:
    seconds = sum(clock for _, clock, _ in spent)
    rate = sum(count / clock for count, clock, _ in spent)
    return Pace(rate, 1 - sum(processor for _, _, processor in spent) / seconds)


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


async def latencies(work: Work | None) -> list[float]:
    """Milliseconds of requests at a steady rate, asked by a process of its own, while two threads do `work`."""
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([("/", Hello)]))
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/"
    stop = threading.Event()
    with ThreadPoolExecutor(2, initializer=step_back, initargs=(RENDER_NICENESS,)) as executor:
        if work is not None:
            for _ in range(2):
                executor.submit(_until, stop, work)
            await asyncio.sleep(0.5)
        try:
            return await _asked(url)
        finally:
            stop.set()
            server.stop()
            await server.close_all_connections()


def _until(stop: threading.Event, work: Work) -> None:
    while not stop.is_set():
        work()


async def _asked(url: str) -> list[float]:
    words = ("-m", "tests.bench.asking", url, str(ASKED_S), str(PER_SECOND))
    client = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    said, _ = await client.communicate()
    return [float(span) for span in said.split()]


def _median(shares: list[float]) -> str:
    return f"{statistics.median(shares):.2f}"


def _pair(spans: list[float]) -> str:
    return f"{statistics.median(spans):.1f} / {_percentile(spans, 0.99):.1f}"


def _percentile(spans: list[float], share: float) -> float:
    return sorted(spans)[int(len(spans) * share)]
