"""Jobs on a real Dask cluster: the same job, progress home, stop out, lost workers, a lost scheduler."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

from distributed import Client

from models import errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing import mosaic
from processing.engine import WorkerDied
from processing.engine.dask import ClusterEngine
from processing.engine.job import Job, run
from processing.fetch.allowlist import FetchPolicy
from processing.process_setup import THREAD_SWITCH_S
from processing.rendering import Cancelled
from tests.fault_injection.cluster_demo import dask_cluster
from tests.processing.bomb_check import error_of_a_bomb
from tests.support.pictures import jpeg
from tests.support.waiting import until

RECIPE = mosaic.parse({"style": "mosaic", "cell": 8}).to_dict()
SLOW = mosaic.parse("tesserae").to_dict()

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of distributed and what it brings
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def bucket(tmp_path: Path) -> EmbeddedBucket:
    keys = Keys("access", "secret")
    bucket = EmbeddedBucket(
        tmp_path, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=90_000_000
    )
    bucket.put("source/small", jpeg(300, 200), mime="image/jpeg")
    bucket.put("source/large", jpeg(3000, 2000), mime="image/jpeg")
    return bucket


def job_of(bucket: EmbeddedBucket, name: str = "small") -> Job:
    recipe = SLOW if name == "large" else RECIPE
    return Job(1, "", f"source/{name}", recipe, bucket, FetchPolicy(limit_bytes=90_000_000), max_megapixels=50)


@pytest.mark.gen_test(timeout=180)
async def test_a_cluster_does_what_a_thread_does_and_outlives_its_parts(
    bucket: EmbeddedBucket, expect_log: Callable[[str], None]
) -> None:
    """One test for the whole story: a cluster takes seconds to start."""
    expect_log("cluster: ")
    expect_log("distributed|dask")
    here = run(job_of(bucket), lambda _: None)
    async with AsyncExitStack() as stack:
        dask = await stack.enter_async_context(dask_cluster(workers=2))
        engine = await stack.enter_async_context(ClusterEngine(dask.address))
        assert (engine.size, engine.problem) == (2, None)

        there = await engine.start(job_of(bucket), lambda _: None).result()
        assert (there.key, there.etag) == (here.key, here.etag)

        async with Client(dask.address, asynchronous=True, set_as_default=False) as client:
            assert set((await client.run(sys.getswitchinterval)).values()) == {THREAD_SWITCH_S}
            bombs = await client.run(error_of_a_bomb)
        assert "DecompressionBombWarning" in bombs.values(), "on the worker that had the job"

        told: list[float] = []
        await engine.start(job_of(bucket, "large"), told.append).result()
        assert len(told) > 2
        assert told == sorted(told)

        stopped = engine.start(job_of(bucket, "large"), lambda _: None)
        stopped.stop()
        with pytest.raises(Cancelled):
            await stopped.result()

        with pytest.raises(errors.SourceMissing):
            await engine.start(job_of(bucket, "nothing"), lambda _: None).result()

        begun = [asyncio.Event() for _ in range(4)]  # two at once, one on each worker
        lost = [engine.start(job_of(bucket, "large"), lambda _, told=one: told.set()) for one in begun]
        await until(lambda: are_set(begun, 2))
        await dask.workers[0].kill()
        ends = await asyncio.gather(*(one.result() for one in lost), return_exceptions=True)
        assert any(isinstance(end, WorkerDied) for end in ends)
        await until(lambda: size_is(engine, 1))

        assert dask.scheduler is not None
        await dask.scheduler.kill()
        await until(lambda: size_is(engine, 0))
        assert engine.problem is not None
        with pytest.raises(errors.Unavailable):
            await engine.start(job_of(bucket), lambda _: None).result()

        await dask.start(port=urlsplit(dask.address).port or 0)
        await dask.add_worker()
        await until(lambda: size_is(engine, 1), timeout_s=30)
        again = await engine.start(job_of(bucket), lambda _: None).result()
        assert again.key == here.key


async def are_set(events: list[asyncio.Event], count: int) -> bool:
    return sum(event.is_set() for event in events) >= count


async def size_is(engine: ClusterEngine, size: int) -> bool:
    return engine.size == size
