"""Server-sent events: a page follows its tasks and the queue, and resumes after a break."""

from __future__ import annotations

import asyncio

from tornado.http1connection import HTTP1Connection

from handlers.base import ApiHandler
from handlers.broadcast import EventBroadcaster, Subscriber
from handlers.endpoint import endpoint
from handlers.schemas.tasks import Audience
from models import errors

SUBSCRIBERS_LIMIT = 10_000
RETRY_AFTER_S = 30


class TaskEventsHandler(ApiHandler):
    timeout_s = None
    compress = False

    def initialize(self, broadcaster: EventBroadcaster) -> None:
        self.broadcaster = broadcaster
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @endpoint(errors=(errors.CsrfError, errors.Overloaded), media_type="text/event-stream")
    async def get(self) -> None:
        """Events: `task` (a task, or a new position of one's own), `queue` (paused, totals), `reset` (query again)."""
        self.authentication.check_same_origin(self)
        audience = Audience(await self.user(), self.language(), self.request.host, self.authentication.open_access)
        if self.broadcaster.subscriber_count >= SUBSCRIBERS_LIMIT:
            raise errors.Overloaded(retry_after_s=RETRY_AFTER_S)
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("X-Accel-Buffering", "no")
        if self.request.method == "HEAD":
            return
        subscriber = Subscriber(audience, self._write, self._close)
        try:
            await self.broadcaster.add(subscriber, self.request.headers.get("Last-Event-ID"))
            await self._closed
        finally:
            self.broadcaster.remove(subscriber)
        if subscriber.unread_bytes and isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.close()

    def on_connection_close(self) -> None:
        self._close()

    def _write(self, text: bytes) -> asyncio.Future[None]:
        self.write(text)
        return self.flush()

    def _close(self) -> None:
        if not self._closed.done():
            self._closed.set_result(None)
