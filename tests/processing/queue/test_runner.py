"""One attempt, and everything that may happen to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from models import errors
from models.database import Database
from models.images import ImageKind
from models.queue.tasks import TaskState
from processing.engine import WorkerDied
from tests.processing.queue.queue_harness import ADA, BOB, QueueHarness, queue_harness
from tests.support.waiting import until


@pytest.mark.gen_test
async def test_a_finished_task_names_its_result_and_what_it_took(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        done = await here.finish(await here.add())

        result = await here.images.by_id(done.result_id or 0)

    assert (done.seconds, done.megapixels, done.attempts) == (0.5, 1.0, 1)
    assert (result.kind, result.owner, result.url) == (ImageKind.RESULT, ADA, done.result_url)


@pytest.mark.gen_test
async def test_a_worker_that_dies_over_a_task_costs_it_an_attempt(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        await here.runs(task)

        here.engine.fail(task.id, WorkerDied())
        done = await here.finish(task)

    assert (done.attempts, done.crashes) == (2, 1)


@pytest.mark.gen_test
async def test_a_running_task_that_is_cancelled_leaves_nothing(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        await here.runs(task)

        await here.queue.cancel(task.id)
        await here.becomes(task, TaskState.CANCELLED, timeout_s=0.5)

        assert list(here.bucket.list()) == []
        assert (await here.images.latest(owner_ids=[1], limit=5)).images == []


@pytest.mark.gen_test
async def test_a_result_that_comes_after_the_cancellation_is_taken_away(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        run = await here.runs(task)
        run.deaf = True

        await here.queue.cancel(task.id)
        here.engine.finish(task.id)
        ended = await here.becomes(task, TaskState.CANCELLED)

        assert ended.result_id is None
        assert list(here.bucket.list()) == []
        assert (await here.images.latest(owner_ids=[1], limit=5)).images == []


@pytest.mark.gen_test
async def test_cancelling_a_repetition_leaves_the_first_result_alone(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        first = await here.finish(await here.add(name="a"), key="mosaic/same.png")
        again = await here.add(name="the same bytes under another key")
        run = await here.runs(again)
        run.deaf = True

        await here.queue.cancel(again.id)
        here.engine.finish(again.id, "mosaic/same.png")
        await here.becomes(again, TaskState.CANCELLED)

        assert (await here.images.by_id(first.result_id or 0)).key == "mosaic/same.png"
        assert here.bucket.stat("mosaic/same.png").size_bytes == 8


@pytest.mark.gen_test
async def test_the_same_asked_twice_is_rendered_once_even_when_both_wait(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        adas = await here.add(ADA)
        await here.runs(adas)
        bobs = await here.add(BOB)

        first = await here.finish(adas)
        second = await here.becomes(bobs, TaskState.DONE)

    assert here.engine.started == [adas.id]
    assert first.result_id != second.result_id
    assert first.result_url == second.result_url


@pytest.mark.gen_test
async def test_a_result_whose_object_is_gone_is_made_again(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        first = await here.finish(await here.add(ADA))
        here.bucket.delete(f"mosaic/{first.id}.png")

        second = await here.finish(await here.add(BOB), key=f"mosaic/{first.id}.png")

    assert len(here.engine.started) == 2
    assert second.result_url == first.result_url


@pytest.mark.gen_test
async def test_an_error_that_passes_is_tried_again_after_a_rest(
    database: Database, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("bucket_unavailable; trying again")
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        await here.runs(task)

        here.engine.fail(task.id, errors.BucketUnavailable())
        resting = await here.becomes(task, TaskState.QUEUED)
        done = await here.finish(task)

    assert (resting.retries, done.attempts) == (1, 2)
    assert done.started is not None
    assert resting.started is not None
    assert (done.started - resting.started).total_seconds() >= 0.75


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (errors.NotAPicture(formats="PNG"), "not_a_picture"),
        (errors.RecipeImpossible(field="cell", value=3, allowed=range(4, 9)), "recipe_impossible"),
    ],
)
@pytest.mark.gen_test
async def test_an_error_that_does_not_pass_fails_at_once(
    database: Database, tmp_path: Path, error: errors.JobError, slug: str
) -> None:
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        await here.runs(task)

        here.engine.fail(task.id, error)
        failed = await here.becomes(task, TaskState.FAILED)

    assert (failed.error, failed.attempts) == (slug, 1)


@pytest.mark.gen_test
async def test_what_nobody_foresaw_fails_the_task_and_not_the_worker(
    database: Database, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("nobody foresaw")
    async with queue_harness(database, tmp_path, size=1) as here:
        task = await here.add()
        await here.runs(task)

        here.engine.fail(task.id, ZeroDivisionError())
        failed = await here.becomes(task, TaskState.FAILED)
        await here.finish(await here.add(name="the next one"))

    assert failed.error == "job_failed"


@pytest.mark.gen_test
async def test_a_late_word_of_a_lost_lease_changes_nothing(
    database: Database, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("the lease was lost")
    async with queue_harness(database, tmp_path, "one", size=1) as one:
        task = await one.add()
        run = await one.runs(task)
        run.deaf = True
        await expire(one, task.id)
        async with queue_harness(database, tmp_path, "two", size=1) as two:
            taken = await two.queue._workers._claims.reclaim_expired()
            await two.runs(task)

            one.engine.finish(task.id)
            async with asyncio.timeout(5):
                while one.queue.active_count:
                    await asyncio.sleep(0.01)
            meanwhile = await two.tasks.by_id(task.id)
            done = await two.finish(task)

    assert [one.crashes for one in taken] == [1]
    assert (meanwhile.state, meanwhile.server) == (TaskState.RUNNING, "two")
    assert (done.attempts, done.state) == (2, TaskState.DONE)


@pytest.mark.gen_test
async def test_stale_news_of_a_cancellation_stops_no_later_attempt(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        await here.runs(task)

        here.queue._workers._attempts[(task.id, 1)].stop()
        done = await here.finish(task)

    assert done.state is TaskState.DONE


@pytest.mark.gen_test
async def test_progress_is_told_in_steps_and_never_falls(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.queue.attempt.SILENT_S", 60.0)
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        run = await here.runs(task)

        for percent in (10, 30, 20, 50, 70, 90):
            run.progress(percent / 100)
            await asyncio.sleep(0.16)
        await here.finish(task)
        percents = [news.percent for news in here.events if news.kind == "progress"]

    assert percents == [10, 30, 50, 70, 90]


@pytest.mark.gen_test
async def test_a_long_step_that_cannot_say_how_far_it_is_counts_on_but_not_too_far(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.queue.attempt.SILENT_S", 0.02)
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        run = await here.runs(task)

        run.progress(0.7)
        await here.wait_for_percent(78)
        await asyncio.sleep(0.2)
        run.progress(0.92)
        await here.wait_for_percent(92)
        await here.finish(task)
        percents = [news.percent for news in here.events if news.kind == "progress"]

    assert percents == sorted(set(percents))
    assert 79 not in percents


@pytest.mark.gen_test
async def test_a_cancelled_job_in_a_call_that_nothing_interrupts_is_not_waited_for(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as here:
        task, next_one = await here.add(), await here.add(name="b", seed=1)
        run = await here.runs(task)
        run.deaf = True

        await here.queue.cancel(task.id)
        await here.becomes(task, TaskState.CANCELLED)
        assert not run.outcome.done()
        await here.runs(next_one)
        here.engine.finish(task.id)
        await until(lambda: _empty(here))
        await here.finish(next_one, key="mosaic/other.png")

        assert [stat.key for stat in here.bucket.list()] == ["mosaic/other.png"]


@pytest.mark.gen_test
async def test_what_a_job_stored_after_it_was_given_up_stays_where_somebody_else_has_it(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=2) as here:
        task, same = await here.add(name="a"), await here.add(name="the same bytes under another key")
        run = await here.runs(task)
        run.deaf = True
        await here.finish(same, key="mosaic/same.png")

        await here.queue.cancel(task.id)
        await here.becomes(task, TaskState.CANCELLED)
        late = set(here.queue._workers._runner.cleanups)
        here.engine.finish(task.id, "mosaic/same.png")
        await asyncio.wait(late, timeout=5)

        assert here.bucket.stat("mosaic/same.png").size_bytes == 8


async def _empty(here: QueueHarness) -> bool:
    return not list(here.bucket.list())


async def expire(here: QueueHarness, task_id: int) -> None:
    """End the lease, as if its server had been silent for a while."""
    tasks = here.database.collection("tasks")
    await tasks.find_one_and_update({"_id": task_id}, [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1000]}}}])
