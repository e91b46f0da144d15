"""Where the download of a foreign URL does not go, and how little its failures tell (requirements 1 to 6, 8 and 9)."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from models.errors import SourceUnreachable, TesseraError
from processing.fetch.fetch import FetchRules, fetch
from tests.processing.fetch.fetching import SOON_S, Names, failure, redirect, silence, steps
from tests.processing.fetch.test_allowlist import INSIDE_HOSTS, LOOPBACK_HOSTS
from tests.support.fake_hosts import Listener, origin, reply

NOWHERE = "3ffe::1"  # counts as public, and is routed nowhere since 2006


@pytest.fixture
def listener() -> Iterator[Listener]:
    with contextlib.closing(Listener()) as listener:
        yield listener


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
    with origin(redirect(code, f"http://{host}:{listener.port}/")) as server:
        refused = failure(server.url(), FetchRules((server.place, f"*:{listener.port}"), timeout_s=5))

    assert type(refused) is SourceUnreachable
    assert not refused.passing
    assert not listener.touched


def test_req_03_a_redirect_three_hops_deep_is_checked_like_the_first(listener: Listener) -> None:
    with origin(steps("/1", "/2", f"http://127.0.0.1:{listener.port}/")) as server:
        failure(server.url(), FetchRules((server.place,)))

    assert len(server.requests) == 3
    assert not listener.touched


def test_req_03_a_redirect_loop_ends_after_three_hops() -> None:
    with origin(redirect(302, "/again")) as server:
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
    with origin(steps("/a\r\n b: c", "/never")) as server:
        failure(server.url(), FetchRules((server.place,)))

    assert len(server.requests) == 1


def test_req_06_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")

    with origin(reply(b"picture")) as server:
        assert fetch(server.url(), FetchRules((server.place,))) == b"picture"

    assert not listener.touched


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
