"""Workers: crashes, drains, missed events, and two servers on one database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from models.database import Database
from models.images.image import Image, NewImage
from models.queue.fair_order import Place
from models.queue.leases import Leases
from models.queue.task import NewTask, Task, TaskState, to_document
from models.store import Store
from processing.engine.job import ENCODED
from tests.processing.queue.queue_harness import ADA, RECIPE, queue_harness
from tests.support.waiting import until


def new_task(number: int) -> NewTask:
    return NewTask(
        ADA, url="u", type="model", style="mosaic", recipe=RECIPE, dedup_key=str(number), source_key="source"
    )


async def queued_tasks(database: Database, count: int = 1) -> list[Task]:
    """Tasks that no server runs yet."""
    store = Store.of(database, "one")
    await store.create_indexes()
    return [await store.tasks.add(new_task(number), place=Place(number)) for number in range(count)]


@pytest.mark.gen_test
async def test_the_next_job_waits_for_the_thread_once_the_last_result_is_encoded(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        first, second, third = await server.add_many(3)
        job = await server.started(first)
        job.progress(ENCODED)

        await server.started(second)

        assert server.engine.started == [first.id, second.id]
        assert (await server.store.tasks.by_id(third.id)).state is TaskState.QUEUED
        await server.finish(first)
        await server.finish(second)
        await server.finish(third)


@pytest.mark.gen_test
async def test_a_thread_takes_the_next_task_while_the_last_result_is_recorded(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        recording, go_on, add = asyncio.Event(), asyncio.Event(), server.store.images.add

        async def add_slowly(new: NewImage, *, patient: bool) -> Image:
            recording.set()
            await go_on.wait()
            return await add(new, patient=patient)

        monkeypatch.setattr(server.store.images, "add", add_slowly)
        first, second = await server.add(name="first"), await server.add(name="second")
        await server.started(first)
        server.engine.finish(first.id)
        await recording.wait()

        await server.started(second)

        assert (await server.store.tasks.by_id(first.id)).state is TaskState.RUNNING
        assert {task.id for task in server.queue.running} == {first.id, second.id}
        go_on.set()
        await server.becomes(first, TaskState.DONE)
        await server.finish(second)


@pytest.mark.gen_test
async def test_the_last_result_takes_along_those_that_wait_for_others(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.images.images.RESULTS_SPACING_S", 3600.0)
    async with queue_harness(database, tmp_path, size=2) as server:
        await server.finish(await server.add(name="alone"))
        first, last = await server.add_many(2)
        await server.started(last)
        await server.queue.pause(True)
        await server.is_paused()
        await server.started(first)
        server.engine.finish(first.id)

        await server.finish(last)

        await server.becomes(first, TaskState.DONE)


@pytest.mark.gen_test
async def test_the_server_that_is_told_to_pause_takes_no_task_after_its_answer(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        await server.queue.pause(True)
        paused_at_once = server.queue.paused
        await server.queue.pause(False)

        assert (paused_at_once, server.queue.paused) == (True, False)


@pytest.mark.gen_test
async def test_the_tasks_of_a_killed_server_run_again_at_its_next_start(database: Database, tmp_path: Path) -> None:
    [task] = await queued_tasks(database)
    await Leases(database, "one").acquire()

    async with queue_harness(database, tmp_path, "one") as server:
        done = await server.finish(task)

    assert (done.attempts, done.crashes) == (2, 1)


@pytest.mark.gen_test
async def test_a_drain_lets_running_tasks_finish_and_keeps_the_rest_queued(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        running, waiting = await server.add(), await server.add(name="b")
        await server.started(running)

        async def draining() -> bool:
            return server.queue.draining

        stopping = asyncio.create_task(server.queue.stop(grace_s=5))
        await until(draining)
        server.engine.finish(running.id)
        await stopping

        assert (await server.store.tasks.by_id(running.id)).state is TaskState.DONE
        assert (await server.store.tasks.by_id(waiting.id)).state is TaskState.QUEUED


@pytest.mark.gen_test
async def test_a_task_that_outlasts_a_drain_is_requeued_uncounted(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        await server.started(task)

        await server.queue.stop(grace_s=0.05)
        requeued = await server.store.tasks.by_id(task.id)

    assert (requeued.state, requeued.attempts, requeued.crashes, requeued.server) == (TaskState.QUEUED, 0, 0, None)


@pytest.mark.gen_test
async def test_a_task_taken_by_another_server_is_followed_on_both(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, "one", size=0) as one, queue_harness(database, tmp_path, "two") as two:
        task = await one.add()
        job = await two.started(task)
        job.progress(0.5)
        await one.received(lambda event: event.kind == "progress" and event.percent == 50)
        percent = one.feed.percent(task)
        await two.finish(task)
        await one.received(lambda event: event.task is not None and event.task.state is TaskState.DONE)

    assert percent == 50
    assert [event.id for event in one.events if event.task] == [event.id for event in two.events if event.task]


@pytest.mark.gen_test
async def test_a_server_cancels_a_task_that_another_one_runs(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, "one", size=0) as one, queue_harness(database, tmp_path, "two") as two:
        task = await one.add()
        await two.started(task)

        await one.queue.cancel(task.id)

        await one.becomes(task, TaskState.CANCELLED)


@pytest.mark.gen_test
async def test_a_cancellation_whose_event_was_lost_is_found_when_leases_are_renewed(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        await server.started(task)

        await server.store.tasks.cancel(task.id)  # on record, without an event
        await server.queue.renew_now()

        await server.becomes(task, TaskState.CANCELLED)


@pytest.mark.gen_test
async def test_two_servers_share_short_tasks_and_run_each_once(database: Database, tmp_path: Path) -> None:
    tasks = await queued_tasks(database, 150)

    async with (
        queue_harness(database, tmp_path, "one", instantly=True) as one,
        queue_harness(database, tmp_path, "two", instantly=True) as two,
    ):

        async def all_done() -> bool:
            return await one.store.tasks.count(TaskState.DONE) == len(tasks)

        await until(all_done)

    started = one.engine.started + two.engine.started
    assert sorted(started) == sorted(task.id for task in tasks)


@pytest.mark.gen_test
async def test_events_from_before_the_start_can_be_resumed_and_old_cancellations_have_no_effect(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=0) as before:
        task = await before.add()
        first = await before.received(lambda event: event.task is not None and event.task.id == task.id)
        await before.queue.cancel(task.id)

    async with queue_harness(database, tmp_path, size=0) as after:
        missed = after.feed.since(first.id)

    assert missed is not None
    assert [event.task.state for event in missed if event.task] == [TaskState.CANCELLED]
    assert after.feed.since("5" * 24) is None


@pytest.mark.gen_test
async def test_ten_thousand_waiting_tasks_are_taken_in_order(database: Database, tmp_path: Path) -> None:
    store = Store.of(database, "one")
    await store.create_indexes()
    plain = to_document(new_task(0).with_id(0))
    documents = [{**plain, "_id": number, "round": number, "dedup_key": str(number)} for number in range(1, 10_001)]
    await database.collection("tasks", journaled=False).insert_many(documents)

    async with queue_harness(database, tmp_path, size=3) as server:

        async def three_started() -> bool:
            return len(server.engine.started) == 3

        await until(three_started)
        active = (await store.tasks.list_active_and_finished(active_limit=500, finished_limit=0)).active
        position = await server.queue.status.position_of(active[-1])

    assert sorted(server.engine.started) == [1, 2, 3]
    assert position is not None
    assert position.number == 497
