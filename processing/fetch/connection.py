"""A connection to a checked address of a place, and what comes in over it, under one clock.

A name is looked up once, all its addresses must be allowed, and the connection goes to one of exactly
these: a name that changes its mind between the check and the use gains nothing.
"""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
import time
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

_POLL_S = 0.25  # how often a silent wait asks whether it was cancelled
_CONNECT_TIMEOUT_S = 10.0
_FRAMING_BYTES = 1 << 19  # what headers, chunk sizes and trailers may cost beside the body they carry
_MAX_ADDRESSES = 4  # tried one after the other; a name with a thousand does not make us knock at each
_MAX_LOOKUPS = 32  # threads waiting for a name server: getaddrinfo cannot be stopped, only abandoned
_LOOKUP_THREAD = "fetch-lookup"


class Deadline:
    """The one clock of a download. Asked before every wait; raises when there is nothing left to wait for."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._expires_at = time.monotonic() + policy.timeout_s
        self._check_cancel = policy.check_cancel

    def remaining_s(self) -> float:
        """Seconds left, more than 0. Raises SourceUnreachable after the deadline, and what a cancel raises."""
        if self._check_cancel:
            self._check_cancel()
        remaining = self._expires_at - time.monotonic()
        if remaining <= 0:
            raise SourceUnreachable
        return remaining

    def poll_s(self) -> float:
        """How long to wait before asking again."""
        return min(self.remaining_s(), _POLL_S)


class BoundedReader(io.RawIOBase):
    """What comes in: until the deadline, however slowly it drips, and no more than was granted."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._allowed = _FRAMING_BYTES

    def allow(self, size_bytes: int) -> None:
        """Let that many more bytes in: called for each piece of a body that is wanted."""
        self._allowed += size_bytes

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The one thing that http.client.HTTPResponse asks of its socket."""
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
    """Connect to one of the place's addresses, with TLS if its scheme says so; the caller closes.

    Raises SourceUnreachable if one of its addresses is not public and the place is not trusted, or if it
    has none; OSError if none answers.
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
    """Every address of the place, all of them allowed, at least one.

    A name that leads inside fails as a name that does not exist: neither may tell a stranger anything.
    """
    if target.address:
        return [target.address]  # check_source looked at it
    try:
        addresses = [ip_address(text) for text in _look_up(target, policy.resolve or _system_resolve, deadline)]
    except (socket.gaierror, ValueError) as error:
        retryable = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        raise SourceUnreachable(retryable=retryable) from error
    if not addresses or not (target.trusted or all(map(is_public, addresses))):
        raise SourceUnreachable(retryable=False)
    return addresses


def _look_up(target: Target, resolve: Resolve, deadline: Deadline) -> Sequence[str]:
    """Ask in a thread of its own, which is left behind if it takes too long; so many may be left and no more."""
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
    except Exception as error:  # not swallowed: handed to the thread that waits
        future.set_exception(error)


def _system_resolve(host: str, port: int) -> Sequence[str]:
    results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in results))
