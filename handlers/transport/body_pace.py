"""The pace at which the bodies of requests are taken, bounded for each client.

To receive and to store bytes takes time of the event loop, of the disk and of the threads that decode pictures. A
client that sends without pause over a fast network would take most of it. So a connection is not read for a while
after its client has sent more than its share: TCP then holds the sender back. Nothing is refused.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine

from handlers.transport.client_ip import rate_limit_key
from handlers.transport.connections import LOOPBACK

BURST_BYTES = 64_000_000
"""Sixteen photos of a phone."""
MAX_CLIENTS = 100_000


class BodyPace:
    """A token bucket for each client: BURST_BYTES at once, then `bytes_per_s`; 0: no limit.

    Loopback has no limit: such requests come from the owner of the machine, or from a proxy that is not configured.
    clock: monotonic seconds. sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        bytes_per_s: float = 0,
        *,
        burst_bytes: int = BURST_BYTES,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bytes_per_s, self._burst_bytes = bytes_per_s, burst_bytes
        self._clock, self._sleep = clock, sleep
        self._exempt = frozenset(map(rate_limit_key, LOOPBACK))
        self._spent_until: OrderedDict[str, float] = OrderedDict()
        self._paused_s: WeakKeyDictionary[HTTPServerRequest, float] = WeakKeyDictionary()

    def is_limited(self, client: str) -> bool:
        return self._bytes_per_s > 0 and client not in self._exempt

    def count(self, client: str, size_bytes: int) -> float:
        """Count bytes that have arrived. Returns the seconds to wait before more are read."""
        now = self._clock()
        until = max(now, self._spent_until.pop(client, now)) + size_bytes / self._bytes_per_s
        self._spent_until[client] = until
        while len(self._spent_until) > MAX_CLIENTS:
            self._spent_until.popitem(last=False)
        return max(0.0, until - now - self._burst_bytes / self._bytes_per_s)

    async def pause(self, request: HTTPServerRequest, seconds: float) -> None:
        self._paused_s[request] = self.paused_s(request) + seconds
        await self._sleep(seconds)

    def paused_s(self, request: HTTPServerRequest) -> float:
        """For how many seconds the body was not read, a pause that is not over included."""
        return self._paused_s.get(request, 0.0)


class PacedBody(HTTPMessageDelegate):
    """A request whose body is taken at the pace of its client. client: the address, as a key of limits."""

    def __init__(self, delegate: HTTPMessageDelegate, pace: BodyPace, request: HTTPServerRequest, client: str) -> None:
        self._delegate, self._pace, self._request, self._client = delegate, pace, request, client

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self._delegate.headers_received(start_line, headers)

    async def data_received(self, chunk: bytes) -> None:
        if (received := self._delegate.data_received(chunk)) is not None:
            await received
        if (seconds := self._pace.count(self._client, len(chunk))) > 0:
            await self._pace.pause(self._request, seconds)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()
