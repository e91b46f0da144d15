"""For operators: health and metrics."""

from __future__ import annotations

import asyncio
import contextlib

from handlers.base import ApiHandler
from handlers.endpoint import endpoint
from handlers.schemas.health import HealthResponse
from handlers.transport.client_ip import IpNetworks
from models import errors
from models.database import Database
from models.queue.tasks import Tasks
from processing.disk import Disk
from processing.metrics import Metrics
from processing.queue.task_queue import TaskQueue
from processing.upkeep.own_certificate import OwnCertificate


class HealthHandler(ApiHandler):
    def initialize(self, database: Database, queue: TaskQueue, disk: Disk, own_certificate: OwnCertificate) -> None:
        self.database, self.queue, self.disk, self.own_certificate = database, queue, disk, own_certificate

    @endpoint(responses={503: HealthResponse})
    async def get(self) -> HealthResponse:
        """Whether this server is ready, or 503 and why not."""
        problems = await self._problems()
        if problems:
            self.set_status(503)
        return HealthResponse(
            code=-1 if problems else 1,
            ready=not problems,
            problems=problems,
            warnings=[*self.queue.warnings, *self.disk.warnings, *self.own_certificate.warnings],
        )

    async def _problems(self) -> list[str]:
        try:
            await self.database.ping()
        except errors.DatabaseUnavailable:
            return ["database: it does not answer", *self.disk.problems]
        return [*([self.queue.problem] if self.queue.problem else []), *self.disk.problems]


class MetricsHandler(ApiHandler):
    def initialize(self, metrics: Metrics, metrics_from: IpNetworks, queue: TaskQueue, tasks: Tasks) -> None:
        self.metrics, self.metrics_from, self.queue, self.tasks = metrics, metrics_from, queue, tasks

    @endpoint(media_type="text/plain", errors=[errors.AddressNotAllowed])
    async def get(self) -> None:
        """Counters in the formats of Prometheus, for clients on this machine and in the networks of `metrics_from`."""
        if self.client_address not in self.metrics_from:
            raise errors.AddressNotAllowed(value=self.client_address, setting="metrics_from")
        totals = oldest_s = None
        with contextlib.suppress(errors.DatabaseUnavailable):
            totals, oldest_s = (await self.queue.status.snapshot()).totals, await self.tasks.oldest_s()
        self.metrics.set_queue(totals, oldest_s)
        text, media_type = await asyncio.to_thread(self.metrics.text, self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", media_type)
        self.finish(text)
