"""How many connections a server accepts.

Each needs a file descriptor, and an upload or a download one more. Without a free descriptor Tornado can neither accept
nor refuse a connection. So the process raises its limit of open files as far as the system allows, and beyond a part
of it connections are answered with 503. One address cannot take all places: event streams and slow uploads stay open
for long and count for the address that they come from. A connection of a trusted proxy counts for the client whose
request it carries, from the header of the request on.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import IOStream

from handlers.transport.client_ip import IpNetworks, client_ip, rate_limit_key

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 20_000
MAX_PER_IP = 2_000
"""A school behind one address stays below."""
LOOPBACK = frozenset(("127.0.0.1", "::1"))
"""Exempt from MAX_PER_IP: such connections come from a proxy, or from the owner of the machine."""
RECOMMENDED_CONNECTIONS = 11_000
"""For 10,000 event streams and the requests beside them; below this the log and `--check` warn."""
RESERVED_FILES = 256
"""Descriptors for the database, the log and images; half of the limit where that is less."""
LOG_INTERVAL_S = 60.0
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def fd_limit_warning(files: int) -> str:
    """A warning for operators if this limit is too low, else ""."""
    connections = connections_for(files)
    if connections >= RECOMMENDED_CONNECTIONS:
        return ""
    needed = -(-RECOMMENDED_CONNECTIONS * 4 // 3)
    return (
        f"{files} open files are allowed, enough for {connections} connections; raise the limit to {needed}"
        " (LimitNOFILE, ulimit -n)"
    )


def connections_for(files: int) -> int:
    """How many connections to accept with this limit of open files; a quarter is for what requests open."""
    return max(1, min(MAX_CONNECTIONS, files - max(min(RESERVED_FILES, files // 2), files // 4)))


class ConnectionLimiter:
    """Counts connections. total: in all; per_ip: of one address (a `rate_limit_key`) that is not exempt.

    exempt: addresses and networks.

    clock: monotonic seconds.
    """

    def __init__(
        self,
        total: int,
        *,
        per_ip: int = MAX_PER_IP,
        exempt: Collection[str] = LOOPBACK,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._per_ip, self._clock = total, per_ip, clock
        self._exempt = IpNetworks(rate_limit_key(address) for address in exempt)
        self._open: Counter[str] = Counter()
        self._count = 0
        self._logged_at = float("-inf")

    def acquire(self, key: str) -> bool:
        """Count one connection more, if there is a place for it."""
        crowded = self._is_crowded(key)
        if crowded or self._count >= self._total:
            self._log_limit(f"{self._per_ip} of {key}" if crowded else f"{self._total}")
            return False
        self._open[key] += 1
        self._count += 1
        return True

    def move(self, old: str, new: str) -> bool:
        """Count a connection for another key from now on, if there is a place for it."""
        if new == old:
            return True
        if self._is_crowded(new):
            self._log_limit(f"{self._per_ip} of {new}")
            return False
        self._open[new] += 1
        self._drop(old)
        return True

    def release(self, key: str) -> None:
        self._count -= 1
        self._drop(key)

    def _drop(self, key: str) -> None:
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]

    def _is_crowded(self, key: str) -> bool:
        return self._open[key] >= self._per_ip and key not in self._exempt

    def _log_limit(self, reached: str) -> None:
        if self._clock() - self._logged_at > LOG_INTERVAL_S:
            self._logged_at = self._clock()
            log.warning("connections: %s are open, which is the limit; further ones are refused", reached)


class LimitedHTTPServer(HTTPServer):
    """Tornado's server with a limit of open connections."""

    limiter: ConnectionLimiter
    trusted_proxies = IpNetworks()

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        super().initialize(*args, **kwargs)
        self._keys: dict[IOStream, str] = {}

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        key = rate_limit_key(str(address[0])) if address else ""
        if not self.limiter.acquire(key):
            with contextlib.suppress(OSError):
                stream.socket.send(BUSY)
            stream.close()
            return
        self._keys[stream] = key
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        delegate = super().start_request(server_conn, request_conn)
        connection = cast(HTTP1ServerConnection, server_conn)
        peer = str(getattr(connection.context, "remote_ip", ""))
        if peer not in self.trusted_proxies:
            return delegate
        return _ProxiedRequest(delegate, lambda headers: self._count_client(connection.stream, peer, headers))

    def _count_client(self, stream: IOStream, peer: str, headers: HTTPHeaders) -> bool:
        """Count a proxy's connection for the client of its request. Returns False, without a connection, beyond."""
        key = rate_limit_key(client_ip(peer, headers.get("X-Forwarded-For", ""), self.trusted_proxies))
        if self.limiter.move(self._keys[stream], key):
            self._keys[stream] = key
            return True
        with contextlib.suppress(OSError):
            stream.socket.send(BUSY)
        stream.close()
        return False

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        self.limiter.release(self._keys.pop(cast(HTTP1ServerConnection, server_conn).stream))


class _ProxiedRequest(HTTPMessageDelegate):
    """A request that a proxy has sent. is_accepted: decides by its headers, and closes the connection of others."""

    def __init__(self, delegate: HTTPMessageDelegate, is_accepted: Callable[[HTTPHeaders], bool]) -> None:
        self._delegate, self._is_accepted = delegate, is_accepted
        self._accepted = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._accepted = self._is_accepted(headers)
        return self._delegate.headers_received(start_line, headers) if self._accepted else None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk) if self._accepted else None

    def finish(self) -> None:
        if self._accepted:
            self._delegate.finish()

    def on_connection_close(self) -> None:
        if self._accepted:
            self._delegate.on_connection_close()
