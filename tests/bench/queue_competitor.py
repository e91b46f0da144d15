"""Another task queue, used as its manual says: `fill` enqueues tasks, `work` runs a worker.

Run by `queue_competitors.py` with the interpreter that has these queues installed.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

FOLDER, REDIS = Path(os.environ["COMPETITOR_FOLDER"]), os.environ["COMPETITOR_REDIS"]
POSTGRES = os.environ["COMPETITOR_POSTGRES"]
THREADS = 2


def noop(number: int) -> None:
    """Only record that the task ended."""
    _record_end()


def render(number: int) -> None:
    """Read, render and store, as a job of ours does."""
    from processing import mosaic

    result = mosaic.render((FOLDER / "photo.jpg").read_bytes(), mosaic.parse({"style": "mosaic", "seed": number}))
    (FOLDER / f"{number}.jpeg").write_bytes(result.data)
    _record_end()


def _record_end() -> None:
    descriptor = os.open(FOLDER / "ended", os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, b".")
    os.close(descriptor)


TASKS: dict[str, Callable[[int], None]] = {"noop": noop, "render": render}


def rq(arguments: list[str]) -> None:
    from redis import Redis
    from rq import Queue, SimpleWorker

    connection = Redis.from_url(REDIS)
    queue = Queue(connection=connection)
    if arguments[0] == "fill":
        module = "tests.bench.queue_competitor"
        _fill(arguments, lambda task, number: queue.enqueue(f"{module}.{task}", number, result_ttl=0))
    else:
        SimpleWorker([queue], connection=connection).work()


def dramatiq(arguments: list[str]) -> None:
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=REDIS)
    dramatiq.set_broker(broker)
    actors = {name: dramatiq.actor(task, queue_name="default") for name, task in TASKS.items()}
    if arguments[0] == "fill":
        _fill(arguments, lambda task, number: actors[task].send(number))
    else:
        dramatiq.Worker(broker, worker_threads=THREADS).start()
        while True:
            time.sleep(1)


def celery(arguments: list[str], pool: str) -> None:
    from celery import Celery

    app = Celery("competitors", broker=REDIS)
    app.conf.task_ignore_result = True
    tasks = {name: app.task(task, name=name) for name, task in TASKS.items()}
    if arguments[0] == "fill":
        _fill(arguments, lambda task, number: tasks[task].delay(number))
    else:
        app.worker_main(["worker", f"--pool={pool}", f"--concurrency={THREADS}", "--loglevel=ERROR"])


def huey(arguments: list[str], store: str, pool: str) -> None:
    """SQLite with fsync, as durable as ours; all use the same redis."""
    from huey import RedisHuey, SqliteHuey

    if store == "redis":
        queue = RedisHuey("competitors", url=REDIS, results=False)
    else:
        queue = SqliteHuey("competitors", filename=str(FOLDER / "huey.db"), results=False, fsync=True)
    tasks = {name: queue.task()(task) for name, task in TASKS.items()}
    if arguments[0] == "fill":
        _fill(arguments, lambda task, number: tasks[task](number))
    else:
        pace = {"initial_delay": 0.01, "max_delay": 0.05}
        queue.create_consumer(workers=THREADS, worker_type=pool, periodic=False, **pace).run()


def procrastinate(arguments: list[str]) -> None:
    """Jobs stay in the database when they have ended, as ours do."""
    from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
    from procrastinate.exceptions import ConnectorException

    filling = arguments[0] == "fill"
    app = App(connector=(SyncPsycopgConnector if filling else PsycopgConnector)(conninfo=POSTGRES))
    tasks = {name: app.task(task, name=name) for name, task in TASKS.items()}
    if not filling:
        app.run_worker(concurrency=THREADS, fetch_job_polling_interval=1.0)
        return
    with app.open():
        with contextlib.suppress(ConnectorException):  # it is there from the time before
            app.schema_manager.apply_schema()
        _fill(arguments, lambda task, number: tasks[task].defer(number=number))


def _fill(arguments: list[str], send: Callable[[str, int], object]) -> None:
    task, count = arguments[1], int(arguments[2])
    send(task, 0)
    started = time.perf_counter()
    for number in range(1, count):
        send(task, number)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    name, *how = kind.split("_")
    queues: dict[str, Callable[..., None]] = {"rq": rq, "dramatiq": dramatiq, "celery": celery, "huey": huey}
    queues["procrastinate"] = procrastinate
    queues[name](rest, *how)
