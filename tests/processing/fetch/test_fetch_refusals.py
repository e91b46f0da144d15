"""What downloads refuse, and how little their failures reveal."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from models.errors import SourceUnreachable, TesseraError
from processing.fetch.fetch import FetchPolicy, fetch
from tests.processing.fetch.fetching import Names, failure, redirect, silence, steps
from tests.processing.fetch.test_allowlist import INSIDE_HOSTS, LOOPBACK_HOSTS
from tests.support.fake_hosts import UntouchedPort, fake_host, http_response

UNUSED_URL = "3ffe::1"  # counts as public, and is routed nowhere since 2006


@pytest.fixture
def listener() -> Iterator[UntouchedPort]:
    with contextlib.closing(UntouchedPort()) as listener:
        yield listener


@pytest.mark.requirement(1)
@pytest.mark.parametrize("host", [*LOOPBACK_HOSTS, "localhost", "LOCALHOST"])
@pytest.mark.parametrize("scheme", ["http", "HTTP", "https"])
def test_no_spelling_of_loopback_touches_a_port_here(host: str, scheme: str, listener: UntouchedPort) -> None:
    spelled = host if "#" in host else f"{host}:{listener.port}"
    rules = FetchPolicy(("*", f"*:{listener.port}"), timeout_s=5)

    with pytest.raises(TesseraError) as refused:
        fetch(f"{scheme}://{spelled}/a.jpg", rules)

    assert not listener.touched
    assert not getattr(refused.value, "retryable", False), "a connection that was tried would have failed as passing"


@pytest.mark.requirement(1)
def test_the_listener_of_these_tests_tells_when_it_is_touched(listener: UntouchedPort) -> None:
    failure(f"http://127.0.0.1:{listener.port}/", FetchPolicy((f"127.0.0.1:{listener.port}",), timeout_s=0.1))

    assert listener.touched


@pytest.mark.requirement(2)
@pytest.mark.parametrize("host", [*INSIDE_HOSTS, "127.0.0.1", "[::1]"])
def test_a_name_with_a_private_address_is_refused_before_a_packet_is_sent(host: str) -> None:
    names = Names([host.strip("[]")])

    refused = failure("http://photos.example.com/a.jpg", FetchPolicy(("*",), resolve=names, timeout_s=5))

    assert type(refused) is SourceUnreachable
    assert not refused.retryable, "a connection that was tried would have failed as passing"


@pytest.mark.requirement(3)
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0", "x@127.0.0.1"])
def test_a_redirect_to_loopback_is_not_followed(code: int, host: str, listener: UntouchedPort) -> None:
    with fake_host(redirect(code, f"http://{host}:{listener.port}/")) as server:
        refused = failure(server.url(), FetchPolicy((server.address, f"*:{listener.port}"), timeout_s=5))

    assert type(refused) is SourceUnreachable
    assert not refused.retryable
    assert not listener.touched


@pytest.mark.requirement(3)
def test_a_redirect_three_hops_deep_is_checked_like_the_first(listener: UntouchedPort) -> None:
    with fake_host(steps("/1", "/2", f"http://127.0.0.1:{listener.port}/")) as server:
        failure(server.url(), FetchPolicy((server.address,)))

    assert len(server.requests) == 3
    assert not listener.touched


@pytest.mark.requirement(3)
def test_a_redirect_loop_ends_after_three_hops() -> None:
    with fake_host(redirect(302, "/again")) as server:
        refused = failure(server.url(), FetchPolicy((server.address,)))

    assert len(server.requests) == 4
    assert not refused.retryable


@pytest.mark.requirement(3)
@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "gopher://127.0.0.1/", "http://[", "\xff", "//"])
def test_a_redirect_without_a_valid_target_fails_cleanly(location: str) -> None:
    with fake_host(http_response(status="302 Found", Location=location)) as server:
        refused = failure(server.url(), FetchPolicy((server.address,)))

    assert type(refused) is SourceUnreachable


@pytest.mark.requirement(4)
def test_a_name_is_resolved_once_so_that_dns_rebinding_has_no_effect(listener: UntouchedPort) -> None:
    names = Names([UNUSED_URL], ["127.0.0.1"])
    rules = FetchPolicy((f"*:{listener.port}",), resolve=names, timeout_s=0.3)

    failure(f"http://rebind.test:{listener.port}/", rules)

    assert names.queried == ["rebind.test"]
    assert not listener.touched


@pytest.mark.requirement(4)
def test_a_name_with_one_private_address_is_refused(listener: UntouchedPort) -> None:
    names = Names([UNUSED_URL, "127.0.0.1"])

    refused = failure(f"http://both.test:{listener.port}/", FetchPolicy((f"*:{listener.port}",), resolve=names))

    assert not refused.retryable
    assert not listener.touched


@pytest.mark.requirement(4)
def test_a_listed_host_without_a_port_may_not_turn_private() -> None:
    rules = FetchPolicy(("photos.test",), resolve=Names(["127.0.0.1"]))

    assert not failure("http://photos.test/", rules).retryable


@pytest.mark.requirement(5)
@pytest.mark.parametrize("path", ["/\r\nX-Injected: 1", "/ HTTP/1.1\r\nHost: b", "/\x00", "/\n"])
def test_no_header_is_injected(path: str) -> None:
    with fake_host(http_response(b"picture")) as server, pytest.raises(TesseraError):
        fetch(server.url(path), FetchPolicy((server.address,)))

    assert server.requests == []


@pytest.mark.requirement(5)
def test_a_redirect_injects_no_header_either() -> None:
    with fake_host(steps("/a\r\n b: c", "/never")) as server:
        failure(server.url(), FetchPolicy((server.address,)))

    assert len(server.requests) == 1


@pytest.mark.requirement(6)
def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, listener: UntouchedPort) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")

    with fake_host(http_response(b"picture")) as server:
        assert fetch(server.url(), FetchPolicy((server.address,))) == b"picture"

    assert not listener.touched


@pytest.mark.requirement(8)
def test_an_object_of_the_bucket_that_redirects_to_loopback_is_not_followed(listener: UntouchedPort) -> None:
    target = f"http://127.0.0.1:{listener.port}/"
    answer = http_response(status="302 Found", Location=target, Content_Type="application/redirect302")

    with fake_host(answer) as bucket:
        failure(bucket.url("/key"), FetchPolicy((bucket.address,)))

    assert not listener.touched


@pytest.mark.requirement(9)
def test_all_failures_look_alike() -> None:
    with fake_host(lambda _: None) as closing, fake_host(silence) as silent, fake_host(b"SSH-2.0-x\r\n") as other:
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
            refused = f"127.0.0.1:{closed.getsockname()[1]}"
        rules = FetchPolicy((closing.address, silent.address, other.address, refused, "*"), timeout_s=0.3)
        failures = [failure(f"http://{place}/", rules) for place in (*rules.allowed_sources[:3], refused)]
    inside = FetchPolicy(("*",), resolve=Names(["10.0.0.1"]))
    unused_url = FetchPolicy(("*",), resolve=Names(socket.gaierror(socket.EAI_NONAME, "unknown name")))
    failures += [failure("http://intranet.test/", inside), failure("http://intranet.test/", unused_url)]

    assert {type(failed) for failed in failures} == {SourceUnreachable}
    assert {failed.message("en") for failed in failures} == {"The image could not be downloaded."}
    assert not any(failed.details for failed in failures)
    assert [failed.retryable for failed in failures[4:]] == [False, False], "a private name is no name"
