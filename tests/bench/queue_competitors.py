"""Other task queues beside ours on the same machine, with no-op tasks and with real renders. Prints Markdown.

    .venv/bin/python -m tests.bench.queue_competitors [python]

python: the interpreter of a virtual environment with celery[redis], dramatiq[redis], huey, rq, procrastinate and
psycopg[binary]. Without it, or without redis-server on PATH, only our queue is measured; without PostgreSQL,
procrastinate is left out. Words after it choose some of them. Each queue has two worker threads or two worker
processes, at the nice value of our rendering threads. redis syncs an append-only file once a second; ours is
journaled before a task is acknowledged, and PostgreSQL syncs each transaction.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing import mosaic
from processing.engine.job import Job
from processing.engine.job import run as run_job
from processing.engine.threads import ThreadEngine
from processing.event_loop import make_loop
from processing.fetch.allowlist import FetchPolicy
from processing.process_setup import freeze_gc, tune_process
from processing.thread_priority import RENDER_NICENESS, lower_thread_priority, prioritise_loop
from tests.bench.queue import queue_bench
from tests.bench.queue_stores import run_postgres, run_redis, wait_until
from tests.bench.timing import table
from tests.processing.queue.queue_harness import ManualEngine
from tests.support.pictures import encoded, photo
from tests.support.process import ROOT

NOOP_TASKS, RENDER_TASKS = 1000, 200
COMPETITORS = {
    "rq, two processes": ("rq", 2),
    "dramatiq, two threads": ("dramatiq", 1),
    "celery, two threads": ("celery_threads", 1),
    "celery, two processes": ("celery_prefork", 1),
    "huey on redis, two threads": ("huey_redis_thread", 1),
    "huey on redis, two processes": ("huey_redis_process", 1),
    "huey on SQLite, two threads": ("huey_sqlite_thread", 1),
    "procrastinate on PostgreSQL, two threads": ("procrastinate", 1),
}


@dataclass(frozen=True, slots=True)
class Rates:
    """Tasks per second: enqueued, and finished by the workers afterwards."""

    enqueued: float
    done: float

    def mean(self, other: Rates) -> Rates:
        return Rates((self.enqueued + other.enqueued) / 2, (self.done + other.done) / 2)


@dataclass(frozen=True, slots=True)
class Measured:
    """Our queue, with no-op tasks and with renders; CPU ms of a render in this process and in mongod."""

    noop: Rates
    render: Rates
    cpu_ms: float
    mongod_ms: float

    def mean(self, other: Measured) -> Measured:
        return Measured(
            self.noop.mean(other.noop),
            self.render.mean(other.render),
            (self.cpu_ms + other.cpu_ms) / 2,
            (self.mongod_ms + other.mongod_ms) / 2,
        )


@dataclass(frozen=True, slots=True)
class CompetitorSetup:
    """Interpreter, stores and folder of a competitor; every finished task appends one byte to the file `ended`.

    redis, postgres: their addresses.
    """

    python: str
    redis: str
    postgres: str
    folder: Path

    @property
    def finished_count(self) -> int:
        return (self.folder / "ended").stat().st_size

    def command(self, *words: str) -> list[str]:
        return [self.python, "-m", "tests.bench.queue_competitor", *words]

    @property
    def environment(self) -> dict[str, str]:
        paths = os.pathsep.join([str(ROOT), *site.getsitepackages()])
        variables = {
            "COMPETITOR_REDIS": self.redis,
            "COMPETITOR_POSTGRES": self.postgres,
            "COMPETITOR_FOLDER": str(self.folder),
        }
        return {**os.environ, "PYTHONPATH": paths, **variables}


def measure_competitor(setup: CompetitorSetup, kind: str, workers: int, task: str, count: int) -> Rates:
    """Fill the queue, start the workers, and time from the first finished task to the last."""
    (setup.folder / "ended").write_bytes(b"")
    filled = subprocess.run(
        setup.command(kind, "fill", task, str(count)), env=setup.environment, check=True, capture_output=True, text=True
    )
    processes = [
        subprocess.Popen(
            ["nice", "-n", str(RENDER_NICENESS), *setup.command(kind, "work")],
            env=setup.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(workers)
    ]
    try:
        wait_until(lambda: setup.finished_count >= workers)
        started, before = time.perf_counter(), setup.finished_count
        wait_until(lambda: setup.finished_count >= count)
        return Rates(count / float(filled.stdout), (count - before) / (time.perf_counter() - started))
    finally:
        for worker in processes:
            os.killpg(worker.pid, signal.SIGTERM)
        for worker in processes:
            _wait_or_kill(worker)


def _wait_or_kill(worker: subprocess.Popen[bytes]) -> None:
    try:
        worker.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(10)


def measure_competitors(python: str, folder: Path, words: list[str]) -> dict[str, tuple[Rates, Rates] | None]:
    """No-op and render rates of each competitor whose name has one of the words; None where it is not installed."""
    rates: dict[str, tuple[Rates, Rates] | None] = {}
    with run_redis(folder) as redis, run_postgres(folder) as postgres:
        setup = CompetitorSetup(python, redis, postgres, folder)
        for name, (kind, workers) in COMPETITORS.items():
            if words and not any(word in name for word in words):
                continue
            package = kind.partition("_")[0]
            missing = subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False).returncode
            if missing or (package == "procrastinate" and not postgres):
                rates[name] = None
                continue
            noop = measure_competitor(setup, kind, workers, "noop", NOOP_TASKS)
            rates[name] = noop, measure_competitor(setup, kind, workers, "render", RENDER_TASKS)
    return rates


@dataclass(frozen=True, slots=True)
class Bare:
    """Two threads without a queue: renders per second, and CPU ms of each."""

    rate: float
    cpu_ms: float


def measure_bare_renders(folder: Path) -> Bare:
    """Renders that read and write plain files."""

    def render(number: int) -> None:
        result = mosaic.render((folder / "photo.jpg").read_bytes(), mosaic.parse({"style": "mosaic", "seed": number}))
        (folder / f"{number}.png").write_bytes(result.data)

    return _measure_bare(render)


def measure_bare_jobs(picture: bytes) -> Bare:
    """The jobs of our tasks, which read from the embedded bucket and store there, durably."""
    with tempfile.TemporaryDirectory(prefix="tessera-jobs-") as folder:
        bucket = EmbeddedBucket(
            Path(folder),
            Keys("access", "secret"),
            public_url="http://x",
            callback_url="http://x/c",
            size_limit_bytes=10_000_000,
        )
        bucket.put("source/photo", picture, mime="image/jpeg")

        def run(number: int) -> None:
            recipe = {"style": "mosaic", "seed": number}
            job = Job(number, "http://x/source/photo", "source/photo", recipe, bucket, FetchPolicy(), 50, 150)
            run_job(job, lambda _: None)

        return _measure_bare(run)


def _measure_bare(work: Callable[[int], None]) -> Bare:
    with ThreadPoolExecutor(2, initializer=lower_thread_priority, initargs=(RENDER_NICENESS,)) as threads:
        list(threads.map(work, range(2)))
        started, cpu_before = time.perf_counter(), time.process_time()
        list(threads.map(work, range(RENDER_TASKS)))
        cpu_s = time.process_time() - cpu_before
    return Bare(RENDER_TASKS / (time.perf_counter() - started), 1000 * cpu_s / RENDER_TASKS)


async def measure_tessera(picture: bytes) -> Measured:
    """No-op and render rates of our queue with two threads, configured as a server is."""
    tune_process()
    freeze_gc()
    prioritise_loop()
    async with queue_bench(lambda bucket: ManualEngine(2, bucket, instantly=True)) as running:
        await running.pause()
        enqueue_s = await running.enqueue(NOOP_TASKS)
        await running.queue.pause(False)
        noop = Rates(NOOP_TASKS / enqueue_s, NOOP_TASKS / await running.wait_until_done(NOOP_TASKS))
    async with queue_bench(lambda _: ThreadEngine(2)) as running:
        running.bucket.put("source/photo", picture, mime="image/jpeg")
        await running.pause()
        enqueue_s = await running.enqueue(RENDER_TASKS, "source/photo")
        await running.queue.pause(False)
        cpu_before, mongod_before = time.process_time(), running.mongod_cpu_s()
        done_s = await running.wait_until_done(RENDER_TASKS)
        cpu_s, mongod_s = time.process_time() - cpu_before, running.mongod_cpu_s() - mongod_before
    return Measured(
        noop,
        Rates(RENDER_TASKS / enqueue_s, RENDER_TASKS / done_s),
        *(1000 * each / RENDER_TASKS for each in (cpu_s, mongod_s)),
    )


def _measure_tessera(picture: bytes) -> Measured:
    with asyncio.Runner(loop_factory=make_loop) as runner:
        return runner.run(measure_tessera(picture))


def main() -> None:
    python = sys.argv[1] if len(sys.argv) > 1 else ""
    picture = encoded(photo(1600, 1200), "JPEG", quality=90)
    with tempfile.TemporaryDirectory(prefix="tessera-queues-") as folder:
        (Path(folder) / "photo.jpg").write_bytes(picture)
        before = _measure_tessera(picture)
        bare = {
            "two threads, plain files, no queue": measure_bare_renders(Path(folder)),
            "two threads, our jobs, no queue": measure_bare_jobs(picture),
        }
        available = bool(python) and shutil.which("redis-server") is not None
        others = measure_competitors(python, Path(folder), sys.argv[2:]) if available else {}
        ours = before.mean(_measure_tessera(picture))
    if not available:
        print("No interpreter with other queues was given, or redis-server is missing: measured ours only.\n")
    print("".join(f"{name} is not installed and left out.\n" for name, rates in others.items() if rates is None))
    own = ours.noop, ours.render
    measured = {"ours, two threads": own} | {name: rates for name, rates in others.items() if rates is not None}
    head = ("queue", "enqueued /s", "no-op: done /s", "ours / it", "render: done /s", "ours / it")
    rows = [_row(name, *rates, *own) for name, rates in measured.items()]
    rows += [(name, "", "", "", f"{each.rate:.1f}", f"{own[1].done / each.rate:.2f}") for name, each in bare.items()]
    print(table(head, rows))
    print(f"\nCPU ms of a render: ours {ours.cpu_ms:.1f} and {ours.mongod_ms:.1f} of mongod")
    for name, each in bare.items():
        print(f"{name}: {each.cpu_ms:.1f}, {each.cpu_ms / (ours.cpu_ms + ours.mongod_ms):.2f} of ours")


def _row(name: str, noop: Rates, work: Rates, own_noop: Rates, own_work: Rates) -> tuple[str, ...]:
    ratios = f"{own_noop.done / noop.done:.1f}", f"{own_work.done / work.done:.2f}"
    return (name, f"{noop.enqueued:.0f}", f"{noop.done:.0f}", ratios[0], f"{work.done:.1f}", ratios[1])


if __name__ == "__main__":
    main()
