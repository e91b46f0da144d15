"""Lines about tasks that the log collector stores."""

from __future__ import annotations

import logging

import pytest

from models.database import Database
from models.queue.task_log import TaskLog
from processing.queue import log_collector
from processing.queue.log_collector import TaskLogCollector


@pytest.mark.requirement(66)
@pytest.mark.gen_test
async def test_a_task_that_is_retried_in_a_loop_has_a_bounded_number_of_lines(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_collector, "MAX_LINES", 5)
    collector = TaskLogCollector(TaskLog(database), "one")

    for number in (1, 2, 1):
        for _ in range(8):
            collector.emit(logging.makeLogRecord({"msg": "task %s: queued again", "args": (number,)}))
    await collector.store()

    lines = database.collection("task_log")
    assert [await lines.count_documents({"task": number}) for number in (1, 2)] == [5, 5]
