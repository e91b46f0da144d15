"""What failed work picture is released with its last line, not by the garbage collector."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from models import errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing import mosaic
from processing.engine.job import Job, run
from processing.engine.threads import ThreadEngine
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.images.thumbnail_render import make_thumbnail
from processing.rendering import Cancelled
from processing.tracebacks import cleared_frames
from tests.support.pictures import encoded

SIZE = (1237, 1011)
WHOLE = encoded(Image.effect_noise(SIZE, 60).convert("RGB"), "JPEG")
DAMAGED = WHOLE[: len(WHOLE) * 9 // 10]


def decoded_pictures() -> int:
    """How many pictures of the test's size are in memory."""
    return sum(issubclass(type(each), Image.Image) and each.size == SIZE for each in gc.get_objects())


@pytest.fixture(autouse=True)
def _no_collection() -> Iterator[None]:
    gc.collect()
    gc.freeze()  # what other tests have left: to look through it takes as long as a test
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    keys = Keys("access", "secret")
    bucket = EmbeddedBucket(
        tmp_path, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=9_000_000
    )
    bucket.put("source/a", DAMAGED, mime="image/jpeg")
    bucket.put("source/b", WHOLE, mime="image/jpeg")
    return Job(1, "http://x/a", "source/a", mosaic.parse({}).to_dict(), bucket, FetchPolicy(), 50, 150)


@pytest.mark.gen_test
async def test_a_failed_job_leaves_no_picture_in_memory(job: Job) -> None:
    engine = ThreadEngine(1)
    handle = engine.start(job, lambda _: None)

    with pytest.raises(errors.NotAPicture) as caught:
        await handle.future

    assert (decoded_pictures(), caught.value.__cause__ is not None) == (0, True)
    await engine.close()


def test_a_cancelled_job_leaves_no_picture_in_memory(job: Job) -> None:
    counts = list[int]()

    def report(fraction: float) -> None:
        if fraction > 0.3:
            counts.append(decoded_pictures())
            if counts[-1]:
                raise Cancelled

    with pytest.raises(Cancelled) as caught:
        run(replace(job, source_key="source/b"), report)

    assert (counts[-1] > 0, decoded_pictures(), caught.value.__traceback__ is not None) == (True, 0, True)


@pytest.mark.gen_test
async def test_a_thumbnail_that_fails_leaves_no_picture_in_memory() -> None:
    executors = Executors(1)
    making = executors.preview(make_thumbnail, DAMAGED, None, 4000, 50)

    with pytest.raises(errors.NotFound):
        await making

    assert decoded_pictures() == 0
    await executors.close()


def test_every_error_of_a_chain_is_cleared_and_keeps_its_lines() -> None:
    def fail() -> None:
        picture = Image.new("L", SIZE)
        raise ValueError(picture.size)

    def translate() -> None:
        try:
            fail()
        except ValueError as error:
            raise KeyError from error

    with pytest.raises(KeyError) as caught, cleared_frames():
        translate()

    cause = caught.value.__cause__
    assert decoded_pictures() == 0
    assert cause is not None
    assert [line.name for line in traceback.extract_tb(cause.__traceback__)] == ["translate", "fail"]
