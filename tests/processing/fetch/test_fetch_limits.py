"""Limits on the time and bytes of a download, whatever the server does."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.errors import JobError, SourceTooLarge, SourceUnreachable
from processing.fetch.fetch import FetchPolicy, fetch
from tests.processing.fetch.fetching import (
    CHUNKED,
    HEAD,
    TIMEOUT_S,
    Clock,
    Flood,
    drip,
    failure,
    redirect,
    silence,
)
from tests.support.fake_hosts import fake_host, http_response

KERNEL_BYTES = 8 << 20  # socket buffers of the system


@pytest.mark.parametrize(
    "pieces",
    [
        [b"H"],
        [HEAD, b"X: y\r\n"],
        [HEAD + b"Content-Length: 1000000\r\n\r\n", b"x"],
        [HEAD + b"\r\n", b"x"],
        [CHUNKED, b"1\r\nx\r\n"],
        [CHUNKED + b"0\r\n", b"T: 1\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n"],
    ],
    ids=["status", "headers", "body", "endless body", "chunks", "trailers", "continues"],
)
@pytest.mark.requirement(7)
def test_a_slow_server_is_abandoned_at_the_deadline(pieces: list[bytes]) -> None:
    clock = Clock()

    with fake_host(drip(clock, *pieces)) as server:
        failed = failure(server.url(), FetchPolicy((server.address,), timeout_s=TIMEOUT_S, clock=clock))

    assert_deadline_passed(failed)


@pytest.mark.requirement(7)
def test_a_silent_server_is_abandoned_at_the_deadline() -> None:
    clock = Clock()

    def answer(connection: socket.socket) -> None:
        clock.advance(TIMEOUT_S)
        silence(connection)

    with fake_host(answer) as server:
        failed = failure(server.url(), FetchPolicy((server.address,), timeout_s=TIMEOUT_S, clock=clock))

    assert_deadline_passed(failed)


def assert_deadline_passed(failed: JobError) -> None:
    """The deadline is the reason, not the end of the connection, which would be the cause."""
    assert type(failed) is SourceUnreachable
    assert failed.retryable
    assert failed.__cause__ is None


@pytest.mark.requirement(7)
def test_the_deadline_counts_all_hops_together() -> None:
    clock = Clock()

    def redirect_late(connection: socket.socket) -> None:
        clock.advance(TIMEOUT_S * 0.6)
        connection.sendall(redirect(302, "/again"))

    with fake_host(redirect_late) as server:
        failed = failure(server.url(), FetchPolicy((server.address,), timeout_s=TIMEOUT_S, clock=clock))

    assert_deadline_passed(failed)
    assert len(server.requests) == 2


@pytest.mark.requirement(7)
def test_a_slow_name_server_is_abandoned_at_the_deadline() -> None:
    clock, go_on = Clock(), threading.Event()
    policy = FetchPolicy(("*",), timeout_s=TIMEOUT_S, resolve=_waiting_for(go_on, clock), clock=clock)

    failed = failure("http://slow.test/", policy)
    go_on.set()

    assert failed.retryable


@pytest.mark.requirement(7)
def test_slow_name_servers_block_a_limited_number_of_threads() -> None:
    clock, go_on = Clock(), threading.Event()
    policy = FetchPolicy(("*",), timeout_s=TIMEOUT_S, resolve=_waiting_for(go_on, clock), clock=clock)
    before = threading.active_count()

    with ThreadPoolExecutor(50) as pool:
        failures = [*pool.map(lambda _: failure("http://slow.test/", policy), range(50))]
    abandoned = threading.active_count() - before
    go_on.set()

    assert all(failed.retryable for failed in failures)
    assert 0 < abandoned <= 40


def _waiting_for(event: threading.Event, clock: Clock) -> Callable[[str, int], Sequence[str]]:
    """A resolver that needs the time of a whole download, and answers after the event."""

    def resolve(_host: str, _port: int) -> Sequence[str]:
        clock.advance(TIMEOUT_S)
        assert event.wait(60), "abandoned in time"
        return ["127.0.0.1"]

    return resolve


@pytest.mark.requirement(7)
@pytest.mark.parametrize(
    "head_and_piece",
    [
        (HEAD + b"\r\n", b"x" * 65536),
        (HEAD + b"Content-Length: 999999999999\r\n\r\n", b"x" * 65536),
        (CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    ],
    ids=["until it closes", "announced", "chunked"],
)
def test_an_endless_body_is_cut_at_the_byte_limit(head_and_piece: tuple[bytes, bytes]) -> None:
    flood = Flood(*head_and_piece)

    with fake_host(flood) as server:
        failed = failure(server.url(), FetchPolicy((server.address,), limit_bytes=1_000_000))

    assert type(failed) is SourceTooLarge
    assert flood.sent_bytes <= (2 << 20) + KERNEL_BYTES
    assert str(failed) == "The image is larger than 1 MB."


@pytest.mark.parametrize("announced", ["8", ""])
def test_a_body_may_be_as_long_as_the_limit_and_no_longer(announced: str) -> None:
    with fake_host(http_response(b"12345678", Content_Length=announced)) as server:
        assert len(fetch(server.url(), FetchPolicy((server.address,), limit_bytes=8))) == 8
        assert type(failure(server.url(), FetchPolicy((server.address,), limit_bytes=7))) is SourceTooLarge


@pytest.mark.requirement(7)
@pytest.mark.parametrize(
    "head_and_piece",
    [
        (CHUNKED, b"1\r\nx\r\n" * 10_000),
        (CHUNKED, b"1;" + b"e" * 60_000 + b"\r\nx\r\n"),
        (CHUNKED + b"0\r\n", b"T: 1\r\n" * 10_000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (HEAD, b"X: y\r\n" * 1000),
        (HEAD + b"X: ", b"y" * 65536),
    ],
    ids=["tiny chunks", "chunk extensions", "trailers", "continues", "headers", "one header"],
)
def test_a_flood_of_framing_is_cut_off_long_before_the_limit(head_and_piece: tuple[bytes, bytes]) -> None:
    flood = Flood(*head_and_piece)

    with fake_host(flood) as server:
        failed = failure(server.url(), FetchPolicy((server.address,), limit_bytes=1 << 30))

    assert type(failed) is SourceUnreachable
    assert flood.sent_bytes <= (2 << 20) + KERNEL_BYTES


@pytest.mark.requirement(7)
def test_a_gzip_bomb_is_not_inflated() -> None:
    bomb = gzip.compress(bytes(10 << 20))

    with fake_host(http_response(bomb, Content_Encoding="gzip")) as server:
        assert fetch(server.url(), FetchPolicy((server.address,), limit_bytes=1 << 20)) == bomb


def test_a_cancelled_download_ends_though_the_server_is_silent() -> None:
    class Cancelled(Exception):
        pass

    requested = threading.Event()

    def cancel_after_request() -> None:
        if requested.is_set():
            raise Cancelled

    def answer(connection: socket.socket) -> None:
        requested.set()
        silence(connection)

    with fake_host(answer) as server, pytest.raises(Cancelled):
        fetch(server.url(), FetchPolicy((server.address,), check_cancel=cancel_after_request))
