"""What people ask of the queue, and what it refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from models import errors
from models.database import Database
from models.images import ANONYMOUS
from models.queue.tasks import Task, TaskState
from processing.queue.task_queue import QueueLimits
from tests.processing.queue.queue_harness import ADA, BOB, QueueHarness, queue_harness
from tests.support.waiting import until


async def add_many(here: QueueHarness, count: int, **options: object) -> list[Task]:
    return [await here.add(name=f"{options.get('owner', ADA)}-{number}", **options) for number in range(count)]


@pytest.mark.gen_test
async def test_an_accepted_task_is_on_record_before_the_answer(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as here:
        task = await here.add()

        recorded = await here.tasks.by_id(task.id)

    assert (recorded.id, recorded.state, recorded.url, recorded.recipe) == (
        task.id,
        TaskState.QUEUED,
        task.url,
        task.recipe,
    )


@pytest.mark.gen_test
async def test_one_persons_many_tasks_delay_anothers_by_one_for_each_thread(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=2) as here:
        await add_many(here, 20, owner=ADA)
        bobs = await here.add(BOB, "bobs")

        while bobs.id not in here.engine.runs:
            task_id = next(iter(here.engine.runs))
            started = len(here.engine.started)
            here.engine.finish(task_id)
            async with asyncio.timeout(5):
                while len(here.engine.started) == started:
                    await asyncio.sleep(0.005)

        assert here.engine.started.index(bobs.id) <= 2 * here.engine.size


@pytest.mark.gen_test
async def test_after_quick_tasks_nobody_has_two_taken_before_a_thread_is_free(
    database: Database, tmp_path: Path
) -> None:
    """What one person's tasks took so far says nothing of the next ones, which another would have to wait for."""
    async with queue_harness(database, tmp_path, size=1, instantly=True) as here:
        await here.becomes((await add_many(here, 12, owner=ADA))[-1], TaskState.DONE)
        here.engine.instantly = False
        await here.pause()
        adas, bobs = await add_many(here, 12, owner=ADA), await add_many(here, 12, owner=BOB)
        await here.queue.pause(False)

        await here.runs(bobs[0])

        async def third_runs() -> bool:
            return len(here.engine.runs) > 2

        with pytest.raises(TimeoutError):
            await until(third_runs, timeout_s=0.5)
        assert set(here.engine.runs) == {adas[0].id, bobs[0].id}


@pytest.mark.gen_test
async def test_three_people_take_turns(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as here:
        adas = await add_many(here, 3, owner=ADA)
        bobs = await add_many(here, 2, owner=BOB)
        nobodys = await add_many(here, 1, owner=ANONYMOUS)

        order = [task.id for task in (await here.tasks.list_active_and_finished(active_limit=10, finished_limit=0))[0]]

    rounds = [set(order[:3]), set(order[3:5]), set(order[5:])]
    assert rounds == [{adas[0].id, bobs[0].id, nobodys[0].id}, {adas[1].id, bobs[1].id}, {adas[2].id}]


@pytest.mark.gen_test
async def test_a_person_beyond_their_limit_is_told_when_to_come_back(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0, limits=QueueLimits(100, 3)) as here:
        here.queue.estimator.update_all([])
        await add_many(here, 3)

        with pytest.raises(errors.TooManyTasks) as refused:
            await here.add(name="one more")
        await here.add(BOB, "another's")

    assert refused.value.details["retry_after_s"] > 0


@pytest.mark.gen_test
async def test_a_hundred_requests_at_once_are_no_way_around_the_limit(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0, limits=QueueLimits(1000, 5)) as here:
        additions = [here.add(name=str(number)) for number in range(100)]

        answers = await asyncio.gather(*additions, return_exceptions=True)

    accepted = [answer for answer in answers if isinstance(answer, Task)]
    assert 0 < len(accepted) <= 5
    assert len([answer for answer in answers if isinstance(answer, errors.TooManyTasks)]) == 100 - len(accepted)


@pytest.mark.gen_test
async def test_a_full_queue_takes_nobodys_task_until_one_leaves(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0, limits=QueueLimits(2, 2)) as here:
        first = await here.add(ADA, "a")
        await here.add(BOB, "b")

        with pytest.raises(errors.QueueFull):
            await here.add(ANONYMOUS, "c")
        await here.queue.cancel(first.id)
        await here.add(ANONYMOUS, "c")


@pytest.mark.gen_test
async def test_the_time_to_come_back_is_drawn_from_what_is_done(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1, limits=QueueLimits(100, 40)) as here:
        await here.finish(await here.add())
        for number in range(40):
            await here.add(name=f"n{number}")

        with pytest.raises(errors.TooManyTasks) as refused:
            await here.add(name="one more")

    assert refused.value.details["retry_after_s"] == 2  # a tenth of 40 tasks of half a second on one thread


@pytest.mark.gen_test
async def test_a_waiting_task_is_cancelled_at_once(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as here:
        task = await here.add()

        cancelled = await here.queue.cancel(task.id)

        assert cancelled.state is TaskState.CANCELLED
        assert cancelled.finished is not None
        with pytest.raises(errors.InvalidState):
            await here.queue.cancel(task.id)


@pytest.mark.gen_test
async def test_a_cancelled_task_is_retried_under_the_same_id_and_counts(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1) as here:
        task = await here.add()
        await here.runs(task)
        await here.queue.cancel(task.id)
        await here.becomes(task, TaskState.CANCELLED)

        again = await here.queue.retry(task.id)
        done = await here.finish(again)

        assert (done.id, done.attempts) == (task.id, 2)
        with pytest.raises(errors.InvalidState):
            await here.queue.retry(task.id)


@pytest.mark.gen_test
async def test_a_paused_queue_takes_nothing_until_it_goes_on(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here, queue_harness(database, tmp_path, "two") as there:
        await here.queue.pause(True)
        async with asyncio.timeout(5):
            while not (here.queue.paused and there.queue.paused):
                await asyncio.sleep(0.01)
        task = await here.add()
        await asyncio.sleep(0.2)
        untouched = (await here.tasks.by_id(task.id)).state

        await there.queue.pause(False)
        await here.becomes(task, TaskState.RUNNING)

    assert untouched is TaskState.QUEUED


@pytest.mark.gen_test
async def test_a_server_that_starts_later_finds_the_queue_paused(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        await here.queue.pause(True)

    async with queue_harness(database, tmp_path, "two") as there:
        assert there.queue.paused


@pytest.mark.gen_test
async def test_cancelling_many_costs_nobody_their_place(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as here:
        for task in await add_many(here, 20, owner=ADA):
            await here.queue.cancel(task.id)
        turns = here.database.collection("rounds")
        await turns.find_one_and_update({"_id": ADA.id}, [{"$set": {"assigned_at": {"$subtract": ["$$NOW", 60_000]}}}])

        await add_many(here, 5, owner=BOB)
        task = await here.add(ADA, "last")

        assert await here.tasks.position(task) <= 2


@pytest.mark.gen_test
async def test_waiting_tasks_have_an_estimate_once_there_is_something_to_learn_from(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as here:
        first = await here.add(megapixels=1.0)
        unknown = await here.queue.status.position_of(first)
        await here.finish(first)
        running = await here.add(name="b", megapixels=2.0)
        await here.runs(running)
        waiting = await here.add(name="c", megapixels=4.0)
        async with asyncio.timeout(5):
            # half a second a megapixel: one second for the running one, two for itself
            while (place := await here.queue.status.position_of(waiting)) is None or place.wait_s != 3.0:
                await asyncio.sleep(0.01)

    assert unknown is not None
    assert unknown.wait_s is None
    assert place.number == 1
