"""What threads make of it: how much two render beside one, and how long the server's loop waits meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from processing.mosaic import Pool, render
from tests.bench.paintings import TILES, recipes
from tests.bench.photos import pool
from tests.bench.rounds import table

SLOT_S = 0.8
SLOTS = 5
REQUESTS = 300
PER_SECOND = 100
NICE = 10  # as the server's own threads are

Work = Callable[[], object]


def report(data: bytes) -> str:
    tiles = pool(TILES)
    works = {f"`{name}`": _render(data, recipe, tiles) for name, recipe in recipes().items()}
    ceiling: dict[str, Work] = {"(hashing alone, the machine's ceiling)": lambda: hashlib.sha256(bytes(30_000_000))}
    rows = []
    idle = asyncio.run(latencies(None))
    for name, work in (ceiling | works).items():
        busy = asyncio.run(latencies(work))
        again = asyncio.run(latencies(None))
        rows.append((name, f"{scaling(work):.2f}", _pair(busy), _pair(again)))
    head = ("style", "two threads / one", "p50 / p99 ms while two render", "idle, right after")
    return table(head, [("(idle)", "", "", _pair(idle)), *rows])


def _render(data: bytes, recipe: object, tiles: Pool) -> Work:
    return lambda: render(data, recipe, pool=tiles)  # type: ignore[arg-type]


def scaling(work: Work) -> float:
    """Renders a second of two threads by those of one, in turns on the same machine."""
    work()
    return statistics.median(_rate(work, 2) / _rate(work, 1) for _ in range(SLOTS))


def _rate(work: Work, threads: int) -> float:
    """Works a second, by how long one takes."""
    started = time.perf_counter()
    spans: list[float] = []

    def run() -> None:
        while time.perf_counter() - started < SLOT_S:
            before = time.perf_counter()
            work()
            spans.append(time.perf_counter() - before)

    crew = [threading.Thread(target=run) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return threads / statistics.mean(spans)


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


async def latencies(work: Work | None) -> list[float]:
    """Milliseconds of requests at a steady rate while two threads do `work`; from when each was due."""
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([("/", Hello)]))
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/"
    stop = threading.Event()
    with ThreadPoolExecutor(2, initializer=_step_back) as executor:
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


def _step_back() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _until(stop: threading.Event, work: Work) -> None:
    while not stop.is_set():
        work()


async def _asked(url: str) -> list[float]:
    client, loop = AsyncHTTPClient(force_instance=True, max_clients=100), asyncio.get_running_loop()
    started = loop.time()

    async def ask(due: float) -> float:
        await asyncio.sleep(max(0.0, due - loop.time()))
        await client.fetch(url)
        return (loop.time() - due) * 1000

    dues = itertools.islice(itertools.count(), REQUESTS)
    spent = await asyncio.gather(*(ask(started + number / PER_SECOND) for number in dues))
    client.close()
    return list(spent)


def _pair(spans: list[float]) -> str:
    ordered = sorted(spans)
    return f"{statistics.median(ordered):.1f} / {ordered[int(len(ordered) * 0.99)]:.1f}"
