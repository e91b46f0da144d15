"""For those who run the server: health and metrics."""

from __future__ import annotations

import prometheus_client
import tornado.web

from handlers.base import ApiHandler, JsonDict, NoParameters
from models import errors
from models.database import Database
from processing.queue import TaskQueue


class ShowHealth(ApiHandler):
    """200 and `ready` true, or 503 and why not."""

    methods = ("GET",)
    database: Database
    queue: TaskQueue

    async def reply(self, asked: NoParameters) -> JsonDict:
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


class ShowMetrics(tornado.web.RequestHandler):
    """Counters in the Prometheus text format."""

    def initialize(self, registry: prometheus_client.CollectorRegistry) -> None:
        self._registry = registry

    def get(self) -> None:
        self.set_header("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)
        self.finish(prometheus_client.generate_latest(self._registry))
