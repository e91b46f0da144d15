"""Adding, cancelling and retrying tasks, the limits, and the fair order."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from models import errors
from models.database import Database
from models.images.image import ANONYMOUS
from models.queue.ended import EndedTasks
from models.queue.task import Task, TaskState
from processing.mosaic import STYLES
from processing.queue.task_queue import QueueLimits
from tests.processing.queue.queue_harness import ADA, BOB, QueueHarness, queue_harness
from tests.support.waiting import until


@pytest.mark.gen_test
async def test_a_task_is_on_record_before_it_is_acknowledged(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as server:
        task = await server.add()

        recorded = await server.store.tasks.by_id(task.id)

    assert (recorded.id, recorded.state) == (task.id, TaskState.QUEUED)
    assert (recorded.url, recorded.recipe) == (task.url, task.recipe)


@pytest.mark.gen_test
async def test_many_tasks_of_one_user_delay_another_user_by_one_per_thread(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=2) as server:
        await server.add_many(20, ADA)
        bobs = await server.add(BOB, "bobs")

        while bobs.id not in server.engine.jobs:
            count = len(server.engine.started)
            server.engine.finish(next(iter(server.engine.jobs)))
            await until(partial(has_started, server, count + 1))

        assert server.engine.started.index(bobs.id) <= 2 * server.engine.size


async def has_started(server: QueueHarness, count: int) -> bool:
    return len(server.engine.started) >= count


@pytest.mark.gen_test
async def test_three_users_take_turns(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as server:
        adas = await server.add_many(3, ADA)
        bobs = await server.add_many(2, BOB)
        anonymous = await server.add_many(1, ANONYMOUS)

        active = (await server.store.tasks.list_active_and_finished(active_limit=10, finished_limit=0)).active

    order = [task.id for task in active]
    rounds = [set(order[:3]), set(order[3:5]), set(order[5:])]
    assert rounds == [{adas[0].id, bobs[0].id, anonymous[0].id}, {adas[1].id, bobs[1].id}, {adas[2].id}]


@pytest.mark.gen_test
async def test_a_user_above_the_limit_is_told_when_to_retry(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0, limits=QueueLimits(100, 3, 100)) as server:
        await server.add_many(3)

        with pytest.raises(errors.TooManyTasks) as refused:
            await server.add(name="one more")
        await server.add(BOB, "another user's")

    assert refused.value.details["retry_after_s"] > 0


@pytest.mark.gen_test
async def test_a_hundred_simultaneous_requests_do_not_exceed_the_limit(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0, limits=QueueLimits(1000, 5, 1000)) as server:
        additions = [server.add(name=str(number)) for number in range(100)]

        answers = await asyncio.gather(*additions, return_exceptions=True)

    accepted = [answer for answer in answers if isinstance(answer, Task)]
    assert 0 < len(accepted) <= 5
    assert len([answer for answer in answers if isinstance(answer, errors.TooManyTasks)]) == 100 - len(accepted)


@pytest.mark.gen_test
async def test_a_full_queue_refuses_tasks_until_one_leaves(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0, limits=QueueLimits(2, 2, 2)) as server:
        first = await server.add(ADA, "a")
        await server.add(BOB, "b")

        with pytest.raises(errors.QueueFull):
            await server.add(ANONYMOUS, "c")
        await server.queue.cancel(first.id)
        await server.add(ANONYMOUS, "c")


@pytest.mark.gen_test
async def test_the_time_to_retry_follows_from_finished_tasks(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1, limits=QueueLimits(100, 40, 100)) as server:
        await server.finish(await server.add())
        for number in range(40):
            await server.add(name=f"n{number}")

        with pytest.raises(errors.TooManyTasks) as refused:
            await server.add(name="one more")

    assert refused.value.details["retry_after_s"] == 2  # a tenth of 40 tasks of half a second on one thread


@pytest.mark.gen_test
async def test_a_queued_task_is_cancelled_at_once(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as server:
        task = await server.add()

        cancelled = await server.queue.cancel(task.id)

        assert cancelled.state is TaskState.CANCELLED
        assert cancelled.finished is not None
        with pytest.raises(errors.InvalidState):
            await server.queue.cancel(task.id)


@pytest.mark.gen_test
async def test_a_cancelled_task_is_retried_under_the_same_id(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        task = await server.add()
        await server.started(task)
        await server.queue.cancel(task.id)
        await server.becomes(task, TaskState.CANCELLED)

        again = await server.queue.retry(task.id)
        done = await server.finish(again)

        assert (done.id, done.attempts) == (task.id, 2)
        with pytest.raises(errors.InvalidState):
            await server.queue.retry(task.id)


@pytest.mark.gen_test
async def test_a_paused_queue_starts_no_task_until_it_is_resumed(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as one, queue_harness(database, tmp_path, "two") as two:
        await one.queue.pause(True)
        await one.is_paused()
        await two.is_paused()
        task = await one.add()
        for server in (one, two):  # both were woken by the task, and would have taken it before the answer
            await server.received(lambda event: event.task is not None and event.task.id == task.id)
            await server.queue.renew_now()
        meanwhile = (await one.store.tasks.by_id(task.id)).state

        await two.queue.pause(False)
        await one.becomes(task, TaskState.RUNNING)

    assert meanwhile is TaskState.QUEUED


@pytest.mark.gen_test
async def test_a_server_that_starts_later_finds_the_queue_paused(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as one:
        await one.queue.pause(True)

    async with queue_harness(database, tmp_path, "two") as two:
        assert two.queue.paused


@pytest.mark.gen_test
async def test_cancelling_many_tasks_costs_no_position(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as server:
        for task in await server.add_many(20, ADA):
            await server.queue.cancel(task.id)
        a_minute_ago = [{"$set": {"assigned_at": {"$subtract": ["$$NOW", 60_000]}}}]
        await database.collection("rounds").find_one_and_update({"_id": ADA.id}, a_minute_ago)

        await server.add_many(5, BOB)
        task = await server.add(ADA, "last")

        assert await server.store.tasks.position(task) <= 2


@pytest.mark.gen_test
async def test_a_task_is_refused_or_stored_if_the_database_fails_while_old_tasks_are_deleted(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise errors.DatabaseUnavailable()

    async with queue_harness(database, tmp_path, size=0) as server:
        monkeypatch.setattr(EndedTasks, "note_added", fail)
        with pytest.raises(errors.DatabaseUnavailable):
            await server.add(ADA)

        assert await database.collection("tasks").count_documents({}) == 0


@pytest.mark.gen_test
async def test_waiting_tasks_have_an_estimate_after_the_first_measurement(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        first = await server.add(megapixels=1.0)
        unknown = await server.queue.status.position_of(first)
        await server.finish(first)
        running = await server.add(name="b", megapixels=2.0)
        await server.started(running)
        waiting = await server.add(name="c", megapixels=4.0)
        cost = STYLES["mosaic"].cost.seconds
        wait_s = 0.5 * (cost(2.0) + cost(4.0)) / cost(1.0)  # of the running task and of its own

        async def has_estimate() -> bool:
            position = await server.queue.status.position_of(waiting)
            return position is not None and (position.number, position.wait_s) == (1, pytest.approx(wait_s, abs=0.1))

        await until(has_estimate)

    assert unknown is not None
    assert unknown.wait_s is None
