"""The download of an object from Kodo: TLS, and bodies of unknown length."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from models.bucket.download import download
from models.errors import BucketUnavailable, SourceTooLarge
from tests.support.fake_hosts import fake_host, http_response

KEY_AND_CERTIFICATE = Path(__file__).parents[2] / "processing" / "fetch" / "photos.test.pem"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n3\r\nthr\r\n0\r\n\r\n"


def test_an_untrusted_certificate_is_rejected_before_the_request(expect_log: Callable[[str], None]) -> None:
    expect_log("download failed")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(KEY_AND_CERTIFICATE)

    with fake_host(http_response(b"image"), tls) as server, pytest.raises(BucketUnavailable):
        download(f"https://{server.address}/a.png", limit_bytes=100, timeout_s=60)

    assert server.requests == []


def test_a_chunked_body_is_read_up_to_the_limit() -> None:
    with fake_host(CHUNKED) as server:
        data = download(server.url("/a.png?e=1"), limit_bytes=7, timeout_s=60)
        with pytest.raises(SourceTooLarge):
            download(server.url("/a.png"), limit_bytes=6, timeout_s=60)

    assert data == b"fourthr"
    assert server.requests[0].startswith(b"GET /a.png?e=1 HTTP/1.1\r\n")


def test_a_body_without_a_length_could_be_cut_off_and_is_rejected(expect_log: Callable[[str], None]) -> None:
    expect_log("download failed")
    with fake_host(b"HTTP/1.1 200 OK\r\n\r\nhalf") as server, pytest.raises(BucketUnavailable):
        download(server.url("/a.png"), limit_bytes=100, timeout_s=60)


class ManualTimer:
    """A timer that rings when the test says so: a slow server then needs no slow test."""

    rung: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self, interval: float, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
        assert 0 < interval <= TIMEOUT_S
        type(self).rung = staticmethod(partial(function, *arguments))

    def start(self) -> None: ...
    def cancel(self) -> None: ...
    def join(self) -> None: ...


TIMEOUT_S = 10.0


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"], ids=["header", "body"]
)
def test_a_bucket_that_sends_slowly_is_abandoned(
    head: bytes, expect_log: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log("download failed")
    monkeypatch.setattr("models.bucket.download.Timer", ManualTimer)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.png"
    abandoned = threading.Event()

    def send_slowly() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(head + b"x")  # each byte comes long before the timeout of a socket
            ManualTimer.rung()
            abandoned.wait(TIMEOUT_S)

    thread = threading.Thread(target=send_slowly)
    thread.start()

    with pytest.raises(BucketUnavailable):
        download(url, limit_bytes=999, timeout_s=TIMEOUT_S)

    assert thread.is_alive(), "the server had not given up"
    abandoned.set()
    listener.close()
    thread.join(120)
