"""Connections on their way in: how many there may be, and a last word to a head that is too long to be read.

Each costs a file descriptor, and an upload or a download one more. What happens without any left is Tornado's worst
hour: it asks for the waiting connection again and again and logs a trace each time. So the limit of the process is
raised as far as the system allows, connections beyond a part of it are turned away with 503, and should there be no
descriptor left all the same, one that is kept in reserve takes the caller in and shows him out. Nobody takes all
places: whatever is open for long (a stream of events, a slow upload) counts for the address that it comes from.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, UnsatisfiableReadError

from handlers.client_ip import rate_limit_key

log = logging.getLogger(__name__)

MAX_FILES = 65_536
MAX_CONNECTIONS = 20_000
MAX_PER_IP = 2_000
"""Of one address; a school behind one of them stays below."""
LOOPBACK = frozenset(("127.0.0.1", "::1"))
"""Not counted by address: what comes from here is a proxy, or whoever owns the machine."""
RECOMMENDED_CONNECTIONS = 11_000
"""What 10,000 listeners and those beside them need: below this the log and `--check` say so."""
RESERVED_FILES = 256
"""So many descriptors, or half of fewer, are for the database, the log and pictures."""
LOG_INTERVAL_S = 60.0
DRAINED_BYTES = 1024 * 1024
NONE_LEFT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
HEAD_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def raise_file_limit() -> None:
    """Take as many open files as the system gives, at most FILES_WANTED."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(ValueError, OSError):  # the system may know better
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def file_limit() -> int:
    """How many files this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_FILES if soft == resource.RLIM_INFINITY else soft


def fd_limit_warning(files: int) -> str:
    """What to tell an operator of this limit; "" where it is enough."""
    most = connections_for(files)
    if most >= RECOMMENDED_CONNECTIONS:
        return ""
    wanted = -(-RECOMMENDED_CONNECTIONS * 4 // 3)
    return f"{files} open files are allowed, enough for {most} connections; give it {wanted} (LimitNOFILE, ulimit -n)"


def connections_for(files: int) -> int:
    """How many connections there may be at once, with so many open files: a quarter is for what they ask for."""
    return max(1, min(MAX_CONNECTIONS, files - max(min(RESERVED_FILES, files // 2), files // 4)))


class LimitedHTTPServer(HTTPServer):
    """Tornado's server, for so many connections at once."""

    limiter: ConnectionLimiter

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        name = rate_limit_key(str(address[0])) if address else ""
        if not self.limiter.acquire(name):
            with contextlib.suppress(OSError):
                stream.socket.send(BUSY)
            stream.close()
            return
        line = ClientStream(
            stream.socket, max_buffer_size=stream.max_buffer_size, read_chunk_size=stream.read_chunk_size
        )
        line.on_close = lambda: self.limiter.release(name)
        super().handle_stream(line, address)


class ConnectionLimiter:
    """Who is here. most: connections in all; each: of one address (as counted_as names it) that is not spared."""

    def __init__(self, total: int, *, per_ip: int = MAX_PER_IP, exempt: Collection[str] = LOOPBACK) -> None:
        self._most, self._each, self._spared = total, per_ip, {rate_limit_key(address) for address in exempt}
        self._here: Counter[str] = Counter()
        self._count = 0
        self._told_at = float("-inf")

    def acquire(self, name: str) -> bool:
        """Whether there is a place for one more from this address; then it is taken."""
        crowded = self._here[name] >= self._each and name not in self._spared
        if crowded or self._count >= self._most:
            self._tell(f"{self._each} of {name}" if crowded else f"{self._most}")
            return False
        self._here[name] += 1
        self._count += 1
        return True

    def release(self, name: str) -> None:
        self._count -= 1
        self._here[name] -= 1
        if not self._here[name]:
            del self._here[name]

    def _tell(self, which: str) -> None:
        if time.monotonic() - self._told_at > LOG_INTERVAL_S:
            self._told_at = time.monotonic()
            log.warning("connections: %s are open, which is the limit; others are turned away", which)


class ClientStream(IOStream):
    """One connection. Whose head does not end is told so before the end. on_end: called once."""

    on_close: Callable[[], None] | None = None
    _in_head = False

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Any:
        self._in_head = True
        return super().read_until_regex(regex, max_bytes)

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> Any:
        self._in_head = False  # a line of a chunked body
        return super().read_until(delimiter, max_bytes)

    def close(
        self,
        exc_info: bool
        | BaseException
        | tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
        | None = False,
    ) -> None:
        if self._in_head and isinstance(exc_info, UnsatisfiableReadError) and not self.closed():
            self._say(HEAD_TOO_LONG)
        super().close(exc_info)
        if self.on_close is not None:
            ended, self.on_close = self.on_close, None
            ended()

    def _say(self, words: bytes) -> None:
        """What has come already is read away: unread, it would turn our end into a reset that eats the words."""
        left = DRAINED_BYTES
        with contextlib.suppress(OSError):
            self.socket.send(words)
            self.socket.shutdown(socket.SHUT_WR)
            while left > 0 and (piece := self.socket.recv(65536)):
                left -= len(piece)


class Listening(socket.socket):
    """A listening socket that can show a caller out when no descriptor is left to take him in."""

    def __init__(self, like: socket.socket) -> None:
        super().__init__(like.family, like.type, like.proto, fileno=like.detach())
        self._reserve: int | None = os.open(os.devnull, os.O_RDONLY)

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises ConnectionAbortedError for a caller who was shown out, which Tornado takes for one who left."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in NONE_LEFT:
                raise
            self._show_out()
            raise ConnectionAbortedError from error

    def close(self) -> None:
        self._spend_reserve()
        super().close()

    def _show_out(self) -> None:
        self._spend_reserve()
        with contextlib.suppress(OSError):
            super().accept()[0].close()
        with contextlib.suppress(OSError):  # somebody else took what was free: there will be more
            self._reserve = os.open(os.devnull, os.O_RDONLY)

    def _spend_reserve(self) -> None:
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None
