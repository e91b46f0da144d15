"""Many tasks at once, for developers and operators: retry, cancel, clear."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models import errors
from models.queue.events import Events
from models.queue.fair_order import FairOrder
from models.queue.selection import SelectedTasks
from models.queue.task import ACTIVE, FINAL, TRANSITIONS, Task, TaskState
from models.queue.tasks import TaskFilter, Tasks
from processing.queue.retrying import retry_all
from processing.queue.task_queue import TaskQueue


class BulkAction(StrEnum):
    RETRY = "retry"
    CANCEL = "cancel"
    CLEAR = "clear"


STATES: dict[BulkAction, tuple[TaskState, ...]] = {
    BulkAction.RETRY: tuple(state for state in FINAL if TaskState.QUEUED in TRANSITIONS[state]),
    BulkAction.CANCEL: ACTIVE,
    BulkAction.CLEAR: FINAL,
}
"""The states of the tasks that an action is possible for."""


@dataclass(frozen=True, slots=True)
class BulkChanges:
    """Applies an action to the tasks of a filter, the oldest first."""

    queue: TaskQueue
    tasks: Tasks
    selected: SelectedTasks
    fair_order: FairOrder
    events: Events

    async def apply(self, action: BulkAction, task_filter: TaskFilter, *, limit: int) -> int:
        """Change at most `limit` tasks; returns how many. task_filter: its states are among STATES of the action."""
        chosen = await self.selected.find(task_filter, limit=limit)
        return await self._works()[action](chosen)

    def _works(self) -> dict[BulkAction, Callable[[Sequence[Task]], Awaitable[int]]]:
        return {
            BulkAction.RETRY: lambda chosen: retry_all(chosen, self.tasks, self.fair_order, self.events),
            BulkAction.CANCEL: self._cancel_all,
            BulkAction.CLEAR: self.selected.clear,
        }

    async def _cancel_all(self, chosen: Sequence[Task]) -> int:
        count = 0
        for task in chosen:
            with contextlib.suppress(errors.InvalidState, errors.NotFound):
                await self.queue.cancel(task.id)
                count += 1
        return count
