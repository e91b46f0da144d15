"""Short tasks that are leased several at once: they keep their order, are cancelled at once, and wait for a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.database import Database
from models.queue.task import Task, TaskState
from processing.queue import lease_source
from tests.processing.queue.queue_harness import ADA, BOB, QueueHarness, queue_harness
from tests.support.commands import CommandRecorder
from tests.support.waiting import until

COUNT = 5
LONG_S = 3600.0


@pytest.fixture(autouse=True)
def every_task_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is that runs the test."""
    monkeypatch.setattr(lease_source, "AHEAD_S", LONG_S)
    monkeypatch.setattr(lease_source, "MAX_WAIT_S", LONG_S)


async def pause(server: QueueHarness) -> None:
    """Until its event has come: one that comes after the queue is resumed would pause it once more for a moment."""
    await server.queue.pause(True)
    await server.received(lambda event: event.kind == "queue" and event.paused)


async def first_of(server: QueueHarness, count: int = COUNT, *, megapixels: float | None = 1.0) -> list[Task]:
    """Tasks of which the first one runs, after another one from which the server has learned."""
    await server.finish(await server.add(name="earlier", megapixels=1.0))
    await server.received(lambda event: event.task is not None and event.task.state is TaskState.DONE)
    await pause(server)
    tasks = [await server.add(name=str(number), megapixels=megapixels) for number in range(count)]
    await server.queue.pause(False)
    await server.started(tasks[0])
    return tasks


async def states_of(server: QueueHarness, tasks: list[Task]) -> list[TaskState]:
    return [(await server.store.tasks.by_id(task.id)).state for task in tasks]


async def all_become(server: QueueHarness, tasks: list[Task], state: TaskState) -> list[Task]:
    return [await server.becomes(task, state) for task in tasks]


@pytest.mark.gen_test
async def test_short_tasks_are_leased_by_three_calls_and_run_in_order(
    mongodb_uri: str, database_name: str, tmp_path: Path
) -> None:
    recorder = CommandRecorder()
    database = Database(mongodb_uri, database_name, listeners=[recorder])
    async with queue_harness(database, tmp_path, size=1) as server:
        tasks = await first_of(server)
        assert await states_of(server, tasks) == [TaskState.RUNNING] * COUNT
        assert server.engine.started[1:] == [tasks[0].id], "the others wait for the thread"

        recorder.commands.clear()
        done = [await server.finish(task) for task in tasks]

        leases = [command for name, command in recorder.commands if name in ("findAndModify", "aggregate")]
        begun = [
            command for command in leases if "running" in str(command.get("update")) or "images" in command.values()
        ]
    database.close()
    assert begun == [], "neither a lease nor a search for an earlier result"
    assert server.engine.started[1:] == [task.id for task in tasks]
    assert {(task.attempts, task.crashes) for task in done} == {(1, 0)}


@pytest.mark.gen_test
async def test_a_task_that_is_leased_early_is_cancelled_at_once(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        first, second, third = await first_of(server, 3)

        await server.queue.cancel(second.id)
        await server.becomes(second, TaskState.CANCELLED)

        assert await states_of(server, [first, third]) == [TaskState.RUNNING] * 2
        await server.finish(first)
        await server.finish(third)
        assert second.id not in server.engine.started


@pytest.mark.gen_test
async def test_tasks_that_are_leased_early_are_given_back_when_the_queue_is_paused(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        first, *others = await first_of(server)

        await server.queue.pause(True)
        queued = await all_become(server, others, TaskState.QUEUED)

        assert await server.order() == [task.id for task in others], "at their old places"
        assert {(task.attempts, task.crashes, task.server) for task in queued} == {(0, 0, None)}
        await server.finish(first)


@pytest.mark.gen_test
async def test_a_task_that_is_given_back_before_it_begins_is_not_published_as_running(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        first, cancelled, waiting = await first_of(server, 3)

        await server.queue.cancel(cancelled.id)
        await server.queue.pause(True)
        await until(lambda: all(len(published_states(server, task)) >= 2 for task in (cancelled, waiting)))

        assert published_states(server, cancelled) == [TaskState.QUEUED, TaskState.CANCELLED]
        assert published_states(server, waiting) == [TaskState.QUEUED, TaskState.QUEUED]
        await server.finish(first)


def published_states(server: QueueHarness, task: Task) -> list[TaskState]:
    """The states of a task in the events about it."""
    tasks = [event.task for event in server.events if event.kind == "task" and event.task is not None]
    return [each.state for each in tasks if each.id == task.id]


@pytest.mark.gen_test
async def test_tasks_that_are_leased_early_are_given_back_when_the_server_stops(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        tasks = await first_of(server)

        await server.queue.stop(grace_s=0)

        assert await states_of(server, tasks) == [TaskState.QUEUED] * COUNT
        assert await server.order() == [task.id for task in tasks]


@pytest.mark.gen_test
async def test_a_task_whose_thread_is_not_free_in_time_is_given_back(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        monkeypatch.setattr(lease_source, "MAX_WAIT_S", 0.0)
        first, *others = await first_of(server)

        await all_become(server, others, TaskState.QUEUED)
        newcomers = await server.add(BOB, "bobs", megapixels=1.0)

        assert (await server.order())[0] in {others[0].id, newcomers.id}
        assert server.engine.started[1:] == [first.id]


@pytest.mark.gen_test
async def test_a_newcomers_task_that_is_leased_early_begins_on_the_spare_thread(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1, spare=True) as server:
        await server.finish(await server.add(name="earlier", megapixels=1.0))
        await server.received(lambda event: event.task is not None and event.task.state is TaskState.DONE)
        await pause(server)
        tasks = [await server.add(owner, owner.username or "", megapixels=1.0) for owner in (ADA, BOB)]
        await server.queue.pause(False)

        for task in tasks:
            await server.started(task)

        assert len(server.engine.started_on_spare) == 1
        for task in tasks:
            await server.finish(task)


@pytest.mark.parametrize("megapixels", [None, 5e9], ids=["of unknown size", "large"])
@pytest.mark.gen_test
async def test_tasks_that_may_take_long_are_leased_when_there_is_a_thread(
    database: Database, tmp_path: Path, megapixels: float | None
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        tasks = await first_of(server, megapixels=megapixels)

        assert await states_of(server, tasks) == [TaskState.RUNNING, *[TaskState.QUEUED] * (COUNT - 1)]


@pytest.mark.gen_test
async def test_after_a_long_run_tasks_are_leased_one_by_one(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        [first] = await first_of(server, 1)
        await server.queue.pause(True)
        others = [await server.add(name=f"later {number}", megapixels=1.0) for number in range(3)]
        monkeypatch.setattr(lease_source, "AHEAD_S", 0.0)
        await server.finish(first)
        monkeypatch.setattr(lease_source, "AHEAD_S", LONG_S)

        await server.queue.pause(False)
        await server.started(others[0])

        assert await states_of(server, others) == [TaskState.RUNNING, TaskState.QUEUED, TaskState.QUEUED]


@pytest.mark.gen_test
async def test_a_task_during_which_a_server_died_is_not_leased_early(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        await server.finish(await server.add(name="earlier", megapixels=1.0))
        await server.received(lambda event: event.task is not None and event.task.state is TaskState.DONE)
        await pause(server)
        first, suspect, last = [await server.add(name=str(number), megapixels=1.0) for number in range(3)]
        await database.collection("tasks").update_one({"_id": suspect.id}, {"$set": {"crashes": 1}})
        await server.queue.pause(False)
        await server.started(first)

        assert await states_of(server, [suspect, last]) == [TaskState.QUEUED] * 2
        await server.finish(first)
        await server.started(suspect)
        assert await states_of(server, [last]) == [TaskState.QUEUED], "nothing is blamed beside it that only waits"


@pytest.mark.gen_test
async def test_a_result_that_exists_is_found_for_a_task_that_is_leased_early(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        tasks = await first_of(server, 2)
        await server.finish(tasks[0])
        await server.finish(tasks[1])
        await server.queue.pause(True)
        again = [await server.add(BOB, name, megapixels=1.0) for name in ("new", "1", "0", "newer")]
        await server.queue.pause(False)
        server.engine.instantly = True

        done = await until(lambda: _all_done(server, again))

        assert [task.result_key for task in done[1:3]] == [f"mosaic/{tasks[1].id}.png", f"mosaic/{tasks[0].id}.png"]
        assert not {task.id for task in again[1:3]} & set(server.engine.started)


async def _all_done(server: QueueHarness, tasks: list[Task]) -> list[Task] | None:
    current = [await server.store.tasks.by_id(task.id) for task in tasks]
    return current if all(task.state is TaskState.DONE for task in current) else None


@pytest.mark.gen_test
async def test_the_leases_of_tasks_that_wait_for_a_thread_are_renewed(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        tasks = await first_of(server, 2)
        over = [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1000]}}}]
        await database.collection("tasks").update_many({"state": "running"}, over)

        await server.queue.renew_now()

        assert await server.store.leases.reclaim_expired() == []
        assert await states_of(server, tasks) == [TaskState.RUNNING] * 2


@pytest.mark.gen_test
async def test_a_cancellation_whose_event_was_lost_is_found_for_a_task_that_waits_for_a_thread(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        _, second = await first_of(server, 2)
        await server.store.tasks.cancel(second.id)

        await server.queue.renew_now()

        await server.becomes(second, TaskState.CANCELLED)
