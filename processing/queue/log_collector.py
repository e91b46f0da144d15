"""Collects the log lines of this server that are about a task, and stores them beside the records."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from models import errors
from models.queue.task_log import LogLine, TaskLog
from processing.background import background

FLUSH_INTERVAL_S = 1.0
MAX_WAITING = 5000
"""Lines that wait for the database; the oldest are dropped."""
MAX_MESSAGE = 500
MAX_LINES, MAX_TASKS = 1000, 10_000
"""Lines of one task while it is among the tasks with the latest lines: one may be cancelled and retried in a loop."""
SUBJECT = "task %s"


class TaskLogCollector(logging.Handler):
    """A handler of log records. Only those whose template begins with `task %s` are kept."""

    def __init__(self, task_log: TaskLog, server: str) -> None:
        super().__init__(logging.INFO)
        self._task_log, self._server = task_log, server
        self._waiting: deque[LogLine] = deque(maxlen=MAX_WAITING)
        self._counts: OrderedDict[int, int] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        if not str(record.msg).startswith(SUBJECT) or not isinstance(record.args, tuple):
            return
        message = record.getMessage()[:MAX_MESSAGE]
        if record.exc_info and record.exc_info[0] is not None:
            message += f": {record.exc_info[0].__name__}"
        moment = datetime.fromtimestamp(record.created, UTC)
        task_id = int(str(record.args[0]))
        if self._count(task_id) > MAX_LINES:
            return
        self._waiting.append(LogLine(task_id, moment, record.levelname.lower(), message, self._server))

    def _count(self, task_id: int) -> int:
        """The lines of a task so far, with one more."""
        count = self._counts[task_id] = self._counts.pop(task_id, 0) + 1
        if len(self._counts) > MAX_TASKS:
            self._counts.popitem(last=False)
        return count

    async def flush_forever(self) -> None:
        """Store what was collected, every second."""
        while True:
            await asyncio.sleep(FLUSH_INTERVAL_S)
            await self.store()

    async def store(self) -> None:
        """Store what was collected; it waits on where the database does not answer."""
        while self._waiting:
            lines = [self._waiting.popleft() for _ in range(min(len(self._waiting), 1000))]
            try:
                await self._task_log.add(lines)
            except errors.DatabaseUnavailable:
                self._waiting.extendleft(reversed(lines))
                return


@asynccontextmanager
async def collect_task_log(task_log: TaskLog, server: str) -> AsyncIterator[None]:
    """Collect during the block what modules of `processing` log about tasks."""
    collector = TaskLogCollector(task_log, server)
    logger = logging.getLogger("processing")
    logger.addHandler(collector)
    try:
        async with background(collector.flush_forever()):
            yield
    finally:
        logger.removeHandler(collector)
        with contextlib.suppress(errors.TesseraError):
            await collector.store()
