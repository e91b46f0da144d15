"""Limits on the time and bytes of a download, whatever the server does."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.errors import SourceTooLarge, SourceUnreachable
from processing.fetch.fetch import FetchPolicy, fetch
from tests.processing.fetch.fetching import (
    CHUNKED,
    HEAD,
    SERVER_TIMEOUT_S,
    SOON_S,
    Flood,
    drip,
    failure,
    redirect,
    silence,
)
from tests.support.fake_hosts import fake_host, http_response

KERNEL_BYTES = 8 << 20  # socket buffers of the system


@pytest.mark.parametrize(
    "answer",
    [
        silence,
        drip(b"H"),
        drip(HEAD, b"X: y\r\n"),
        drip(HEAD + b"Content-Length: 1000000\r\n\r\n", b"x"),
        drip(HEAD + b"\r\n", b"x"),
        drip(CHUNKED, b"1\r\nx\r\n"),
        drip(CHUNKED + b"0\r\n", b"T: 1\r\n"),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silent", "status", "headers", "body", "endless body", "chunks", "trailers", "continues"],
)
@pytest.mark.requirement(7)
def test_a_slow_server_is_abandoned_at_the_deadline(answer: Callable[[socket.socket], None]) -> None:
    with fake_host(answer) as server:
        started = time.monotonic()
        failed = failure(server.url(), FetchPolicy((server.address,), timeout_s=SOON_S))
        took_s = time.monotonic() - started

    assert type(failed) is SourceUnreachable
    assert failed.retryable
    assert SOON_S * 0.9 < took_s < SERVER_TIMEOUT_S


@pytest.mark.requirement(7)
def test_the_deadline_counts_all_hops_together() -> None:
    def redirect_late(connection: socket.socket) -> None:
        threading.Event().wait(SOON_S * 0.6)
        connection.sendall(redirect(302, "/again"))

    with fake_host(redirect_late) as server:
        failed = failure(server.url(), FetchPolicy((server.address,), timeout_s=SOON_S))

    assert failed.retryable
    assert len(server.requests) <= 2


@pytest.mark.requirement(7)
def test_a_slow_name_server_is_abandoned_at_the_deadline() -> None:
    go_on = threading.Event()

    failed = failure("http://slow.test/", FetchPolicy(("*",), timeout_s=0.3, resolve=_waiting_for(go_on)))
    go_on.set()

    assert failed.retryable


@pytest.mark.requirement(7)
def test_slow_name_servers_block_a_limited_number_of_threads() -> None:
    go_on = threading.Event()
    policy = FetchPolicy(("*",), timeout_s=0.3, resolve=_waiting_for(go_on))
    before = threading.active_count()

    with ThreadPoolExecutor(50) as pool:
        failures = [*pool.map(lambda _: failure("http://slow.test/", policy), range(50))]
    abandoned = threading.active_count() - before
    go_on.set()

    assert all(failed.retryable for failed in failures)
    assert 0 < abandoned <= 40


def _waiting_for(event: threading.Event) -> Callable[[str, int], Sequence[str]]:
    def resolve(_host: str, _port: int) -> Sequence[str]:
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
