"""Servers on free loopback ports for tests of downloads: one with scripted responses, one that must not be used."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator

Responder = Callable[[socket.socket], None]


class FakeHost(socketserver.ThreadingTCPServer):
    """Reads and records one request per connection, then calls `responder` with the connection."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, responder: bytes | Responder, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _OneRequest)
        self.responder = responder if callable(responder) else lambda connection: connection.sendall(responder)
        self.tls = tls
        self.requests: list[bytes] = []
        self.closing = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.address}{path}"


class _OneRequest(socketserver.BaseRequestHandler):
    server: FakeHost

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.request.settimeout(120)
            if self.server.tls:
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            self.server.requests.append(_head(self.request))
            self.server.responder(self.request)

    def finish(self) -> None:
        self.request.close()


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
        head += piece
    return head


@contextlib.contextmanager
def fake_host(responder: bytes | Responder, tls: ssl.SSLContext | None = None) -> Iterator[FakeHost]:
    """A running FakeHost. Its connections end with the block."""
    with FakeHost(responder, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join(120)


class UntouchedPort:
    """A port that no test may connect to. It records whether there was a connection."""

    def __init__(self) -> None:
        dual = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if dual else socket.AF_INET
        self._socket = socket.create_server(("", 0), family=family, dualstack_ipv6=dual)
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    @property
    def touched(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


def http_response(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """An HTTP response. `_` in header names stands for `-`; Content-Length is added unless it is passed."""
    fields = {"Content_Length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items() if value]
    return f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode("latin-1") + body
