"""The queue's last hour and the errors of its last day, read again only as often as that is cheap."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from models.queue.activity import Minute, QueueActivity
from models.queue.failed import ErrorCount, FailedTasks

MIN_AGE_S = 2.0
READ_SHARE = 50
"""Read again after MIN_AGE_S and READ_SHARE times the duration of the last read."""
ERROR_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class Activity:
    """minutes: of the last hour, oldest first. errors: of the last ERROR_HOURS, most frequent first."""

    minutes: Sequence[Minute] = ()
    errors: Sequence[ErrorCount] = ()


class ActivityReader:
    """Answers all developers from one read."""

    def __init__(self, queue_activity: QueueActivity, failed: FailedTasks) -> None:
        self._queue_activity, self._failed = queue_activity, failed
        self._activity, self._next_at = Activity(), float("-inf")
        self._lock = asyncio.Lock()

    async def read(self) -> Activity:
        """Raises DatabaseUnavailable."""
        async with self._lock:
            started_at = time.monotonic()
            if started_at >= self._next_at:
                minutes = await self._queue_activity.minutes()
                errors = await self._failed.count_by_error(hours=ERROR_HOURS)
                self._activity = Activity(minutes, errors)
                now = time.monotonic()
                self._next_at = now + max(MIN_AGE_S, READ_SHARE * (now - started_at))
            return self._activity
