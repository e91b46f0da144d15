"""Everything that is recorded about a task, as text for operators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from models.database import Database
from models.queue.selection import Attempt, SelectedTasks
from models.queue.task import Task
from models.queue.task_log import TaskLog
from models.queue.tasks import Tasks

TIME = "%Y-%m-%d %H:%M:%S"
UNSHOWN = {"id", "owner", "type", "url", "source_key", "result_key", "dedup_key"}
"""Without the addresses of source and result: who knows them can read the images."""


async def tell_story(database: Database, task_id: int) -> str:
    """The record of a task, its attempts and its log lines. Raises NotFound."""
    task, task_log = await Tasks(database).by_id(task_id), TaskLog(database)
    attempts = await SelectedTasks(database, task_log).attempts(task_id)
    lines = await task_log.of(task_id)
    sections = [
        f"task {task.id} of {owner_of(task)}",
        *_record_lines(task),
        *(["attempts:"] if attempts else []),
        *(_attempt_line(attempt) for attempt in attempts),
        *(["log:"] if lines else []),
        *(f"  {line.time:{TIME}} {line.level:<7} {line.message} [{line.server}]" for line in lines),
    ]
    return "\n".join(sections)


def owner_of(task: Task) -> str:
    return f"{task.owner.username or 'nobody'} ({task.owner.id or '-'})"


def _record_lines(task: Task) -> Iterator[str]:
    for each in fields(task):
        value = getattr(task, each.name)
        if each.name not in UNSHOWN and value not in (None, {}, False):
            yield f"{each.name + ':':<18}{value}"


def _attempt_line(attempt: Attempt) -> str:
    took_s = (attempt.ended - attempt.started).total_seconds()
    steps = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in attempt.steps.items())
    facts = [f"{attempt.outcome} after {took_s:.2f} s", attempt.error, steps, f"on {attempt.server}"]
    return f"  {attempt.attempt}. {attempt.started:{TIME}} " + "; ".join(fact for fact in facts if fact)
