"""Lines about tasks that the log collector stores."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from models import errors
from models.database import Database
from models.queue.task_log import LogLine, TaskLog
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


def record(task_id: int, **values: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": "task %s: queued again", "args": (task_id,), **values})


@pytest.mark.requirement(66)
@pytest.mark.gen_test
async def test_lines_are_counted_for_a_bounded_number_of_tasks(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_collector, "MAX_LINES", 1)
    monkeypatch.setattr(log_collector, "MAX_TASKS", 2)
    collector = TaskLogCollector(TaskLog(database), "one")

    for task_id in (1, 1, 2, 3, 3, 1):  # the last one after two other tasks
        collector.emit(record(task_id))
    await collector.store()

    lines = database.collection("task_log")
    assert [await lines.count_documents({"task": number}) for number in (1, 2, 3)] == [2, 1, 1]


@pytest.mark.gen_test
async def test_a_line_names_the_kind_of_its_exception_alone(database: Database) -> None:
    log = TaskLog(database)
    collector, error = TaskLogCollector(log, "one"), ZeroDivisionError("of a secret")

    collector.emit(record(1, levelno=logging.ERROR, levelname="ERROR", exc_info=(ZeroDivisionError, error, None)))
    await collector.store()

    [line] = await log.of(1)
    assert (line.level, line.message) == ("error", "task 1: queued again: ZeroDivisionError")


class AwayLog(TaskLog):
    """Stores nothing until the test sets `is_back`."""

    is_back = False

    async def add(self, lines: Sequence[LogLine]) -> None:
        if not self.is_back:
            raise errors.DatabaseUnavailable()
        await super().add(lines)


@pytest.mark.gen_test
async def test_lines_wait_in_their_order_while_the_database_is_away(database: Database) -> None:
    log = AwayLog(database)
    collector = TaskLogCollector(log, "one")
    for second in range(3):
        collector.emit(record(1, created=1_700_000_000.0 + second))
    await collector.store()
    before = await log.of(1)

    log.is_back = True
    collector.emit(record(1, created=1_700_000_003.0))
    await collector.store()

    assert before == []
    assert [line.time.timestamp() - 1_700_000_000 for line in await log.of(1)] == [0, 1, 2, 3]
