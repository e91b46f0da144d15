"""What the metrics count of jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing.engine import JobInterrupted, WorkerDied
from processing.engine.instrumented import InstrumentedEngine
from processing.engine.job import Job
from processing.fetch.allowlist import FetchPolicy
from processing.metrics import Metrics
from processing.rendering import Cancelled
from tests.processing.queue.queue_harness import RECIPE, ManualEngine, settle


@pytest.fixture
def job(tmp_path: Path) -> Job:
    keys = Keys("access", "secret")
    bucket = EmbeddedBucket(tmp_path, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=1000)
    return Job(1, "", "source/a", RECIPE, bucket, FetchPolicy(), max_megapixels=50, max_result_megapixels=150)


def lines(metrics: Metrics, name: str) -> list[str]:
    text = metrics.text("")[0].decode()
    return [line for line in text.splitlines() if line.startswith(f"tessera_{name}{{")]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Cancelled(), "stopped"),
        (WorkerDied(), "lost"),
        (JobInterrupted(), "lost"),
        (errors.SourceMissing(), "source_missing"),
        (ZeroDivisionError(), "internal"),
    ],
)
@pytest.mark.gen_test
async def test_the_end_of_a_job_is_counted_by_its_reason(job: Job, error: Exception, outcome: str) -> None:
    manual, metrics = ManualEngine(), Metrics()
    handle = InstrumentedEngine(manual, metrics).start(job, lambda _: None)

    manual.fail(1, error)
    with pytest.raises(type(error)):
        await handle.future
    await settle()

    assert lines(metrics, "jobs_total") == [f'tessera_jobs_total{{outcome="{outcome}",style="mosaic"}} 1.0']


@pytest.mark.gen_test
async def test_a_job_that_its_server_gives_up_is_no_outcome_and_occupies_no_thread(job: Job) -> None:
    """As at the end of a server whose jobs do not stop in time."""
    metrics = Metrics()
    handle = InstrumentedEngine(ManualEngine(), metrics).start(job, lambda _: None)
    before = lines(metrics, "threads_busy")

    handle.future.cancel()
    await settle()

    assert before == ['tessera_threads_busy{pool="render"} 1.0']
    assert lines(metrics, "threads_busy") == ['tessera_threads_busy{pool="render"} 0.0']
    assert lines(metrics, "jobs_total") == []
