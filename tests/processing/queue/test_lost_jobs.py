"""Jobs that never start, that a worker or a whole cluster loses, or that never end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.database import Database
from models.images.image import Image
from models.queue.task import TaskState
from processing.engine import JobInterrupted, WorkerDied
from tests.processing.queue.queue_harness import queue_harness


@pytest.mark.gen_test
async def test_a_task_that_is_cancelled_before_its_job_starts_starts_none(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue_harness(database, tmp_path) as server:
        await server.queue.pause(True)
        await server.is_paused()
        task = await server.add()
        find_result = server.store.images.find_result

        async def find_after_cancelling(dedup_key: str) -> Image | None:
            await server.queue.cancel(task.id)
            await server.received(lambda event: event.kind == "cancel")
            return await find_result(dedup_key)

        monkeypatch.setattr(server.store.images, "find_result", find_after_cancelling)
        await server.queue.pause(False)

        await server.becomes(task, TaskState.CANCELLED)

        assert server.engine.started == []


@pytest.mark.gen_test
async def test_a_worker_that_dies_during_a_task_costs_it_an_attempt(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        await server.started(task)

        server.engine.fail(task.id, WorkerDied())
        done = await server.finish(task)

    assert (done.attempts, done.crashes) == (2, 1)


@pytest.mark.gen_test
async def test_a_task_for_which_memory_ran_out_is_tried_again(
    database: Database, tmp_path: Path, expect_log: Any
) -> None:
    expect_log("unexpected error|job_failed; trying again")
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        await server.started(task)

        server.engine.fail(task.id, MemoryError())
        done = await server.finish(task)

    assert (done.attempts, done.retries) == (2, 1)


@pytest.mark.gen_test
async def test_a_task_whose_cluster_is_gone_is_queued_again_uncounted(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as server:
        task = await server.add()
        for _ in range(4):
            await server.started(task)
            server.engine.fail(task.id, JobInterrupted())
        done = await server.finish(task)

    assert (done.crashes, done.retries) == (0, 0)


@pytest.mark.gen_test
async def test_the_time_limit_of_a_job_begins_with_the_job(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: Any
) -> None:
    expect_log("its thread hangs and is given up|timed_out")
    monkeypatch.setattr("processing.queue.run.HANG_GRACE_S", -120.0)  # the job may take no time at all
    async with queue_harness(database, tmp_path) as server:
        server.engine.queued = True
        task = await server.add()
        job = await server.started(task)
        await server.finish(await server.add(name="another"))
        assert (await server.store.tasks.by_id(task.id)).state is TaskState.RUNNING

        job.begun.set_result(None)
        await server.received(lambda event: event.task is not None and event.task.error == "timed_out")
