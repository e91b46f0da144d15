"""Queues many tasks again, for developers and operators."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from models import errors
from models.queue.events import Events
from models.queue.fair_order import AddressQueue, FairOrder
from models.queue.task import Task
from models.queue.tasks import Tasks
from processing.queue.event_feed import publish_task


async def retry_all(chosen: Sequence[Task], tasks: Tasks, fair_order: FairOrder, events: Events) -> int:
    """Queue tasks again, those that ended first come first; the limits of users do not count.

    Returns how many were still retryable.
    """
    await fair_order.refresh()
    count = 0
    for task in sorted(chosen, key=lambda task: task.finished or task.created):
        idle = not await tasks.count_active(task.owner.id)
        place = await fair_order.assign(task.owner, AddressQueue(), idle=idle)
        with contextlib.suppress(errors.InvalidState, errors.NotFound):
            publish_task(events, await tasks.retry(task.id, place=place))
            count += 1
    return count
