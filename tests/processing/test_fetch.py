"""The download of a foreign URL, against real servers that behave badly. Names are resolved by the test."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.errors import JobError, SourceMissing, SourceTooLarge, SourceUnreachable, TesseraError
from processing.fetch import FetchRules, fetch
from tests.origin import Listener, Origin, origin, reply
from tests.processing.test_sources import INSIDE_HOSTS, LOOPBACK_HOSTS

NOWHERE = "3ffe::1"  # counts as public, and is routed nowhere since 2006
SOON_S = 0.3
KERNEL_BYTES = 8 << 20  # what the system's buffers may take from a sender unread
KEY_AND_CERTIFICATE = Path(__file__).with_name("photos.test.pem")


@pytest.fixture
def listener() -> Iterator[Listener]:
    with contextlib.closing(Listener()) as listener:
        yield listener


class Names:
    """A name server: answers what the test says, one answer per question, the last one again and again."""

    def __init__(self, *answers: Sequence[str] | Exception) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def failure(url: str, rules: FetchRules) -> JobError:
    with pytest.raises(JobError) as failed:
        fetch(url, rules)
    return failed.value


def drip(*pieces: bytes, every_s: float = 0.02) -> Callable[[socket.socket], None]:
    """Send the pieces, the last one again and again, slowly, for 20 s."""

    def answer(connection: socket.socket) -> None:
        pause = threading.Event()
        for piece in pieces[:-1]:
            connection.sendall(piece)
        for _ in range(int(20 / every_s)):
            connection.sendall(pieces[-1])
            pause.wait(every_s)

    return answer


class Flood:
    """Sends the head, then the piece for ever."""

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


# What works


def test_a_body_comes_home_as_it_was_sent() -> None:
    with origin(reply(b"picture", Content_Type="text/html")) as server:
        assert fetch(server.url("/a%20b?c=猫#d"), FetchRules((server.place,))) == b"picture"

    head = server.requests[0].decode()
    assert head.startswith("GET /a%20b?c=%E7%8C%AB HTTP/1.1\r\n")
    assert f"\r\nHost: {server.place}\r\n" in head
    assert "\r\nAccept-Encoding: identity\r\n" in head


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"picture", Content_Length=""),
        reply(b"4\r\npict\r\n3;x=y\r\nure\r\n0\r\nT: 1\r\n\r\n", Content_Length="", Transfer_Encoding="chunked"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + reply(b"picture"),
        b"HTTP/1.0 200 OK\r\n\r\npicture",
    ],
    ids=["until it closes", "chunked", "after 100", "http 1.0"],
)
def test_every_framing_of_a_body_is_understood(answer: bytes) -> None:
    with origin(answer) as server:
        assert fetch(server.url(), FetchRules((server.place,))) == b"picture"


def test_a_name_is_sent_though_its_address_is_dialled() -> None:
    with origin(reply(b"picture")) as server:
        place = f"photos.test:{server.port}"
        names = Names(["127.0.0.1"])

        assert fetch(f"http://{place}/", FetchRules((place,), resolve=names)) == b"picture"

    assert f"\r\nHost: {place}\r\n".encode() in server.requests[0]


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with origin(reply(b"picture")) as server:
        place = f"photos.test:{server.port}"
        rules = FetchRules((place,), resolve=Names(["127.0.0.2", "127.0.0.1"]), timeout_s=5)

        assert fetch(f"http://{place}/", rules) == b"picture"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_listed_place_is_followed(code: int) -> None:
    with origin(reply(b"picture")) as second, origin(_redirect(code, second.url("/b"))) as first:
        assert fetch(first.url("/a"), FetchRules((first.place, second.place))) == b"picture"

    assert second.requests[0].startswith(b"GET /b ")


def test_a_relative_redirect_stays_with_its_server() -> None:
    with origin(_steps("b?c", "/d", "./猫")) as server:
        assert fetch(server.url("/a/"), FetchRules((server.place,))) == b"picture"

    targets = [request.split(b" ")[1] for request in server.requests]
    assert targets == [b"/a/", b"/a/b?c", b"/d", b"/%E7%8C%AB"]


def _redirect(code: int, location: str) -> bytes:
    return reply(status=f"{code} Moved", Location=location.encode().decode("latin-1"))


def _steps(*locations: str) -> Callable[[socket.socket], None]:
    left = [_redirect(302, each) for each in locations]
    return lambda connection: connection.sendall(left.pop(0) if left else reply(b"picture"))


# Requirements 1 to 6: where it does not go


@pytest.mark.parametrize("host", [*LOOPBACK_HOSTS, "localhost", "LOCALHOST"])
@pytest.mark.parametrize("scheme", ["http", "HTTP", "https"])
def test_req_01_no_spelling_of_loopback_touches_a_port_here(host: str, scheme: str, listener: Listener) -> None:
    spelled = host if "#" in host else f"{host}:{listener.port}"
    rules = FetchRules(("*", f"*:{listener.port}"), timeout_s=5)

    started = time.monotonic()
    with pytest.raises(TesseraError):
        fetch(f"{scheme}://{spelled}/a.jpg", rules)

    assert not listener.touched
    assert time.monotonic() - started < 2


def test_req_01_the_listener_of_these_tests_tells_when_it_is_touched(listener: Listener) -> None:
    failure(f"http://127.0.0.1:{listener.port}/", FetchRules((f"127.0.0.1:{listener.port}",), timeout_s=0.1))

    assert listener.touched


@pytest.mark.parametrize("host", [*INSIDE_HOSTS, "127.0.0.1", "[::1]"])
def test_req_02_a_name_that_leads_inside_is_refused_before_a_packet_is_sent(host: str) -> None:
    names = Names([host.strip("[]")])

    refused = failure("http://photos.example.com/a.jpg", FetchRules(("*",), resolve=names, timeout_s=5))

    assert type(refused) is SourceUnreachable
    assert not refused.passing, "a connection that was tried would have failed as passing"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0", "x@127.0.0.1"])
def test_req_03_a_redirect_to_loopback_is_not_followed(code: int, host: str, listener: Listener) -> None:
    with origin(_redirect(code, f"http://{host}:{listener.port}/")) as server:
        refused = failure(server.url(), FetchRules((server.place, f"*:{listener.port}"), timeout_s=5))

    assert type(refused) is SourceUnreachable
    assert not refused.passing
    assert not listener.touched


def test_req_03_a_redirect_three_hops_deep_is_checked_like_the_first(listener: Listener) -> None:
    with origin(_steps("/1", "/2", f"http://127.0.0.1:{listener.port}/")) as server:
        failure(server.url(), FetchRules((server.place,)))

    assert len(server.requests) == 3
    assert not listener.touched


def test_req_03_a_redirect_loop_ends_after_three_hops() -> None:
    with origin(_redirect(302, "/again")) as server:
        refused = failure(server.url(), FetchRules((server.place,)))

    assert len(server.requests) == 4
    assert not refused.passing


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "gopher://127.0.0.1/", "http://[", "\xff", "//"])
def test_req_03_a_redirect_that_leads_nowhere_fails_cleanly(location: str) -> None:
    with origin(reply(status="302 Found", Location=location)) as server:
        refused = failure(server.url(), FetchRules((server.place,)))

    assert type(refused) is SourceUnreachable


def test_req_04_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind(listener: Listener) -> None:
    names = Names([NOWHERE], ["127.0.0.1"])
    rules = FetchRules((f"*:{listener.port}",), resolve=names, timeout_s=SOON_S)

    failure(f"http://rebind.test:{listener.port}/", rules)

    assert names.asked == ["rebind.test"]
    assert not listener.touched


def test_req_04_one_inside_address_among_others_spoils_the_name(listener: Listener) -> None:
    names = Names([NOWHERE, "127.0.0.1"])

    refused = failure(f"http://both.test:{listener.port}/", FetchRules((f"*:{listener.port}",), resolve=names))

    assert not refused.passing
    assert not listener.touched


def test_req_04_a_listed_host_without_a_port_may_not_turn_private() -> None:
    rules = FetchRules(("photos.test",), resolve=Names(["127.0.0.1"]))

    assert not failure("http://photos.test/", rules).passing


@pytest.mark.parametrize("path", ["/\r\nX-Injected: 1", "/ HTTP/1.1\r\nHost: b", "/\x00", "/\n"])
def test_req_05_no_header_is_injected(path: str) -> None:
    with origin(reply(b"picture")) as server, pytest.raises(TesseraError):
        fetch(server.url(path), FetchRules((server.place,)))

    assert server.requests == []


def test_req_05_a_redirect_injects_no_header_either() -> None:
    with origin(_steps("/a\r\n b: c", "/never")) as server:
        failure(server.url(), FetchRules((server.place,)))

    assert len(server.requests) == 1


def test_req_06_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")

    with origin(reply(b"picture")) as server:
        assert fetch(server.url(), FetchRules((server.place,))) == b"picture"

    assert not listener.touched


# Requirement 7: time and size

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


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
def test_req_07_a_dripping_server_is_left_at_the_deadline(answer: Callable[[socket.socket], None]) -> None:
    with origin(answer) as server:
        started = time.monotonic()
        failed = failure(server.url(), FetchRules((server.place,), timeout_s=SOON_S))
        took_s = time.monotonic() - started

    assert type(failed) is SourceUnreachable
    assert failed.passing
    assert SOON_S * 0.9 < took_s < SOON_S + 2


def test_req_07_the_deadline_counts_all_hops_together() -> None:
    def redirect_late(connection: socket.socket) -> None:
        threading.Event().wait(SOON_S * 0.6)
        connection.sendall(_redirect(302, "/again"))

    with origin(redirect_late) as server:
        failed = failure(server.url(), FetchRules((server.place,), timeout_s=SOON_S))

    assert failed.passing
    assert len(server.requests) <= 2


def test_req_07_a_slow_name_server_is_left_at_the_deadline() -> None:
    asleep = threading.Event()

    started = time.monotonic()
    failed = failure("http://slow.test/", FetchRules(("*",), timeout_s=0.3, resolve=_waiting_for(asleep)))
    asleep.set()

    assert failed.passing
    assert time.monotonic() - started < 1.3


def test_req_07_slow_name_servers_hold_a_bounded_number_of_threads() -> None:
    asleep = threading.Event()
    rules = FetchRules(("*",), timeout_s=0.3, resolve=_waiting_for(asleep))
    before = threading.active_count()

    with ThreadPoolExecutor(50) as pool:
        failures = [*pool.map(lambda _: failure("http://slow.test/", rules), range(50))]
    left_behind = threading.active_count() - before
    asleep.set()

    assert all(failed.passing for failed in failures)
    assert 0 < left_behind <= 40


def _waiting_for(event: threading.Event) -> Callable[[str, int], Sequence[str]]:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        event.wait(20)
        return ["127.0.0.1"]

    return resolve


@pytest.mark.parametrize(
    "head_and_piece",
    [
        (HEAD + b"\r\n", b"x" * 65536),
        (HEAD + b"Content-Length: 999999999999\r\n\r\n", b"x" * 65536),
        (CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    ],
    ids=["until it closes", "announced", "chunked"],
)
def test_req_07_an_endless_body_is_cut_at_the_byte_limit(head_and_piece: tuple[bytes, bytes]) -> None:
    flood = Flood(*head_and_piece)

    with origin(flood) as server:
        failed = failure(server.url(), FetchRules((server.place,), limit_bytes=1_000_000))

    assert type(failed) is SourceTooLarge
    assert flood.sent_bytes <= (2 << 20) + KERNEL_BYTES
    assert str(failed) == "The picture is larger than 1 MB."


@pytest.mark.parametrize("announced", ["8", ""])
def test_a_body_may_be_as_long_as_the_limit_and_no_longer(announced: str) -> None:
    with origin(reply(b"12345678", Content_Length=announced)) as server:
        assert len(fetch(server.url(), FetchRules((server.place,), limit_bytes=8))) == 8
        assert type(failure(server.url(), FetchRules((server.place,), limit_bytes=7))) is SourceTooLarge


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
def test_req_07_a_flood_of_framing_is_cut_off_long_before_the_limit(head_and_piece: tuple[bytes, bytes]) -> None:
    with origin(Flood(*head_and_piece)) as server:
        started = time.monotonic()
        failed = failure(server.url(), FetchRules((server.place,), limit_bytes=1 << 30))

    assert type(failed) is SourceUnreachable
    assert time.monotonic() - started < 5


def test_req_07_a_gzip_bomb_is_not_inflated() -> None:
    bomb = gzip.compress(bytes(10 << 20))

    with origin(reply(bomb, Content_Encoding="gzip")) as server:
        assert fetch(server.url(), FetchRules((server.place,), limit_bytes=1 << 20)) == bomb


def test_a_cancelled_download_ends_though_the_server_is_silent() -> None:
    class Cancelled(Exception):
        pass

    asked = threading.Event()

    def cancel_once_asked() -> None:
        if asked.is_set():
            raise Cancelled

    def answer(connection: socket.socket) -> None:
        asked.set()
        silence(connection)

    with origin(answer) as server:
        started = time.monotonic()
        with pytest.raises(Cancelled):
            fetch(server.url(), FetchRules((server.place,), check_cancel=cancel_once_asked))

    assert time.monotonic() - started < 2


# Requirements 8 and 9: what a failure tells


def test_req_08_an_object_of_the_bucket_that_redirects_to_loopback_is_not_followed(listener: Listener) -> None:
    target = f"http://127.0.0.1:{listener.port}/"
    answer = reply(status="302 Found", Location=target, Content_Type="application/redirect302")

    with origin(answer) as bucket:
        failure(bucket.url("/key"), FetchRules((bucket.place,)))

    assert not listener.touched


def test_req_09_all_failures_look_alike() -> None:
    with origin(lambda _: None) as closing, origin(silence) as silent, origin(b"SSH-2.0-x\r\n") as other:
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
            refused = f"127.0.0.1:{closed.getsockname()[1]}"
        rules = FetchRules((closing.place, silent.place, other.place, refused, "*"), timeout_s=SOON_S)
        failures = [failure(f"http://{place}/", rules) for place in (*rules.allowed_sources[:3], refused)]
    inside = FetchRules(("*",), resolve=Names(["10.0.0.1"]))
    nowhere = FetchRules(("*",), resolve=Names(socket.gaierror(socket.EAI_NONAME, "nobody")))
    failures += [failure("http://intranet.test/", inside), failure("http://intranet.test/", nowhere)]

    assert {type(failed) for failed in failures} == {SourceUnreachable}
    assert {failed.message("en") for failed in failures} == {"The picture could not be fetched."}
    assert not any(failed.facts for failed in failures)
    assert [failed.passing for failed in failures[4:]] == [False, False], "a private name is no name"


@pytest.mark.parametrize(
    ("status", "kind", "passing"),
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
def test_a_status_says_whether_another_try_is_worth_while(status: int, kind: type[JobError], passing: bool) -> None:
    with origin(reply(b"secret", status=f"{status} Because")) as server:
        failed = failure(server.url(), FetchRules((server.place,)))

    assert type(failed) is kind
    assert failed.passing is passing
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
    with origin(answer) as server:
        failed = failure(server.url(), FetchRules((server.place,)))

    assert type(failed) is SourceUnreachable
    assert failed.passing


@pytest.mark.parametrize("answer", [b"\x00" * 1000, b"HTTP/9 200\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"<html>\n" * 9])
def test_what_is_no_http_fails_cleanly(answer: bytes) -> None:
    with origin(answer) as server:
        assert type(failure(server.url(), FetchRules((server.place,)))) is SourceUnreachable


@pytest.mark.parametrize(
    ("error", "passing"),
    [(socket.gaierror(socket.EAI_AGAIN, "later"), True), (socket.gaierror(socket.EAI_NONAME, "no"), False)],
)
def test_a_name_server_that_is_away_may_come_back(error: OSError, passing: bool) -> None:
    assert failure("http://photos.test/", FetchRules(("*",), resolve=Names(error))).passing is passing


@pytest.mark.parametrize("answer", [[], ["no address"]])
def test_a_name_without_a_usable_address_fails_cleanly(answer: list[str]) -> None:
    assert not failure("http://photos.test/", FetchRules(("*",), resolve=Names(answer))).passing


# TLS


@pytest.fixture
def secure() -> Iterator[Origin]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(KEY_AND_CERTIFICATE)
    with origin(reply(b"picture"), tls) as server:
        yield server


def test_tls_is_spoken_in_the_name_of_the_host(secure: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(KEY_AND_CERTIFICATE))
    place = f"photos.test:{secure.port}"

    assert fetch(f"https://{place}/", FetchRules((place,), resolve=Names(["127.0.0.1"]))) == b"picture"


def test_a_certificate_of_another_name_is_refused(secure: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(KEY_AND_CERTIFICATE))
    place = f"other.test:{secure.port}"

    failed = failure(f"https://{place}/", FetchRules((place,), resolve=Names(["127.0.0.1"])))

    assert not failed.passing
    assert secure.requests == []


def test_a_certificate_of_nobody_is_refused(secure: Origin) -> None:
    place = f"photos.test:{secure.port}"

    assert not failure(f"https://{place}/", FetchRules((place,), resolve=Names(["127.0.0.1"]))).passing
    assert secure.requests == []


def test_a_handshake_that_never_ends_is_left_at_the_deadline() -> None:
    with origin(silence) as server:
        started = time.monotonic()
        failed = failure(f"https://{server.place}/", FetchRules((server.place,), timeout_s=SOON_S))

    assert failed.passing
    assert time.monotonic() - started < SOON_S + 2
