"""For operators: health and metrics."""

from __future__ import annotations

import asyncio
import contextlib

from handlers.base import ApiHandler
from handlers.endpoint import endpoint
from handlers.schemas import HealthResponse
from models import errors
from models.database import Database
from processing.metrics import Metrics
from processing.queue.task_queue import TaskQueue


class HealthHandler(ApiHandler):
    def initialize(self, database: Database, queue: TaskQueue) -> None:
        self.database, self.queue = database, queue

    @endpoint(responses={503: HealthResponse})
    async def get(self) -> HealthResponse:
        """Whether this server is ready, or 503 and why not."""
        problems = await self._problems()
        if problems:
            self.set_status(503)
        return HealthResponse(code=-1 if problems else 1, ready=not problems, problems=problems)

    async def _problems(self) -> list[str]:
        try:
            await self.database.ping()
        except errors.DatabaseUnavailable:
            return ["database: it does not answer"]
        return [self.queue.problem] if self.queue.problem else []


class MetricsHandler(ApiHandler):
    def initialize(self, metrics: Metrics, queue: TaskQueue) -> None:
        self.metrics, self.queue = metrics, queue

    @endpoint(media_type="text/plain")
    async def get(self) -> None:
        """Counters in the formats of Prometheus."""
        totals = None
        with contextlib.suppress(errors.DatabaseUnavailable):
            totals = (await self.queue.status.snapshot()).totals
        self.metrics.set_queue(totals)
        text, media_type = await asyncio.to_thread(self.metrics.text, self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", media_type)
        self.finish(text)
