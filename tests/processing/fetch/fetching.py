"""Helpers for the tests of downloads: a scripted resolver, and servers that misbehave."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

import pytest

from models.errors import JobError
from processing.fetch.fetch import FetchPolicy, fetch
from tests.support.fake_hosts import http_response

TIMEOUT_S = 20.0
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class Names:
    """A resolver with scripted answers, one per query; the last one is repeated."""

    def __init__(self, *answers: Sequence[str] | Exception) -> None:
        self._answers = answers
        self.queried: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.queried.append(host)
        answer = self._answers[min(len(self.queried), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def failure(url: str, policy: FetchPolicy) -> JobError:
    with pytest.raises(JobError) as failed:
        fetch(url, policy)
    return failed.value


class Clock:
    """The clock of a download. The servers of the tests advance it, which costs no time."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


def drip(clock: Clock, *pieces: bytes) -> Callable[[socket.socket], None]:
    """Send the pieces, then the last one once a second by the clock until the client closes the connection."""

    def answer(connection: socket.socket) -> None:
        for piece in pieces[:-1]:
            connection.sendall(piece)
        while True:
            connection.sendall(pieces[-1])
            clock.advance(1)

    return answer


class Flood:
    """Sends the head, then repeats the piece without end."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        self._head, self._piece = head, piece
        self.sent_bytes = 0

    def __call__(self, connection: socket.socket) -> None:
        connection.sendall(self._head)
        while True:
            connection.sendall(self._piece)
            self.sent_bytes += len(self._piece)


def silence(connection: socket.socket) -> None:
    connection.recv(1)


def redirect(code: int, location: str) -> bytes:
    return http_response(status=f"{code} Moved", Location=location.encode().decode("latin-1"))


def steps(*locations: str) -> Callable[[socket.socket], None]:
    remaining = [redirect(302, each) for each in locations]
    return lambda connection: connection.sendall(remaining.pop(0) if remaining else http_response(b"picture"))
