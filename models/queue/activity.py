"""What the queue has done in the last hour, minute by minute, and what failed in the last day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.database import Database, Document
from models.queue.task import FINAL, TaskState

MINUTES = 60
MAX_TASKS = 100_000
"""Activity is counted of the newest tasks, at most of this many."""


@dataclass(frozen=True, slots=True)
class Minute:
    """Tasks that ended in one minute. start: its begin. wait_s: median and 95th percentile from adding to starting.

    None without a task that was started for the first time.
    """

    start: datetime
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    wait_median_s: float | None = None
    wait_p95_s: float | None = None


class QueueActivity:
    """Reads the finished part of the collection `tasks`."""

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")

    async def minutes(self) -> list[Minute]:
        """The last MINUTES minutes, oldest first; the last one has just begun."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        starts = [now - timedelta(minutes=back) for back in reversed(range(MINUTES))]
        counts: dict[datetime, dict[str, int]] = defaultdict(dict)
        waits: dict[datetime, list[float]] = defaultdict(list)
        for row in await self._tasks.aggregate(_by_minute(starts[0])):
            start = row["_id"]["minute"]
            counts[start][row["_id"]["state"]] = row["count"]
            waits[start] += [wait / 1000 for wait in row["waits"] if wait is not None]
        return [_minute(start, counts[start], sorted(waits[start])) for start in starts]


def _by_minute(since: datetime) -> list[Document]:
    """A wait is known of tasks that ended after their first attempt: `started` is that of the last one."""
    first: Document = {"$and": [{"$eq": ["$attempts", 1]}, {"$ne": ["$started", None]}]}
    wait: Document = {"$cond": [first, {"$max": [0, {"$subtract": ["$started", "$created"]}]}, None]}
    minute: Document = {"$dateTrunc": {"date": "$finished", "unit": "minute"}}
    return [
        {"$match": {"state": {"$in": [str(state) for state in FINAL]}, "finished": {"$gte": since}}},
        {"$sort": {"finished": -1, "_id": -1}},
        {"$limit": MAX_TASKS},
        {"$group": {"_id": {"minute": minute, "state": "$state"}, "count": {"$sum": 1}, "waits": {"$push": wait}}},
    ]


def _minute(start: datetime, counts: dict[str, int], waits: Sequence[float]) -> Minute:
    return Minute(
        start,
        done=counts.get(str(TaskState.DONE), 0),
        failed=counts.get(str(TaskState.FAILED), 0),
        cancelled=counts.get(str(TaskState.CANCELLED), 0),
        wait_median_s=_percentile(waits, 0.5),
        wait_p95_s=_percentile(waits, 0.95),
    )


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
