"""Downloads from other hosts, against real servers: bodies, redirects, errors."""

from __future__ import annotations

import socket

import pytest

from models.errors import JobError, SourceMissing, SourceUnreachable
from processing.fetch.fetch import FetchPolicy, fetch
from tests.processing.fetch.fetching import CHUNKED, Names, failure, redirect, steps
from tests.support.fake_hosts import fake_host, http_response


def test_a_body_is_returned_as_it_was_sent() -> None:
    with fake_host(http_response(b"picture", Content_Type="text/html")) as server:
        assert fetch(server.url("/a%20b?c=猫#d"), FetchPolicy((server.address,))) == b"picture"

    head = server.requests[0].decode()
    assert head.startswith("GET /a%20b?c=%E7%8C%AB HTTP/1.1\r\n")
    assert f"\r\nHost: {server.address}\r\n" in head
    assert "\r\nAccept-Encoding: identity\r\n" in head


@pytest.mark.parametrize(
    "answer",
    [
        http_response(b"picture", Content_Length=""),
        http_response(
            b"4\r\npict\r\n3;x=y\r\nure\r\n0\r\nT: 1\r\n\r\n", Content_Length="", Transfer_Encoding="chunked"
        ),
        b"HTTP/1.1 100 Continue\r\n\r\n" + http_response(b"picture"),
        b"HTTP/1.0 200 OK\r\n\r\npicture",
    ],
    ids=["until it closes", "chunked", "after 100", "http 1.0"],
)
def test_every_framing_of_a_body_is_understood(answer: bytes) -> None:
    with fake_host(answer) as server:
        assert fetch(server.url(), FetchPolicy((server.address,))) == b"picture"


def test_the_host_name_is_sent_although_the_connection_goes_to_its_address() -> None:
    with fake_host(http_response(b"picture")) as server:
        place = f"photos.test:{server.port}"
        names = Names(["127.0.0.1"])

        assert fetch(f"http://{place}/", FetchPolicy((place,), resolve=names)) == b"picture"

    assert f"\r\nHost: {place}\r\n".encode() in server.requests[0]


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with fake_host(http_response(b"picture")) as server:
        place = f"photos.test:{server.port}"
        rules = FetchPolicy((place,), resolve=Names(["127.0.0.2", "127.0.0.1"]), timeout_s=5)

        assert fetch(f"http://{place}/", rules) == b"picture"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_listed_place_is_followed(code: int) -> None:
    with fake_host(http_response(b"picture")) as second, fake_host(redirect(code, second.url("/b"))) as first:
        assert fetch(first.url("/a"), FetchPolicy((first.address, second.address))) == b"picture"

    assert second.requests[0].startswith(b"GET /b ")


def test_a_relative_redirect_stays_with_its_server() -> None:
    with fake_host(steps("b?c", "/d", "./猫")) as server:
        assert fetch(server.url("/a/"), FetchPolicy((server.address,))) == b"picture"

    targets = [request.split(b" ")[1] for request in server.requests]
    assert targets == [b"/a/", b"/a/b?c", b"/d", b"/%E7%8C%AB"]


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (404, SourceMissing, False),
        (410, SourceMissing, False),
        (401, SourceUnreachable, False),
        (403, SourceUnreachable, False),
        (204, SourceUnreachable, False),
        (206, SourceUnreachable, False),
        (304, SourceUnreachable, False),
        (429, SourceUnreachable, True),
        (500, SourceUnreachable, True),
        (503, SourceUnreachable, True),
    ],
)
def test_a_status_decides_whether_a_download_is_retried(status: int, kind: type[JobError], retryable: bool) -> None:
    with fake_host(http_response(b"secret", status=f"{status} Because")) as server:
        failed = failure(server.url(), FetchPolicy((server.address,)))

    assert type(failed) is kind
    assert failed.retryable is retryable
    assert "secret" not in str(failed)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        CHUNKED + b"a\r\nshort",
        CHUNKED + b"5\r\nshort\r\n",
        CHUNKED + b"zz\r\n",
    ],
    ids=["closed", "cut", "cut in a chunk", "cut between chunks", "no chunk"],
)
def test_a_truncated_answer_is_no_picture_and_worth_another_try(answer: bytes) -> None:
    with fake_host(answer) as server:
        failed = failure(server.url(), FetchPolicy((server.address,)))

    assert type(failed) is SourceUnreachable
    assert failed.retryable


@pytest.mark.parametrize("answer", [b"\x00" * 1000, b"HTTP/9 200\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"<html>\n" * 9])
def test_an_answer_that_is_not_http_fails_cleanly(answer: bytes) -> None:
    with fake_host(answer) as server:
        assert type(failure(server.url(), FetchPolicy((server.address,)))) is SourceUnreachable


@pytest.mark.parametrize(
    ("error", "retryable"),
    [(socket.gaierror(socket.EAI_AGAIN, "later"), True), (socket.gaierror(socket.EAI_NONAME, "no"), False)],
)
def test_a_name_server_that_is_away_may_come_back(error: OSError, retryable: bool) -> None:
    assert failure("http://photos.test/", FetchPolicy(("*",), resolve=Names(error))).retryable is retryable


@pytest.mark.parametrize("answer", [[], ["no address"]])
def test_a_name_without_a_usable_address_fails_cleanly(answer: list[str]) -> None:
    assert not failure("http://photos.test/", FetchPolicy(("*",), resolve=Names(answer))).retryable
