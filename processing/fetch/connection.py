"""A connection to a checked address of a target, and a bounded reader on it, under one deadline.

A name is looked up once, all its addresses must be allowed, and the connection goes to one of these addresses, so that
DNS rebinding between check and use has no effect.
"""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from ipaddress import ip_address
from typing import TYPE_CHECKING

from models.errors import SourceUnreachable
from processing.fetch.allowlist import FetchPolicy, Resolve, Target
from processing.fetch.public_ip import Address, is_public

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 1 << 16

_POLL_S = 0.25  # how often a wait checks for cancellation
_CONNECT_TIMEOUT_S = 10.0
_FRAMING_BYTES = 1 << 19  # for headers, chunk sizes and trailers beside the body
_MAX_ADDRESSES = 4  # tried one after the other; the rest of a longer list is ignored
_MAX_LOOKUPS = 32  # threads that wait for a name server: getaddrinfo cannot be cancelled, only abandoned
_LOOKUP_THREAD = "fetch-lookup"


class Deadline:
    """The deadline of a download, checked before every wait."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._clock = policy.clock
        self._expires_at = self._clock() + policy.timeout_s
        self._check_cancel = policy.check_cancel

    def remaining_s(self) -> float:
        """Seconds left, more than 0. Raises SourceUnreachable after the deadline, and what check_cancel raises."""
        if self._check_cancel:
            self._check_cancel()
        remaining = self._expires_at - self._clock()
        if remaining <= 0:
            raise SourceUnreachable
        return remaining

    def poll_s(self) -> float:
        """How long to wait before the next check."""
        return min(self.remaining_s(), _POLL_S)


class BoundedReader(io.RawIOBase):
    """Reads from a socket until the deadline, and no more bytes than were allowed."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._allowed = _FRAMING_BYTES

    def allow(self, size_bytes: int) -> None:
        """Allow this many more bytes: called for each chunk of a body."""
        self._allowed += size_bytes

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The only method of a socket that http.client.HTTPResponse calls."""
        return io.BufferedReader(self, CHUNK_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        size = self._receive(buffer)
        self._allowed -= size
        if self._allowed < 0:
            raise SourceUnreachable(retryable=False)
        return size

    def _receive(self, buffer: WriteableBuffer) -> int:
        while True:
            self._connection.settimeout(self._deadline.poll_s())
            with contextlib.suppress(TimeoutError):
                return self._connection.recv_into(buffer)


def connect(target: Target, policy: FetchPolicy, deadline: Deadline) -> socket.socket:
    """Connect to one of the target's addresses, with TLS for https. The caller closes the socket.

    Raises SourceUnreachable if the target has no address, or one that is not public although it is not trusted; OSError
    if no address answers.
    """
    addresses = _addresses(target, policy, deadline)[:_MAX_ADDRESSES]
    for count, address in zip(range(len(addresses), 1, -1), addresses, strict=False):
        with contextlib.suppress(OSError):
            return _open_socket(target, address, deadline, deadline.remaining_s() / count)
    return _open_socket(target, addresses[-1], deadline, deadline.remaining_s())


def _open_socket(target: Target, address: Address, deadline: Deadline, timeout_s: float) -> socket.socket:
    connection = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
    try:
        connection.settimeout(min(timeout_s, _CONNECT_TIMEOUT_S))
        connection.connect((str(address), target.port))
        connection.settimeout(deadline.remaining_s())
        if target.scheme == "https":
            return ssl.create_default_context().wrap_socket(connection, server_hostname=target.host)
        return connection
    except BaseException:
        connection.close()
        raise


def _addresses(target: Target, policy: FetchPolicy, deadline: Deadline) -> list[Address]:
    """The addresses of the target, at least one, all of them allowed.

    A name with a private address fails like a name that does not exist, so that the answer does not reveal which it is.
    """
    if target.address:
        return [target.address]  # checked by check_source
    try:
        addresses = [ip_address(text) for text in _look_up(target, policy.resolve or _system_resolve, deadline)]
    except (socket.gaierror, ValueError) as error:
        retryable = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        raise SourceUnreachable(retryable=retryable) from error
    if not addresses or not (target.trusted or all(map(is_public, addresses))):
        raise SourceUnreachable(retryable=False)
    return addresses


def _look_up(target: Target, resolve: Resolve, deadline: Deadline) -> Sequence[str]:
    """Resolve in a thread of its own, which is abandoned at the deadline; _MAX_LOOKUPS limits these threads."""
    if sum(thread.name == _LOOKUP_THREAD for thread in threading.enumerate()) >= _MAX_LOOKUPS:
        raise SourceUnreachable
    future: Future[Sequence[str]] = Future()
    thread = threading.Thread(target=_resolve_into, args=(future, resolve, target), name=_LOOKUP_THREAD, daemon=True)
    thread.start()
    while not future.done():
        wait([future], timeout=deadline.poll_s())
    return future.result()


def _resolve_into(future: Future[Sequence[str]], resolve: Resolve, target: Target) -> None:
    try:
        future.set_result(resolve(target.host, target.port))
    except Exception as error:  # raised in the thread that waits
        future.set_exception(error)


def _system_resolve(host: str, port: int) -> Sequence[str]:
    results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in results))
