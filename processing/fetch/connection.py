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
from processing.fetch.allowlist import FetchRules, Place, Resolve
from processing.fetch.public_ip import Address, is_public

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE_BYTES = 1 << 16

_TICK_S = 0.25  # how often a silent wait asks whether it was cancelled
_LONGEST_CONNECT_S = 10.0
_FRAMING_BYTES = 1 << 19  # what headers, chunk sizes and trailers may cost beside the body they carry
_MOST_ADDRESSES = 4  # tried one after the other; a name with a thousand does not make us knock at each
_MOST_LOOKUPS = 32  # threads waiting for a name server: getaddrinfo cannot be stopped, only abandoned
_LOOKUP_THREAD = "fetch-lookup"


class Watch:
    """The one clock of a download. Asked before every wait; raises when there is nothing left to wait for."""

    def __init__(self, rules: FetchRules) -> None:
        self._deadline = time.monotonic() + rules.timeout_s
        self._check_cancel = rules.check_cancel

    def left_s(self) -> float:
        """Seconds left, more than 0. Raises SourceUnreachable after the deadline, and what a cancel raises."""
        if self._check_cancel:
            self._check_cancel()
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SourceUnreachable
        return left

    def tick_s(self) -> float:
        """How long to wait before asking again."""
        return min(self.left_s(), _TICK_S)


class Line(io.RawIOBase):
    """What comes in: until the deadline, however slowly it drips, and no more than was granted."""

    def __init__(self, connection: socket.socket, watch: Watch) -> None:
        self._connection = connection
        self._watch = watch
        self._granted = _FRAMING_BYTES

    def grant(self, size_bytes: int) -> None:
        """Let that many more bytes in: called for each piece of a body that is wanted."""
        self._granted += size_bytes

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The one thing that http.client.HTTPResponse asks of its socket."""
        return io.BufferedReader(self, PIECE_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        size = self._receive(buffer)
        self._granted -= size
        if self._granted < 0:
            raise SourceUnreachable(passing=False)
        return size

    def _receive(self, buffer: WriteableBuffer) -> int:
        while True:
            self._connection.settimeout(self._watch.tick_s())
            with contextlib.suppress(TimeoutError):
                return self._connection.recv_into(buffer)


def connect(place: Place, rules: FetchRules, watch: Watch) -> socket.socket:
    """Connect to one of the place's addresses, with TLS if its scheme says so; the caller closes.

    Raises SourceUnreachable if one of its addresses is not public and the place is not trusted, or if it
    has none; OSError if none answers.
    """
    addresses = _addresses(place, rules, watch)[:_MOST_ADDRESSES]
    for count, address in zip(range(len(addresses), 1, -1), addresses, strict=False):
        with contextlib.suppress(OSError):
            return _dial(place, address, watch, watch.left_s() / count)
    return _dial(place, addresses[-1], watch, watch.left_s())


def _dial(place: Place, address: Address, watch: Watch, timeout_s: float) -> socket.socket:
    connection = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
    try:
        connection.settimeout(min(timeout_s, _LONGEST_CONNECT_S))
        connection.connect((str(address), place.port))
        connection.settimeout(watch.left_s())
        if place.scheme == "https":
            return ssl.create_default_context().wrap_socket(connection, server_hostname=place.host)
        return connection
    except BaseException:
        connection.close()
        raise


def _addresses(place: Place, rules: FetchRules, watch: Watch) -> list[Address]:
    """Every address of the place, all of them allowed, at least one.

    A name that leads inside fails as a name that does not exist: neither may tell a stranger anything.
    """
    if place.address:
        return [place.address]  # check_source looked at it
    try:
        found = [ip_address(text) for text in _look_up(place, rules.resolve or _ask_system, watch)]
    except (socket.gaierror, ValueError) as error:
        again = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        raise SourceUnreachable(passing=again) from error
    if not found or not (place.trusted or all(map(is_public, found))):
        raise SourceUnreachable(passing=False)
    return found


def _look_up(place: Place, resolve: Resolve, watch: Watch) -> Sequence[str]:
    """Ask in a thread of its own, which is left behind if it takes too long; so many may be left and no more."""
    if sum(thread.name == _LOOKUP_THREAD for thread in threading.enumerate()) >= _MOST_LOOKUPS:
        raise SourceUnreachable
    answer: Future[Sequence[str]] = Future()
    ask = threading.Thread(target=_answer, args=(answer, resolve, place), name=_LOOKUP_THREAD, daemon=True)
    ask.start()
    while not answer.done():
        wait([answer], timeout=watch.tick_s())
    return answer.result()


def _answer(answer: Future[Sequence[str]], resolve: Resolve, place: Place) -> None:
    try:
        answer.set_result(resolve(place.host, place.port))
    except Exception as error:  # not swallowed: handed to the thread that waits
        answer.set_exception(error)


def _ask_system(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))
