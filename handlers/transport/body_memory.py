"""Memory for request bodies while they arrive: bounded for each client and for all.

A body is read as a whole before its handler runs, and anybody may take as long to send one as the body timeout allows.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Awaitable

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine

from handlers.transport.connections import BUSY

CLIENT_LIMIT_BYTES = 64 * 1024 * 1024
TOTAL_LIMIT_BYTES = 256 * 1024 * 1024


class BodyMemory:
    """Beyond the limit of a client its body is refused; beyond the total, the newest body of the client with the most.
    So a client that has none always gets in."""

    def __init__(
        self, *, client_limit_bytes: int = CLIENT_LIMIT_BYTES, total_limit_bytes: int = TOTAL_LIMIT_BYTES
    ) -> None:
        self._client_limit, self._total_limit = client_limit_bytes, total_limit_bytes
        self._bytes: Counter[str] = Counter()
        self._bodies: dict[str, list[CountedBody]] = {}

    @property
    def total(self) -> int:
        """Bytes of all bodies that are arriving."""
        return self._bytes.total()

    def add(self, body: CountedBody, count: int) -> None:
        """More of a body has arrived. Refuses this body or another one if that is too much."""
        client = body.client
        if self._bytes[client] + count > self._client_limit:
            body.refuse()
            return
        if not body.size_bytes:
            self._bodies.setdefault(client, []).append(body)
        body.size_bytes += count
        self._bytes[client] += count
        if self.total > self._total_limit:
            busiest = max(self._bytes, key=self._bytes.__getitem__)
            self._bodies[busiest][-1].refuse()

    def remove(self, body: CountedBody) -> None:
        """The body has arrived, or will not."""
        if body.size_bytes:
            bodies = self._bodies[body.client]
            bodies.remove(body)
            if not bodies:
                del self._bodies[body.client]
            self._bytes -= Counter({body.client: body.size_bytes})  # drops a client at zero
            body.size_bytes = 0


class CountedBody(HTTPMessageDelegate):
    """A request whose body is counted while it arrives. client: the address, as a key of limits."""

    def __init__(
        self, delegate: HTTPMessageDelegate, memory: BodyMemory, request: HTTPServerRequest, client: str
    ) -> None:
        self.client, self.size_bytes = client, 0
        self._delegate, self._memory, self._connection = delegate, memory, request.connection
        self._is_refused = False

    def refuse(self) -> None:
        """503, and the end of the connection."""
        self._is_refused = True
        self._memory.remove(self)
        if isinstance(self._connection, HTTP1Connection):
            with contextlib.suppress(OSError):
                self._connection.stream.socket.send(BUSY)
            self._connection.close()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._memory.add(self, len(chunk))
        return None if self._is_refused else self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._memory.remove(self)
        if self._is_refused:  # with its last bytes: the handler must not act on the rest
            self._delegate.on_connection_close()
        else:
            self._delegate.finish()

    def on_connection_close(self) -> None:
        self._memory.remove(self)
        self._delegate.on_connection_close()
