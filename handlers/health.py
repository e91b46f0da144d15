"""For those who run the server: health and metrics."""

from __future__ import annotations

import asyncio
import contextlib

from handlers.base import ApiHandler, JsonDict, NoParams
from handlers.identified import RequestIdHandler
from models import errors
from models.database import Database
from processing.metrics import Metrics
from processing.queue.task_queue import TaskQueue


class HealthHandler(ApiHandler):
    """200 and `ready` true, or 503 and why not."""

    methods = ("GET",)
    database: Database
    queue: TaskQueue

    async def reply(self, asked: NoParams) -> JsonDict:
        problems = await self._problems()
        if problems:
            self.set_status(503)
        return {"code": -1 if problems else 1, "ready": not problems, "problems": problems}

    async def _problems(self) -> list[str]:
        try:
            await self.database.ping()
        except errors.DatabaseUnavailable:
            return ["database: it does not answer"]
        return [self.queue.problem] if self.queue.problem else []


class MetricsHandler(RequestIdHandler):
    """Counters in the formats of Prometheus."""

    def initialize(self, metrics: Metrics, queue: TaskQueue) -> None:
        self._metrics, self._queue = metrics, queue

    async def get(self) -> None:
        totals = None
        with contextlib.suppress(errors.DatabaseUnavailable):
            totals = (await self._queue.status.snapshot()).totals
        self._metrics.set_queue(totals)
        text, media_type = await asyncio.to_thread(self._metrics.text, self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", media_type)
        self.finish(text)
