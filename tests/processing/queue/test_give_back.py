"""Tasks whose lease is given back before they begin: they run once, later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.database import Database
from models.queue.lease import Lease
from models.queue.task import Task, TaskState
from tests.processing.queue.queue_harness import QueueHarness, queue_harness
from tests.support.waiting import until


@pytest.mark.gen_test
async def test_a_task_that_is_leased_just_before_a_pause_is_given_back(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        acquire = server.store.leases.acquire

        async def acquire_and_pause(**options: Any) -> Lease | None:
            lease = await acquire(**options)
            if lease is not None:
                await server.queue.pause(True)
            return lease

        monkeypatch.setattr(server.store.leases, "acquire", acquire_and_pause)
        task = await server.add()
        await server.is_paused()

        queued = await server.becomes(task, TaskState.QUEUED)

        assert (queued.attempts, server.engine.started) == (0, [])


@pytest.mark.gen_test
async def test_a_task_that_is_leased_again_before_the_response_to_its_release_has_one_run(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue_harness(database, tmp_path, size=1) as server:
        leases, acquire, release = server.store.leases, server.store.leases.acquire, server.store.leases.release

        async def acquire_and_pause(**options: Any) -> Lease | None:
            lease = await acquire(**options)
            if lease is not None:
                await server.queue.pause(True)
                await server.received(lambda event: event.kind == "queue" and event.paused)
            return lease

        async def release_slowly(lease: Lease) -> Task | None:
            released = await release(lease)
            monkeypatch.setattr(leases, "acquire", acquire)
            await server.queue.pause(False)
            await server.started(lease.task)
            return released

        monkeypatch.setattr(leases, "acquire", acquire_and_pause)
        monkeypatch.setattr(leases, "release", release_slowly)
        task = await server.add()
        await until(lambda: published_states(server).count(TaskState.QUEUED) == 2)

        assert [running.id for running in server.queue.running] == [task.id]
        await server.finish(task)


def published_states(server: QueueHarness) -> list[TaskState]:
    return [event.task.state for event in server.events if event.kind == "task" and event.task is not None]
