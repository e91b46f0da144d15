"""The life of a task, from its lease to its recorded end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models import errors
from models.database import Database
from models.errors import Phrase
from models.images.image import ImageKind
from models.images.visibility import SERVER
from models.queue.leases import Leases
from models.queue.task import TaskState
from processing.engine.job import ENCODED
from processing.queue.event_feed import publish_cancel
from tests.processing.queue.queue_harness import ADA, BOB, QueueHarness, queue_harness
from tests.support.waiting import until


@pytest.mark.gen_test
async def test_a_finished_task_has_a_result_and_its_measurements(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        done = await server.finish(await server.add())

        result = await server.store.images.by_id(done.result_id or 0, SERVER)

    assert (done.seconds, done.megapixels, done.attempts) == (0.5, 1.0, 1)
    assert (result.kind, result.owner, result.key) == (ImageKind.RESULT, ADA, done.result_key)


@pytest.mark.gen_test
async def test_a_cancelled_running_task_leaves_nothing_behind(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        await server.started(task)

        await server.queue.cancel(task.id)
        await server.becomes(task, TaskState.CANCELLED)

        assert server.keys() == []
        assert (await server.store.gallery.own(1, ImageKind.RESULT, limit=5)).images == []


@pytest.mark.gen_test
async def test_a_result_that_comes_after_the_cancellation_is_deleted(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        job = await server.started(task)
        job.ignores_stop = True

        await server.queue.cancel(task.id)
        server.engine.finish(task.id)
        ended = await server.becomes(task, TaskState.CANCELLED)
        await server.queue.wait_until_idle()

        assert ended.result_id is None
        assert server.keys() == []
        assert (await server.store.gallery.own(1, ImageKind.RESULT, limit=5)).images == []


@pytest.mark.gen_test
async def test_cancelling_a_repetition_keeps_the_first_result(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        first = await server.finish(await server.add(name="a"), "mosaic/same.png")
        again = await server.add(name="the same bytes under another key")
        job = await server.started(again)
        job.ignores_stop = True

        await server.queue.cancel(again.id)
        server.engine.finish(again.id, "mosaic/same.png")
        await server.becomes(again, TaskState.CANCELLED)
        await server.queue.wait_until_idle()

        assert (await server.store.images.by_id(first.result_id or 0, SERVER)).key == "mosaic/same.png"
        assert server.bucket.stat("mosaic/same.png").size_bytes == 8


@pytest.mark.gen_test
async def test_two_equal_tasks_are_rendered_once_even_if_both_wait(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        adas = await server.add(ADA)
        await server.started(adas)
        bobs = await server.add(BOB)

        first = await server.finish(adas)
        second = await server.becomes(bobs, TaskState.DONE)

    assert server.engine.started == [adas.id]
    assert first.result_id != second.result_id
    assert first.result_key == second.result_key


@pytest.mark.gen_test
async def test_a_result_whose_object_is_missing_is_rendered_again(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        first = await server.finish(await server.add(ADA))
        server.bucket.delete(f"mosaic/{first.id}.png")

        second = await server.finish(await server.add(BOB), f"mosaic/{first.id}.png")

    assert len(server.engine.started) == 2
    assert second.result_key == first.result_key


@pytest.mark.gen_test
async def test_a_task_with_a_temporary_error_is_tried_again_after_a_pause(
    database: Database, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("bucket_unavailable; trying again")
    tasks = database.collection("tasks")
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        await server.started(task)

        server.engine.fail(task.id, errors.BucketUnavailable())
        waiting = await server.becomes(task, TaskState.QUEUED)
        document = await tasks.find_one({"_id": task.id})
        await tasks.find_one_and_update({"_id": task.id}, [{"$set": {"not_before": "$$NOW"}}])
        done = await server.finish(task)

    assert document is not None
    assert waiting.started is not None
    assert (document["not_before"] - waiting.started).total_seconds() >= 0.75
    assert (waiting.retries, done.attempts) == (1, 2)


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (errors.NotAPicture(what=Phrase("damaged", "已损坏"), formats=Phrase.listing("PNG", "JPEG")), "not_a_picture"),
        (errors.RecipeImpossible(field="cell", value=3, allowed=Phrase("4 to 8", "4 到 8")), "recipe_impossible"),
    ],
)
@pytest.mark.gen_test
async def test_a_task_with_a_permanent_error_fails_at_once(
    database: Database, tmp_path: Path, error: errors.JobError, slug: str
) -> None:
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        await server.started(task)

        server.engine.fail(task.id, error)
        failed = await server.becomes(task, TaskState.FAILED)

    assert (failed.error, failed.attempts) == (slug, 1)
    assert type(error).of(failed.error_details).message("zh") == error.message("zh")


@pytest.mark.gen_test
async def test_an_unexpected_error_fails_the_task_and_not_the_worker(
    database: Database, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("unexpected error")
    async with queue_harness(database, tmp_path, size=1) as server:
        task = await server.add()
        await server.started(task)

        server.engine.fail(task.id, ZeroDivisionError())
        failed = await server.becomes(task, TaskState.FAILED)
        await server.finish(await server.add(name="the next one"))

    assert failed.error == "job_failed"


@pytest.mark.gen_test
async def test_a_result_after_a_lost_lease_changes_nothing(
    database: Database, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("the lease was lost")
    async with queue_harness(database, tmp_path, "one", size=1) as one:
        task = await one.add()
        job = await one.started(task)
        job.ignores_stop = True
        await expire_lease(database, task.id)
        async with queue_harness(database, tmp_path, "two", size=1) as two:
            reclaimed = await Leases(database, "two").reclaim_expired()
            await two.started(task)

            one.engine.finish(task.id)
            await one.queue.wait_until_idle()
            meanwhile = await two.store.tasks.by_id(task.id)
            done = await two.finish(task)

    assert [each.crashes for each in reclaimed] == [1]
    assert (meanwhile.state, meanwhile.server) == (TaskState.RUNNING, "two")
    assert (done.attempts, done.state) == (2, TaskState.DONE)


@pytest.mark.gen_test
async def test_a_cancel_event_without_a_request_on_record_does_not_cancel(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        await server.started(task)

        publish_cancel(server.store.events, await server.store.tasks.by_id(task.id))
        await until(lambda: started_twice(server))
        done = await server.finish(task)

    assert done.state is TaskState.DONE


async def started_twice(server: QueueHarness) -> bool:
    return len(server.engine.started) == 2


@pytest.mark.gen_test
async def test_progress_of_a_job_is_published(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        job = await server.started(task)

        job.progress(0.4)
        event = await server.received(lambda event: event.kind == "progress" and event.percent >= 40)

    assert event.task is not None
    assert event.task.id == task.id


@pytest.mark.gen_test
async def test_that_a_short_job_has_encoded_its_result_is_no_event(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.queue.progress.SILENT_S", 3600.0)
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        job = await server.started(task)
        job.progress(ENCODED)
        await server.finish(task)

        await server.received(lambda event: event.task is not None and event.task.state is TaskState.DONE)

    assert "progress" not in {event.kind for event in server.events}


@pytest.mark.gen_test
async def test_a_cancelled_job_that_cannot_be_interrupted_is_not_waited_for(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        task, next_task = await server.add(), await server.add(name="b", seed=1)
        job = await server.started(task)
        job.ignores_stop = True

        await server.queue.cancel(task.id)
        await server.becomes(task, TaskState.CANCELLED)
        assert not job.future.done()
        await server.started(next_task)
        server.engine.finish(task.id)
        await until(lambda: bucket_is_empty(server))
        await server.finish(next_task, "mosaic/other.png")

        assert server.keys() == ["mosaic/other.png"]


async def bucket_is_empty(server: QueueHarness) -> bool:
    return not server.keys()


@pytest.mark.gen_test
async def test_an_object_stored_by_an_abandoned_job_stays_if_another_image_has_it(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=2) as server:
        task, same = await server.add(name="a"), await server.add(name="the same bytes under another key")
        job = await server.started(task)
        job.ignores_stop = True
        await server.finish(same, "mosaic/same.png")

        await server.queue.cancel(task.id)
        await server.becomes(task, TaskState.CANCELLED)
        server.engine.finish(task.id, "mosaic/same.png")
        await server.queue.wait_until_idle()

        assert server.bucket.stat("mosaic/same.png").size_bytes == 8


async def expire_lease(database: Database, task_id: int) -> None:
    """As if the server had not renewed the lease for a while."""
    change = [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1000]}}}]
    await database.collection("tasks").find_one_and_update({"_id": task_id}, change)
