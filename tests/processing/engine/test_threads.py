"""The threads of a server: one job in each, and a small one beside them in the spare one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from models import errors
from models.bucket import Stat
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing import mosaic
from processing.engine.job import ENCODED, SMALL_PIXELS, Job
from processing.engine.threads import ThreadEngine
from processing.fetch.allowlist import FetchPolicy
from processing.images.tile_pool import TileRef
from tests.support.pictures import encoded, png
from tests.support.waiting import LIMIT_S, until

RECIPE = mosaic.parse({"style": "mosaic", "cell": 8}).to_dict()
REVEALED = mosaic.parse({"style": "mosaic", "cell": 8, "format": "gif", "reveal": True}).to_dict()
FRAMES = [Image.new("L", (2700, 2600), level) for level in (0, 200)]
ANIMATION = encoded(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:], duration=100)
LARGE = encoded(Image.new("RGB", (4000, 1 + SMALL_PIXELS // 4000)), "PNG")


class GatedBucket(EmbeddedBucket):
    """Reads are counted, and wait for the gate; writes for another one."""

    def __init__(self, folder: Path) -> None:
        keys = Keys("access", "secret")
        super().__init__(folder, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=9_000_000)
        self.gate, self.write_gate, self.reads = threading.Event(), threading.Event(), 0
        self.gate.set()
        self.write_gate.set()

    def read(self, key: str, *, limit_bytes: int, timeout_s: float) -> bytes:
        self.reads += 1
        self.gate.wait(LIMIT_S)
        return super().read(key, limit_bytes=limit_bytes, timeout_s=timeout_s)

    def put(self, key: str, data: bytes, *, mime: str) -> Stat:
        self.write_gate.wait(LIMIT_S)
        return super().put(key, data, mime=mime)


@pytest.fixture
def bucket(tmp_path: Path) -> GatedBucket:
    return GatedBucket(tmp_path)


def job_of(bucket: EmbeddedBucket, source: bytes) -> Job:
    bucket.put("source/a", source, mime="image/png")
    return Job(1, "http://x/bucket/source/a", "source/a", RECIPE, bucket, FetchPolicy(), 50, 150)


@asynccontextmanager
async def occupied_engine(gate: threading.Event) -> AsyncIterator[ThreadEngine]:
    """An engine with one render thread, which is taken until the gate opens."""
    engine = ThreadEngine(1)
    engine.render_threads.submit(gate.wait, LIMIT_S)
    try:
        yield engine
    finally:
        gate.set()
        await engine.close()


@pytest.mark.gen_test
async def test_a_small_job_is_done_beside_those_that_take_all_threads(bucket: GatedBucket) -> None:
    async with occupied_engine(threading.Event()) as engine:
        handle = engine.start(job_of(bucket, png(90, 60)), lambda _: None, spare=True)
        result = await handle.future

        assert (result.width, result.height) == (90, 60)
        assert handle.begun.done()
        assert engine.spare_free


@pytest.mark.requirement(10)
@pytest.mark.parametrize(
    ("source", "changes"),
    [
        (LARGE, {}),
        (png(90, 60), {"recipe": RECIPE | {"size": 4000}}),
        (ANIMATION, {}),
        (png(90, 60), {"recipe": REVEALED}),
        (png(90, 60), {"tiles": (TileRef(7, "source/a"),)}),
        (png(90, 60), {"colours": TileRef(7, "source/a")}),
    ],
    ids=[
        "a large source",
        "a large result",
        "many frames",
        "an animation that shows it grow",
        "a tile pool",
        "colours of another picture",
    ],
)
@pytest.mark.gen_test
async def test_a_job_that_needs_much_memory_waits_for_a_thread_and_its_time_does_not_count_meanwhile(
    bucket: GatedBucket, source: bytes, changes: dict[str, object]
) -> None:
    gate = threading.Event()
    async with occupied_engine(gate) as engine:
        job = replace(job_of(bucket, source), **changes)  # type: ignore[arg-type]
        handle = engine.start(job, lambda _: None, spare=True)
        await until(lambda: engine.spare_free)
        waits = not (handle.future.done() or handle.begun.done())
        reads = bucket.reads

        gate.set()
        await handle.future

        assert waits
        assert reads == 1
        assert handle.begun.done()


@pytest.mark.gen_test
async def test_what_is_no_picture_fails_on_the_spare_thread(bucket: GatedBucket) -> None:
    async with occupied_engine(threading.Event()) as engine:
        with pytest.raises(errors.NotAPicture):
            await engine.start(job_of(bucket, b"no picture"), lambda _: None, spare=True).future


@pytest.mark.gen_test
async def test_the_spare_thread_is_not_free_while_a_job_hangs_there_after_it_was_given_up(bucket: GatedBucket) -> None:
    async with occupied_engine(threading.Event()) as engine:
        bucket.gate.clear()
        handle = engine.start(job_of(bucket, png()), lambda _: None, spare=True)
        handle.stop()
        free = engine.spare_free
        bucket.gate.set()
        await until(handle.future.done)

        assert not free
        assert engine.spare_free
        assert isinstance(handle.future.exception(), Exception)


@pytest.mark.gen_test
async def test_a_thread_renders_while_its_last_result_is_stored_but_no_more_results_wait_than_there_are_threads(
    bucket: GatedBucket,
) -> None:
    job, engine, encoded = job_of(bucket, png(90, 60)), ThreadEngine(1, clock=lambda: 0.0), list[float]()
    bucket.write_gate.clear()
    try:
        handles = [engine.start(job, encoded.append) for _ in range(3)]
        await until(lambda: len(encoded) == 2)
        fetched = bucket.reads

        bucket.write_gate.set()
        stored = [await handle.future for handle in handles]

        assert fetched == 2, "one result is being stored, one more keeps the thread"
        assert len(stored) == bucket.reads == 3
    finally:
        bucket.write_gate.set()
        await engine.close()


@pytest.mark.gen_test
async def test_a_large_result_keeps_its_thread_until_it_is_stored(
    bucket: GatedBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.engine.threads.STORED_BESIDE_BYTES", 10)
    job, engine = job_of(bucket, png(90, 60)), ThreadEngine(1, clock=lambda: 0.0)
    encoded_at_once: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    bucket.write_gate.clear()
    try:
        handle = engine.start(job, encoded_at_once.set_result)
        next_handle = engine.start(job, lambda _: None)
        assert await encoded_at_once >= ENCODED
        waits = bucket.reads == 1

        bucket.write_gate.set()
        await handle.future
        await next_handle.future

        assert waits
    finally:
        bucket.write_gate.set()
        await engine.close()


@pytest.mark.gen_test
async def test_a_result_that_cannot_be_stored_fails_its_job(
    bucket: GatedBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, engine = job_of(bucket, png(90, 60)), ThreadEngine(1)

    def put(*_: object, **__: object) -> Stat:
        raise errors.StorageFull()

    monkeypatch.setattr(bucket, "put", put)
    try:
        with pytest.raises(errors.StorageFull):
            await engine.start(job, lambda _: None).future
    finally:
        await engine.close()
