"""Server-sent events: a page follows the queue as it moves, and takes up where it was after a break."""

from __future__ import annotations

import asyncio

from tornado.http1connection import HTTP1Connection

from handlers.base import ApiHandler, NoParameters
from handlers.broadcast import BEAT, Broadcast, Listener
from handlers.task_documents import Reader
from models import errors

LISTENERS_LIMIT = 10_000
RETRY_S = 30
BEAT_CHUNK = b"%x\r\n%b\r\n" % (len(BEAT), BEAT)
"""A heartbeat as one chunk of HTTP/1.1."""


class ListenToTasks(ApiHandler):
    """`task` (a task document, or of a waiting one what has changed), `queue` (paused, totals), `reset` (ask again)."""

    parameters = NoParameters
    methods = ("GET",)
    broadcast: Broadcast

    async def get(self, **_: str) -> None:
        self.authentication.refuse_cross_site(self)
        reader = Reader(await self.visitor(), self.language())
        if self.broadcast.listeners >= LISTENERS_LIMIT:
            raise errors.Overloaded(retry_after_s=RETRY_S)
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("X-Accel-Buffering", "no")
        listener = Listener(reader, self._send, self._beat, self._end)
        try:
            await self.broadcast.join(listener, self.request.headers.get("Last-Event-ID"))
            await self._over
        finally:
            self.broadcast.leave(listener)
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
            self._send(BEAT)
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
