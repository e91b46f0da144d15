"""The records of tasks that have ended are bounded for each user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.database import Database
from models.images.image import ANONYMOUS, Owner
from models.queue import ended
from models.queue.ended import EndedTasks
from models.queue.task_log import LogLine, TaskLog

ADA, BOB = Owner(1, "ada"), Owner(2, "bob")


@pytest.mark.requirement(66)
@pytest.mark.gen_test
async def test_a_user_keeps_the_newest_tasks_that_have_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended, "TRIM_EVERY", 3)
    tasks, log = database.collection("tasks"), TaskLog(database)
    now = datetime.now(UTC)
    states = ["cancelled", "failed", "done", "done", "cancelled", "queued"]
    for owner in (ADA, BOB):
        for at, state in enumerate(states):
            finished = now + timedelta(seconds=at)
            await tasks.insert_one({"_id": 100 * (owner.id or 0) - at, "owner_id": owner.id, "state": state,
                                    "finished": finished})  # fmt: skip
    await log.add([LogLine(task_id, now, "info", "a line", "one") for task_id in (100, 99, 96)])
    monkeypatch.setattr(EndedTasks.trim, "__kwdefaults__", {"failed": 1, "done": 1})
    ended_tasks = EndedTasks(database, log)

    for owner in (ADA, ADA, BOB, BOB, ANONYMOUS, ANONYMOUS, ANONYMOUS):
        await ended_tasks.note_added(owner)
    before = await tasks.count_documents({"owner_id": 1})
    await ended_tasks.note_added(ADA)

    left = [task["_id"] for task in await tasks.find({"owner_id": 1}, sort="_id", limit=9)]
    assert before == await tasks.count_documents({"owner_id": 2}) == len(states)
    assert left == [95, 96, 97], "the queued one, the newest cancelled one, the newest done one"
    assert [bool(await log.of(task_id)) for task_id in (100, 99, 96)] == [False, False, True]
