"""One peer's queue, as its manual says: `fill` it, or `work` it off. Run by `peers.py` under the peers' interpreter."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

FOLDER, REDIS = Path(os.environ["PEER_FOLDER"]), os.environ["PEER_REDIS"]
THREADS = 2


def nothing(number: int) -> None:
    """As little as a task can do: say that it ended."""
    _say_ended()


def work(number: int) -> None:
    """What our job does beside its records: read, render, store."""
    from processing import mosaic

    result = mosaic.render((FOLDER / "photo.jpg").read_bytes(), mosaic.parse({"style": "mosaic", "seed": number}))
    (FOLDER / f"{number}.jpeg").write_bytes(result.data)
    _say_ended()


def _say_ended() -> None:
    descriptor = os.open(FOLDER / "ended", os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, b".")
    os.close(descriptor)


TASKS: dict[str, Callable[[int], None]] = {"nothing": nothing, "work": work}


def rq(words: list[str]) -> None:
    from redis import Redis
    from rq import Queue, SimpleWorker

    connection = Redis.from_url(REDIS)
    queue = Queue(connection=connection)
    if words[0] == "fill":
        _fill(words, lambda task, number: queue.enqueue(f"tests.bench.queue_competitor.{task}", number, result_ttl=0))
    else:
        SimpleWorker([queue], connection=connection).work()


def dramatiq(words: list[str]) -> None:
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=REDIS)
    dramatiq.set_broker(broker)
    actors = {name: dramatiq.actor(task, queue_name="default") for name, task in TASKS.items()}
    if words[0] == "fill":
        _fill(words, lambda task, number: actors[task].send(number))
    else:
        dramatiq.Worker(broker, worker_threads=THREADS).start()
        while True:
            time.sleep(1)


def celery(words: list[str], pool: str) -> None:
    from celery import Celery

    app = Celery("peers", broker=REDIS)
    app.conf.task_ignore_result = True
    tasks = {name: app.task(task, name=name) for name, task in TASKS.items()}
    if words[0] == "fill":
        _fill(words, lambda task, number: tasks[task].delay(number))
    else:
        app.worker_main(["worker", f"--pool={pool}", f"--concurrency={THREADS}", "--loglevel=ERROR"])


def huey(words: list[str], store: str, pool: str) -> None:
    """Its SQLite is told to write durably, as ours does; redis is shared by all."""
    from huey import RedisHuey, SqliteHuey

    if store == "redis":
        queue = RedisHuey("peers", url=REDIS, results=False)
    else:
        queue = SqliteHuey("peers", filename=str(FOLDER / "huey.db"), results=False, fsync=True)
    tasks = {name: queue.task()(task) for name, task in TASKS.items()}
    if words[0] == "fill":
        _fill(words, lambda task, number: tasks[task](number))
    else:
        pace = {"initial_delay": 0.01, "max_delay": 0.05}
        queue.create_consumer(workers=THREADS, worker_type=pool, periodic=False, **pace).run()


def _fill(words: list[str], send: Callable[[str, int], object]) -> None:
    task, count = words[1], int(words[2])
    send(task, 0)
    begun = time.perf_counter()
    for number in range(1, count):
        send(task, number)
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    name, *how = kind.split("_")
    {"rq": rq, "dramatiq": dramatiq, "celery": celery, "huey": huey}[name](rest, *how)
