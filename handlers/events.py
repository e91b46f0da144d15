"""Server-sent events: a page follows the queue as it moves, and takes up where it was after a break."""

from __future__ import annotations

import asyncio

from tornado.http1connection import HTTP1Connection

from handlers.base import ApiHandler, NoParams
from handlers.broadcast import HEARTBEAT, EventBroadcaster, Subscriber
from handlers.task_documents import Viewer
from models import errors

LISTENERS_LIMIT = 10_000
RETRY_S = 30
BEAT_CHUNK = b"%x\r\n%b\r\n" % (len(HEARTBEAT), HEARTBEAT)
"""A heartbeat as one chunk of HTTP/1.1."""


class TaskEventsHandler(ApiHandler):
    """`task` (a task document, or of a waiting one what has changed), `queue` (paused, totals), `reset` (ask again)."""

    parameters = NoParams
    methods = ("GET",)
    broadcaster: EventBroadcaster

    async def get(self, **_: str) -> None:
        self.authentication.check_same_origin(self)
        reader = Viewer(await self.user(), self.language())
        if self.broadcaster.subscriber_count >= LISTENERS_LIMIT:
            raise errors.Overloaded(retry_after_s=RETRY_S)
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("X-Accel-Buffering", "no")
        listener = Subscriber(reader, self._send, self._beat, self._end)
        try:
            await self.broadcaster.join(listener, self.request.headers.get("Last-Event-ID"))
            await self._over
        finally:
            self.broadcaster.leave(listener)
        if listener.unread_bytes and isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.close()

    def on_connection_close(self) -> None:
        self._end()

    def _send(self, text: bytes) -> asyncio.Future[None]:
        self.write(text)
        return self.flush()

    def _beat(self) -> None:
        """Straight to the socket: through handler, transforms, connection and stream it costs ten times as much."""
        connection = self.request.connection
        if not isinstance(connection, HTTP1Connection) or self.request.version != "HTTP/1.1":
            self._send(HEARTBEAT)
        elif not connection.stream.closed() and not connection.stream.writing():
            try:
                sent = connection.stream.write_to_fd(memoryview(BEAT_CHUNK))
            except BlockingIOError:
                sent = 0
            except OSError:
                return self._end()
            if sent < len(BEAT_CHUNK):
                connection.stream.write(BEAT_CHUNK[sent:])
        return None

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)
