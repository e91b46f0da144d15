"""Task queues beside ours, one after the other on the same machine: nothing to do, and real work. Prints Markdown.

    .venv/bin/python -m tests.bench.queue_competitors [python]

python: an interpreter that has celery[redis], dramatiq[redis], huey and rq, in a virtual environment of its own;
without it, or without redis-server on PATH, ours is measured alone and the rest is said to be missing. Each has one
machine's worth of workers: two threads, or two processes, as nice as our rendering threads, so that foreign load meets
all alike. redis keeps an append-only file, synced once a second; ours is journaled before the answer.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import site
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processing.engine.threads import ThreadEngine
from processing.process_setup import prepare
from processing.thread_priority import RENDER_NICENESS, go_first
from tests.bench.queue import bench
from tests.bench.timing import table
from tests.processing.queue.queue_harness import HandEngine
from tests.support.pictures import encoded, photo
from tests.support.process import ROOT

NOTHING, WORK = 1000, 60
TIMEOUT_S = 120.0
PEERS = {
    "rq, two processes": ("rq", 2),
    "dramatiq, two threads": ("dramatiq", 1),
    "celery, two threads": ("celery_threads", 1),
    "celery, two processes": ("celery_prefork", 1),
    "huey on redis, two threads": ("huey_redis_thread", 1),
    "huey on redis, two processes": ("huey_redis_process", 1),
    "huey on SQLite, two threads": ("huey_sqlite_thread", 1),
}


@dataclass(frozen=True, slots=True)
class Rates:
    """Tasks a second: put into the queue, and brought to an end once they wait there."""

    enqueued: float
    done: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer works: its interpreter, its redis, and the file to which every task adds one byte."""

    python: str
    redis_port: int
    folder: Path

    @property
    def ended(self) -> int:
        return (self.folder / "ended").stat().st_size

    def command(self, *words: str) -> list[str]:
        return [self.python, "-m", "tests.bench.queue_competitor", *words]

    @property
    def environment(self) -> dict[str, str]:
        paths = os.pathsep.join([str(ROOT), *site.getsitepackages()])
        known = {"PEER_REDIS": f"redis://127.0.0.1:{self.redis_port}/0", "PEER_FOLDER": str(self.folder)}
        return {**os.environ, "PYTHONPATH": paths, **known}


@contextmanager
def redis(folder: Path) -> Iterator[int]:
    """A redis of our own; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as child:
        try:
            _await(lambda: _answers(port))
            yield port
        finally:
            child.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _await(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.005)


def peer(place: Place, kind: str, workers: int, work: str, count: int) -> Rates:
    """Fill the queue with no worker there; then start the workers, and count from the first end to the last."""
    (place.folder / "ended").write_bytes(b"")
    filled = subprocess.run(
        place.command(kind, "fill", work, str(count)), env=place.environment, check=True, capture_output=True, text=True
    )
    crew = [
        subprocess.Popen(
            ["nice", "-n", str(RENDER_NICENESS), *place.command(kind, "work")],
            env=place.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(workers)
    ]
    try:
        _await(lambda: place.ended >= workers)
        begun, before = time.perf_counter(), place.ended
        _await(lambda: place.ended >= count)
        return Rates(count / float(filled.stdout), (count - before) / (time.perf_counter() - begun))
    finally:
        for worker in crew:
            os.killpg(worker.pid, signal.SIGTERM)
        for worker in crew:
            _end(worker)


def _end(worker: subprocess.Popen[bytes]) -> None:
    try:
        worker.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(10)


def peers(python: str, folder: Path) -> dict[str, tuple[Rates, Rates] | None]:
    """Of each peer with nothing to do and with real work; None where it is not installed."""
    found: dict[str, tuple[Rates, Rates] | None] = {}
    with redis(folder) as port:
        place = Place(python, port, folder)
        for name, (kind, workers) in PEERS.items():
            package = kind.partition("_")[0]
            missing = subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False).returncode
            if missing:
                found[name] = None
                continue
            nothing, work = (peer(place, kind, workers, w, n) for w, n in (("nothing", NOTHING), ("work", WORK)))
            found[name] = (nothing, work)
    return found


async def own(picture: bytes) -> tuple[Rates, Rates]:
    """Our own queue with nothing to do and with real work, two threads, set up as a server is."""
    prepare()
    go_first()
    async with bench(lambda bucket: HandEngine(2, bucket, instantly=True)) as made:
        await made.hold()
        enqueue_s = await made.enqueue(NOTHING)
        await made.queue.pause(False)
        nothing = Rates(NOTHING / enqueue_s, NOTHING / await made.done(NOTHING))
    async with bench(lambda _: ThreadEngine(2)) as made:
        made.bucket.put("source/photo", picture, mime="image/jpeg")
        await made.hold()
        enqueue_s = await made.enqueue(WORK, "source/photo")
        await made.queue.pause(False)
        return nothing, Rates(WORK / enqueue_s, WORK / await made.done(WORK))


def main() -> None:
    python = sys.argv[1] if len(sys.argv) > 1 else ""
    picture = encoded(photo(1600, 1200), "JPEG", quality=90)
    with tempfile.TemporaryDirectory(prefix="tessera-peers-") as name:
        (Path(name) / "photo.jpg").write_bytes(picture)
        before = asyncio.run(own(picture))
        have = bool(python) and shutil.which("redis-server") is not None
        others = peers(python, Path(name)) if have else {}
        ours = _mean(before, asyncio.run(own(picture)))
    if not have:
        print("No interpreter with the peers was named, or there is no redis-server: ours alone.\n")
    print("".join(f"{name} is not installed and left out.\n" for name, rates in others.items() if rates is None))
    known = {"ours, two threads": ours} | {name: rates for name, rates in others.items() if rates is not None}
    head = ("queue", "enqueued a second", "nothing: done a second", "ours / it", "work: done a second", "ours / it")
    print(table(head, [_row(name, *rates, *ours) for name, rates in known.items()]))


def _mean(first: tuple[Rates, Rates], second: tuple[Rates, Rates]) -> tuple[Rates, Rates]:
    """Of the run before the peers and the one after them."""
    pairs = zip(first, second, strict=True)
    nothing, work = (Rates((a.enqueued + b.enqueued) / 2, (a.done + b.done) / 2) for a, b in pairs)
    return nothing, work


def _row(name: str, nothing: Rates, work: Rates, own_nothing: Rates, own_work: Rates) -> tuple[str, ...]:
    pace = f"{own_nothing.done / nothing.done:.1f}", f"{own_work.done / work.done:.2f}"
    return (name, f"{nothing.enqueued:.0f}", f"{nothing.done:.0f}", pace[0], f"{work.done:.1f}", pace[1])


if __name__ == "__main__":
    main()
