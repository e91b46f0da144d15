"""Helpers for the tests of downloads: a scripted resolver, and servers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

import pytest

from models.errors import JobError
from processing.fetch.fetch import FetchPolicy, fetch
from tests.support.fake_hosts import http_response

SOON_S = 0.3
SERVER_TIMEOUT_S = 20
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


def drip(*pieces: bytes, every_s: float = 0.02) -> Callable[[socket.socket], None]:
    """Send the pieces slowly, repeating the last one until SERVER_TIMEOUT_S."""

    def answer(connection: socket.socket) -> None:
        pause = threading.Event()
        for piece in pieces[:-1]:
            connection.sendall(piece)
        for _ in range(int(SERVER_TIMEOUT_S / every_s)):
            connection.sendall(pieces[-1])
            pause.wait(every_s)

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
