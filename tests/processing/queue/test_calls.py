"""What a task costs: the calls to the database, each of which takes a thread of the driver and a turn of the loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from models.database import Database
from models.images.image import Owner
from models.queue.task import TaskState
from tests.processing.queue.queue_harness import queue_harness
from tests.support.commands import CommandRecorder
from tests.support.waiting import until

PEOPLE = 40
TASKS = 10
EMPTY = 5
"""Claims that find nothing, at the end."""


@pytest.mark.gen_test
async def test_a_task_that_is_rendered_costs_two_calls_and_a_share_of_those_for_ends_and_events(
    mongodb_uri: str, database_name: str, tmp_path: Path
) -> None:
    recorder = CommandRecorder()
    database = Database(mongodb_uri, database_name, listeners=[recorder])
    async with queue_harness(database, tmp_path, size=1) as server:
        await server.finish(await server.add(name="the first one, whose quota is summed"))
        await server.queue.pause(True)
        await server.is_paused()
        tasks = await server.add_many(TASKS)
        await server.store.events.drain()
        server.engine.instantly = True
        recorder.commands.clear()

        await server.queue.pause(False)

        async def all_done() -> bool:
            done = {event.task.id for event in server.events if event.task and event.task.state is TaskState.DONE}
            return done >= {task.id for task in tasks}

        await until(all_done)
        await server.queue.wait_until_idle()
        await server.store.events.drain()

        calls = {name: recorder.names(name) for name in ("tasks", "images", "uploads", "events")}
    database.close()
    claims_and_ends = [name for name in calls["tasks"] if name in ("findAndModify", "update")]
    results = calls["images"].count("insert")
    assert TASKS <= len(claims_and_ends) <= TASKS + results + EMPTY, (
        "a claim each, and an end for each group of results"
    )
    assert calls["images"].count("aggregate") == TASKS, "an earlier result is looked for"
    assert 1 <= results < TASKS, "results that end within a moment share a call"
    assert set(calls["images"]) == {"aggregate", "insert"}
    assert calls["uploads"] == []
    assert calls["events"].count("insert") <= 2 * TASKS


@pytest.mark.gen_test
async def test_people_who_add_tasks_at_the_same_time_share_calls(
    mongodb_uri: str, database_name: str, tmp_path: Path
) -> None:
    recorder = CommandRecorder()
    database = Database(mongodb_uri, database_name, listeners=[recorder])
    async with queue_harness(database, tmp_path, size=0) as server:
        await server.add(name="the first one, before which all are counted")
        await server.store.events.drain()
        recorder.commands.clear()

        people = [Owner(1000 + number, f"user-{number}") for number in range(PEOPLE)]
        await asyncio.gather(*(server.add(owner, owner.username, address="198.51.100.7") for owner in people))

        calls = Counter((collection, name) for collection in ("tasks", "rounds") for name in recorder.names(collection))
        order = await server.order()
    database.close()
    assert len(order) == PEOPLE + 1
    assert calls.total() <= PEOPLE, "alone, each would cost six"
    assert 1 <= calls["tasks", "insert"] < PEOPLE / 4
