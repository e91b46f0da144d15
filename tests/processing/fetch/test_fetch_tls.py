"""Downloads over TLS: certificates must be trusted and valid for the host."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from processing.fetch.fetch import FetchPolicy, fetch
from tests.processing.fetch.fetching import Names, failure, silence
from tests.support.fake_hosts import FakeHost, fake_host, http_response

KEY_AND_CERTIFICATE = Path(__file__).with_name("photos.test.pem")


@pytest.fixture
def secure() -> Iterator[FakeHost]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(KEY_AND_CERTIFICATE)
    with fake_host(http_response(b"picture"), tls) as server:
        yield server


def test_tls_is_spoken_in_the_name_of_the_host(secure: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(KEY_AND_CERTIFICATE))
    place = f"photos.test:{secure.port}"

    assert fetch(f"https://{place}/", FetchPolicy((place,), resolve=Names(["127.0.0.1"]))) == b"picture"


def test_a_certificate_of_another_name_is_refused(secure: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(KEY_AND_CERTIFICATE))
    place = f"other.test:{secure.port}"

    failed = failure(f"https://{place}/", FetchPolicy((place,), resolve=Names(["127.0.0.1"])))

    assert not failed.retryable
    assert secure.requests == []


def test_an_untrusted_certificate_is_refused(secure: FakeHost) -> None:
    place = f"photos.test:{secure.port}"

    assert not failure(f"https://{place}/", FetchPolicy((place,), resolve=Names(["127.0.0.1"]))).retryable
    assert secure.requests == []


def test_a_handshake_that_never_ends_is_abandoned_at_the_deadline() -> None:
    with fake_host(silence) as server:
        failed = failure(f"https://{server.address}/", FetchPolicy((server.address,), timeout_s=0.3))

    assert failed.retryable
    assert isinstance(failed.__cause__, TimeoutError)
