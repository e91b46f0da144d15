"""Jobs on a real Dask cluster: the same results, progress, stopping, errors, lost workers, a lost scheduler."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

from distributed import Client

from models import errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing import mosaic
from processing.engine import JobInterrupted, WorkerDied
from processing.engine.dask import ClusterEngine, OtherVersion, connect_cluster, run_on_worker
from processing.engine.job import Job, run
from processing.fetch.allowlist import FetchPolicy
from processing.process_setup import THREAD_SWITCH_S
from processing.rendering import Cancelled
from tests.fault_injection.cluster_demo import DaskCluster, dask_cluster
from tests.processing.bomb_check import error_of_a_bomb
from tests.support.other_version import copy_with_a_higher_version
from tests.support.pictures import jpeg
from tests.support.waiting import until

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
    bucket.put("source/large", jpeg(3000, 2000), mime="image/jpeg")
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


@pytest.mark.gen_test(timeout=180)
async def test_a_cluster_runs_jobs_as_a_thread_does(bucket: EmbeddedBucket) -> None:
    """One test for all, since a cluster takes seconds to start."""
    expected = run(job_of(bucket), lambda _: None)
    async with dask_cluster(workers=2) as dask, connect_cluster(dask.address) as engine:
        assert (engine.size, engine.problem) == (2, None)

        result = await engine.start(job_of(bucket), lambda _: None).future
        assert (result.key, result.etag) == (expected.key, expected.etag)
        await check_workers_are_set_up(dask)

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
        assert set((await client.run(sys.getswitchinterval)).values()) == {THREAD_SWITCH_S}
        bombs = await client.run(error_of_a_bomb)
    assert "DecompressionBombWarning" in bombs.values(), "on the worker that had the job"


@pytest.mark.gen_test(timeout=180)
async def test_an_engine_survives_lost_workers_and_a_lost_scheduler(bucket: EmbeddedBucket) -> None:
    async with dask_cluster(workers=2) as dask, connect_cluster(dask.address) as engine:
        await lose_a_worker(dask, engine, bucket)

        assert dask.scheduler is not None
        running = engine.start(job_of(bucket, "large"), lambda _: None)
        await asyncio.wait_for(running.begun, 20)
        await dask.scheduler.kill()
        await until(lambda: has_size(engine, 0))
        assert engine.problem is not None
        with pytest.raises(JobInterrupted):
            await running.future
        with pytest.raises(JobInterrupted):
            engine.start(job_of(bucket), lambda _: None)
        async with asyncio.timeout(30):
            assert await dask.workers[1].process.wait() is not None  # a worker ends with its scheduler

        await dask.start(port=urlsplit(dask.address).port or 0)
        await dask.add_worker()
        await until(lambda: has_size(engine, 1), timeout_s=30)
        result = await engine.start(job_of(bucket), lambda _: None).future
        assert result.key == run(job_of(bucket), lambda _: None).key

        last = engine.start(job_of(bucket, "large"), lambda _: None)
        await asyncio.wait_for(last.begun, 20)
        await dask.workers[-1].kill()
        with pytest.raises(JobInterrupted):
            await last.future


@pytest.mark.gen_test(timeout=180)
async def test_a_worker_without_our_code_or_with_another_version_gets_no_jobs(
    bucket: EmbeddedBucket, tmp_path: Path
) -> None:
    async with dask_cluster(workers=1) as dask:
        await dask.add_worker(folder=tmp_path)
        async with connect_cluster(dask.address) as engine:
            assert engine.size == 1
            assert engine.warnings == ["cluster: 1 workers run no jobs: without our code"]
            await dask.add_worker(folder=copy_with_a_higher_version(tmp_path / "copy"))
            await until(lambda: len(engine.warnings) == 2)
            assert engine.warnings[0] == "cluster: 1 workers run no jobs: another version of our code"
            assert engine.size == 1
            ends = [engine.start(job_of(bucket), lambda _: None).future for _ in range(3)]
            assert len({(await end).key for end in ends}) == 1

    with pytest.raises(OtherVersion):
        run_on_worker("0-another", b"no pickle", "topic", "name")


async def lose_a_worker(dask: DaskCluster, engine: ClusterEngine, bucket: EmbeddedBucket) -> None:
    """Kill a worker during its job: that job ends with WorkerDied."""
    running = [asyncio.Event() for _ in range(4)]  # two at once, one on each worker
    handles = [engine.start(job_of(bucket, "large"), lambda _, event=each: event.set()) for each in running]
    await until(lambda: are_set(running, 2))
    await dask.workers[0].kill()
    ends = await asyncio.gather(*(handle.future for handle in handles), return_exceptions=True)
    assert any(isinstance(end, WorkerDied) for end in ends)
    await until(lambda: has_size(engine, 1))


async def are_set(events: list[asyncio.Event], count: int) -> bool:
    return sum(event.is_set() for event in events) >= count


async def has_size(engine: ClusterEngine, size: int) -> bool:
    return engine.size == size
