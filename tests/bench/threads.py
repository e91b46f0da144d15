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

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from processing.mosaic import Pool, Recipe, render
from processing.scheduling import RENDER_NICENESS, go_first, step_back
from tests.bench.paintings import TILES, recipes
from tests.bench.photos import pool
from tests.bench.rounds import table

SLOT_S = 0.8
ROUNDS = 3
ASKED_S = 3.0
PER_SECOND = 100

Work = Callable[[], object]


def report(data: bytes) -> str:
    go_first()
    tiles = pool(TILES)
    works: dict[str, Work] = {"(hashing alone)": lambda: hashlib.sha256(bytes(30_000_000))}
    works |= {f"`{name}`": _render(data, recipe, tiles) for name, recipe in recipes().items()}
    head = ("style", "two threads / one", "two processes / one", "idle p50 / p99 ms", "while two render", "p99 ratio")
    return table(head, [_row(name, work) for name, work in works.items()])


def _render(data: bytes, recipe: Recipe, tiles: Pool) -> Work:
    return lambda: render(data, recipe, pool=tiles)


def _row(name: str, work: Work) -> tuple[str, ...]:
    """Everything in turns: what else the machine does hits one thread, two, two processes and the handler alike."""
    work()
    threads, processes = [], []
    idle: list[float] = []
    busy: list[float] = []
    for _ in range(ROUNDS):
        alone = _rate(work, 1)
        threads.append(_rate(work, 2) / alone)
        processes.append(_rate(work, 2, spans_of=_in_processes) / alone)
        idle += asyncio.run(latencies(None))
        busy += asyncio.run(latencies(work))
    ratio = _percentile(busy, 0.99) / _percentile(idle, 0.99)
    shares = (f"{statistics.median(each):.2f}" for each in (threads, processes))
    return (name, *shares, _pair(idle), _pair(busy), f"{ratio:.1f}")


def _in_threads(work: Work, count: int) -> list[float]:
    with ThreadPoolExecutor(count) as executor:
        return [span for each in executor.map(lambda _: _spans(work), range(count)) for span in each]


def _in_processes(work: Work, count: int) -> list[float]:
    """As forks, which need nothing told: what two cores give where no lock is shared."""
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()
    crew = [fork.Process(target=lambda: answers.put(_spans(work))) for _ in range(count)]
    for process in crew:
        process.start()
    spans = [span for _ in crew for span in answers.get()]
    for process in crew:
        process.join()
    return spans


def _rate(work: Work, count: int, spans_of: Callable[[Work, int], list[float]] = _in_threads) -> float:
    """Works a second, by how long one takes."""
    return count / statistics.mean(spans_of(work, count))


def _spans(work: Work) -> list[float]:
    started, spans = time.perf_counter(), list[float]()
    while time.perf_counter() - started < SLOT_S:
        before = time.perf_counter()
        work()
        spans.append(time.perf_counter() - before)
    return spans


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


def _pair(spans: list[float]) -> str:
    return f"{statistics.median(spans):.1f} / {_percentile(spans, 0.99):.1f}"


def _percentile(spans: list[float], share: float) -> float:
    return sorted(spans)[int(len(spans) * share)]
