"""A database or a job that fails at the wrong moment loses no result and takes no task from another server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from models import errors
from models.database import Database
from models.images.image import Image, NewImage
from models.images.visibility import SERVER
from models.queue.leases import Leases
from models.queue.task import Task, TaskState
from processing.queue.worker_limits import WorkerLimits
from processing.rendering import Cancelled
from tests.processing.queue.queue_harness import queue_harness
from tests.processing.queue.test_workers import queued_tasks
from tests.support.commands import CommandRecorder
from tests.support.waiting import until


@pytest.mark.gen_test
async def test_a_result_that_comes_during_an_outage_of_the_database_is_recorded_after_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.queue.runner.OUTAGE_PAUSE_S", 0.0)
    async with queue_harness(database, tmp_path) as server:
        add, outages = server.store.images.add, [errors.DatabaseUnavailable() for _ in range(3)]

        async def add_after_outages(new: NewImage, *, patient: bool) -> Image:
            if outages:
                raise outages.pop()
            return await add(new, patient=patient)

        monkeypatch.setattr(server.store.images, "add", add_after_outages)
        done = await server.finish(await server.add())

        assert (await server.store.images.by_id(done.result_id or 0, SERVER)).key == done.result_key
    assert (outages, done.attempts, done.retries) == ([], 1, 0)


@pytest.mark.gen_test
async def test_a_job_that_is_given_up_and_then_ends_without_a_result_needs_no_cleaning(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        task = await server.add()
        job = await server.started(task)
        job.ignores_stop = True
        await server.queue.cancel(task.id)
        await server.becomes(task, TaskState.CANCELLED)

        server.engine.fail(task.id, Cancelled())
        await server.queue.wait_until_idle()

        assert server.keys() == []


@pytest.mark.gen_test
async def test_what_a_job_stored_after_it_was_given_up_stays_while_another_task_makes_the_same(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.queue.runner.CLEANUP_POLL_S", 0.0)
    async with queue_harness(database, tmp_path, size=2) as server:
        given_up = await server.add()
        job = await server.started(given_up)
        job.ignores_stop = True
        await server.queue.cancel(given_up.id)
        await server.becomes(given_up, TaskState.CANCELLED)
        same = await server.add()
        await server.started(same)
        has_duplicate, answers, may_go_on = server.store.tasks.has_running_duplicate, list[bool](), asyncio.Event()

        async def ask(task: Task) -> bool:
            answers.append(await has_duplicate(task))
            if len(answers) == 2:
                await may_go_on.wait()
            return answers[-1]

        monkeypatch.setattr(server.store.tasks, "has_running_duplicate", ask)
        server.engine.finish(given_up.id, "mosaic/same.png")
        await until(lambda: len(answers) == 2)
        keys_meanwhile = server.keys()
        done = await server.finish(same, "mosaic/same.png")
        may_go_on.set()
        await server.queue.wait_until_idle()

        assert (answers[:2], keys_meanwhile) == ([True, True], ["mosaic/same.png"])
        assert (server.keys(), done.result_key) == (["mosaic/same.png"], "mosaic/same.png")


@pytest.mark.parametrize(
    ("interval_s", "grace_s", "taken_over"),
    [(0.01, 0.0, True), (0.0, 3600.0, False)],
    ids=["", "but not after the database was slow"],
)
@pytest.mark.gen_test
async def test_a_task_whose_server_does_not_renew_its_lease_is_taken_over(
    mongodb_uri: str,
    database_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expect_log: Callable[[str], None],
    interval_s: float,
    grace_s: float,
    taken_over: bool,
) -> None:
    """A renewal that takes longer than the interval is as long for the other servers, which need time for theirs."""
    limits = partial(WorkerLimits, heartbeat_interval_s=interval_s, takeover_grace_s=grace_s)
    monkeypatch.setattr("processing.queue.task_queue.WorkerLimits", limits)
    expect_log("lease expired; queued")
    recorder = CommandRecorder()
    database = Database(mongodb_uri, database_name, listeners=[recorder])
    [task] = await queued_tasks(database)
    await Leases(database, "dead").acquire()
    over = [{"$set": {"lease_until": {"$subtract": ["$$NOW", 1000]}}}]
    await database.collection("tasks").update_one({"_id": task.id}, over)

    async with queue_harness(database, tmp_path, "two") as server:
        if taken_over:
            await server.finish(task)
        recorder.commands.clear()
        await until(lambda: len(recorder.names("servers")) > 10)
        current = await server.store.tasks.by_id(task.id)

    database.close()
    recorded = (current.state, current.attempts, current.crashes, current.server)
    assert recorded == ((TaskState.DONE, 2, 1, None) if taken_over else (TaskState.RUNNING, 1, 0, "dead"))
