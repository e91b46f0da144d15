"""Jobs on a real Dask cluster: the same results, progress, stopping, errors, lost workers, a lost scheduler."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

from distributed import Client
from tornado.httpclient import AsyncHTTPClient

from models import errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from models.database import Database
from processing import mosaic
from processing.engine import JobInterrupted, WorkerDied
from processing.engine.dask import ClusterEngine, OtherVersion, connect_cluster, run_on_worker
from processing.engine.job import Job, run
from processing.fetch.allowlist import FetchPolicy
from processing.images.tile_pool import TileRef
from processing.rendering import Cancelled
from processing.thread_priority import THREAD_SWITCH_S
from tests.fault_injection.cluster_demo import DaskCluster, dask_cluster
from tests.processing.bomb_check import error_of_a_bomb
from tests.support.accounts import add_account
from tests.support.client import ApiClient
from tests.support.other_version import copy_with_a_higher_version
from tests.support.pictures import jpeg
from tests.support.process import ServerProcess, suspend
from tests.support.waiting import LIMIT_S, finished, until

RECIPE = mosaic.parse({"style": "mosaic", "cell": 8}).to_dict()
SLOW = mosaic.parse("tesserae").to_dict()

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of distributed and its dependencies
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def bucket(tmp_path: Path) -> EmbeddedBucket:
    keys, limit = Keys("access", "secret"), 90_000_000
    bucket = EmbeddedBucket(tmp_path, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=limit)
    bucket.put("source/small", jpeg(300, 200), mime="image/jpeg")
    bucket.put("source/large", jpeg(1800, 1200), mime="image/jpeg")
    return bucket


@pytest.fixture(autouse=True)
def _expected_logs(expect_log: Callable[[str], None]) -> None:
    expect_log("cluster: ")
    expect_log("distributed|dask")


def job_of(bucket: EmbeddedBucket, name: str = "small") -> Job:
    recipe = SLOW if name == "large" else RECIPE
    return Job(
        1,
        "",
        f"source/{name}",
        recipe,
        bucket,
        FetchPolicy(limit_bytes=90_000_000),
        max_megapixels=50,
        max_result_megapixels=150,
    )


def photomosaic_of(bucket: EmbeddedBucket, **params: object) -> Job:
    """Of pictures that the worker reads from the bucket; those with even numbers were not measured before."""
    pictures = {number: jpeg(60, 50, seed=number) for number in range(12)}
    keys = {number: bucket.put(f"source/{number}", data, mime="image/jpeg").key for number, data in pictures.items()}
    features = {number: mosaic.measure_features(data) for number, data in pictures.items() if number % 2}
    tiles = tuple(TileRef(number, key, features.get(number)) for number, key in keys.items())
    recipe = mosaic.parse({"style": "photomosaic", "cell": 20, "every": True, "tiles": list(keys), **params}).to_dict()
    return replace(job_of(bucket), recipe=recipe, tiles=tiles)


@pytest.mark.gen_test
async def test_a_cluster_runs_jobs_as_a_thread_does_and_an_engine_survives_its_losses(
    bucket: EmbeddedBucket, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test for all, since a cluster takes seconds to start."""
    async with dask_cluster(workers=2) as dask, connect_cluster(dask.address) as engine:
        await until(lambda: has_size(engine, 2))
        assert engine.problem is None
        await check_jobs_are_those_of_a_thread(engine, bucket)
        await check_workers_are_set_up(dask)
        with monkeypatch.context() as patch:
            patch.setattr("processing.engine.dask.WORKER_TIMEOUT_S", 0.25)
            await join_beside_a_worker_that_hangs(dask)
        assert "cluster: a worker does not answer; it gets no jobs until it does" in caplog.text
        await lose_a_worker(dask, engine, bucket)
        await lose_the_scheduler(dask, engine, bucket)


async def check_jobs_are_those_of_a_thread(engine: ClusterEngine, bucket: EmbeddedBucket) -> None:
    expected = run(job_of(bucket), lambda _: None)
    photomosaics = [photomosaic_of(bucket, shape="hexagon"), photomosaic_of(bucket, split=True)]
    photomosaics_expected = [run(job, lambda _: None) for job in photomosaics]

    result = await engine.start(job_of(bucket), lambda _: None).future
    assert (result.key, result.etag) == (expected.key, expected.etag)

    for job, of_thread in zip(photomosaics, photomosaics_expected, strict=True):
        result = await engine.start(job, lambda _: None).future
        assert (result.etag, result.features, result.map_key) == (
            of_thread.etag,
            of_thread.features,
            of_thread.map_key,
        )
        assert list(result.features) == list(range(0, 12, 2)), "what was not measured before"

    fractions: list[float] = []
    await engine.start(job_of(bucket, "large"), fractions.append).future
    assert len(fractions) > 2
    assert fractions == sorted(fractions)

    stopped = engine.start(job_of(bucket, "large"), lambda _: None)
    stopped.stop()
    with pytest.raises(Cancelled):
        await stopped.future

    with pytest.raises(errors.SourceMissing):
        await engine.start(job_of(bucket, "nothing"), lambda _: None).future


async def check_workers_are_set_up(dask: DaskCluster) -> None:
    async with Client(dask.address, asynchronous=True, set_as_default=False) as client:
        assert list((await client.run(sys.getswitchinterval)).values()) == [pytest.approx(THREAD_SWITCH_S)] * 2
        bombs = await client.run(error_of_a_bomb)
    assert "DecompressionBombWarning" in bombs.values(), "on the worker that had the job"


async def join_beside_a_worker_that_hangs(dask: DaskCluster) -> None:
    """As a server that starts meanwhile."""
    hanging = dask.workers[1].process
    await suspend(hanging.pid)
    async with connect_cluster(dask.address) as engine:
        await until(lambda: has_size(engine, 1))
        assert engine.workers == {"connected": 1, "refused": 0, "missing": 1}
        hanging.send_signal(signal.SIGCONT)
        await until(lambda: has_size(engine, 2))


async def lose_the_scheduler(dask: DaskCluster, engine: ClusterEngine, bucket: EmbeddedBucket) -> None:
    """Kill the scheduler during a job, start it and a worker again, and kill that worker during its job too."""
    assert dask.scheduler is not None
    running = engine.start(job_of(bucket, "large"), lambda _: None)
    await asyncio.wait_for(running.begun, 20)
    await dask.scheduler.kill()
    with pytest.raises(JobInterrupted):
        await running.future
    assert engine.size == 0, "at once: else tasks are leased, and lost, again and again until the monitor looks"
    assert engine.problem is not None
    with pytest.raises(JobInterrupted):
        engine.start(job_of(bucket), lambda _: None)
    async with asyncio.timeout(LIMIT_S):
        assert await dask.workers[1].process.wait() is not None  # a worker ends with its scheduler

    await dask.start(port=urlsplit(dask.address).port or 0)
    await dask.add_worker()
    await until(lambda: has_size(engine, 1))
    result = await engine.start(job_of(bucket), lambda _: None).future
    assert result.key == run(job_of(bucket), lambda _: None).key

    last = engine.start(job_of(bucket, "large"), lambda _: None)
    await asyncio.wait_for(last.begun, 20)
    await dask.workers[-1].kill()
    with pytest.raises(JobInterrupted):
        await last.future


async def state_of(server: ApiClient) -> tuple[dict[str, float], int, list[str], list[str]]:
    """The workers by state in the metrics; the status, problems and warnings of health."""
    health, text = await server.get("/health"), (await server.get("/metrics")).body.decode()
    workers = {
        state: float(count)
        for state, count in re.findall(r'^tessera_cluster_workers\{state="(\w+)"\} (\S+)$', text, re.M)
    }
    return workers, health.status, health["problems"], health["warnings"]


@pytest.mark.gen_test
async def test_workers_that_run_no_jobs_are_counted_by_state_and_hold_up_nobody(
    tmp_path: Path, on_shared_mongod: tuple[str, ...], database: Database
) -> None:
    client = AsyncHTTPClient(force_instance=True)
    reasons = ("another version of our code", "they do not answer", "without our code")
    async with dask_cluster(workers=1) as dask:
        await dask.add_worker(folder=tmp_path)
        await dask.add_worker(folder=copy_with_a_higher_version(tmp_path / "copy"))
        hanging = (await dask.add_worker()).process
        hanging.send_signal(signal.SIGSTOP)
        await add_account(database, "ada")
        options = (f"--dask={dask.address}", "--developers=ada", *on_shared_mongod)
        with ServerProcess(tmp_path / "data", *options) as server:
            ada = await ApiClient(client, server.base_url).sign_in("ada")
            warnings = [f"cluster: 1 workers run no jobs: {reason}" for reason in reasons]

            async def is_in(state: tuple[dict[str, float], int, list[str], list[str]]) -> bool:
                workers, status, problems, lines = await state_of(ada)
                return (workers, status, problems, [line for line in lines if "cluster" in line]) == state

            counted = {"connected": 1.0, "refused": 2.0, "missing": 1.0}
            await until(lambda: is_in((counted, 200, [], warnings)))
            task = await ada.add_task((await ada.upload())["url"])
            assert (await finished(ada, task["id"]))["state"] == "done"

            hanging.send_signal(signal.SIGCONT)
            counted = {"connected": 2.0, "refused": 2.0, "missing": 0.0}
            await until(lambda: is_in((counted, 200, [], [warnings[0], warnings[2]])))

            async def reported() -> bool:
                (report,) = (await ada.get("/api/queue/status/"))["servers"]
                return bool(report["workers"] == counted and report["threads"] == 2)

            await until(reported)
            for worker in (dask.workers[0], dask.workers[3]):
                await worker.kill()
            counted = {"connected": 0.0, "refused": 2.0, "missing": 0.0}
            problems = ["cluster: no worker answers"]
            await until(lambda: is_in((counted, 503, problems, [warnings[0], warnings[2]])))
    client.close()

    with pytest.raises(OtherVersion):
        run_on_worker("0-another", b"no pickle", "topic", "name")


async def lose_a_worker(dask: DaskCluster, engine: ClusterEngine, bucket: EmbeddedBucket) -> None:
    """Kill a worker during its job: that job ends with WorkerDied."""
    running = [asyncio.Event() for _ in range(4)]  # two at once, one on each worker
    handles = [engine.start(job_of(bucket, "large"), lambda _, event=each: event.set()) for each in running]
    await until(lambda: are_set(running, 2))
    await dask.workers[0].kill()
    await asyncio.wait([handle.future for handle in handles], return_when=asyncio.FIRST_EXCEPTION)
    for handle in handles:
        handle.stop()
    ends = await asyncio.gather(*(handle.future for handle in handles), return_exceptions=True)
    assert any(isinstance(end, WorkerDied) for end in ends)
    await until(lambda: has_size(engine, 1))


async def are_set(events: list[asyncio.Event], count: int) -> bool:
    return sum(event.is_set() for event in events) >= count


async def has_size(engine: ClusterEngine, size: int) -> bool:
    return engine.size == size
