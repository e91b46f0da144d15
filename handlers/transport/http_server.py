"""The HTTP server: limits of size and time that apply before a handler is called.

Tornado limits the time for a request's header and body. For responses the kernel does it: a client that has received
nothing for `write_s` while a response waits is disconnected (TCP_USER_TIMEOUT, RFC 5482; Linux). That costs nothing,
and neither ends an idle event stream nor a slow download.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest

from handlers.base import ApiHandler
from handlers.transport.body_memory import BodyMemory, CountedBody
from handlers.transport.body_pace import BodyPace, PacedBody
from handlers.transport.client_ip import IpNetworks, client_ip, rate_limit_key
from handlers.transport.connections import ConnectionLimiter, LimitedHTTPServer, connections_for
from handlers.transport.security_headers import SecurityHeaders, SecurityHeadersWithHsts
from models import errors
from processing.file_limit import file_limit

BODY_LIMIT_BYTES = 2 * 1024 * 1024
"""Of requests that are read as a whole; uploads to the embedded bucket are streams with a limit of their own."""
HEADER_LIMIT_BYTES = 32 * 1024
DRAIN_LIMIT_BYTES = 32 * 1024 * 1024
"""A body up to this size is read and dropped, so that the client gets the error and not a reset connection."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. header_s: for a whole header, from the start of the connection or the end of the last response.

    body_s: for a whole body. write_s: for a client that receives nothing of a response.
    """

    header_s: float = 25.0
    body_s: float = 25.0
    write_s: float = 45.0


class Application(tornado.web.Application):
    """Tornado's, with security headers on every response and 413 for bodies that are too large.

    secure: whether users reach the server by https. base_path: below which users find it, such as `/tessera`, or "".
    body_pace: of request bodies; None: no limit. Handlers find it in their settings.
    """

    def __init__(
        self,
        table: list[Any],
        *,
        secure: bool = False,
        base_path: str = "",
        body_pace: BodyPace | None = None,
        **settings: Any,
    ) -> None:
        self.body_pace = body_pace or BodyPace()
        super().__init__(table, base_path=base_path, body_pace=self.body_pace, **settings)
        self._base_path = base_path
        self.body_memory = BodyMemory()
        self.add_transform(SecurityHeadersWithHsts if secure else SecurityHeaders)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Also below the base path, whether or not a proxy has removed it; request.uri is the public one."""
        if self._base_path:
            if request.path == self._base_path or request.path.startswith(f"{self._base_path}/"):
                request.path = request.path.removeprefix(self._base_path) or "/"
            request.uri = self._base_path + request.path + (f"?{request.query}" if request.query else "")
        return super().find_handler(request, **kwargs)

    def get_handler_delegate(
        self,
        request: HTTPServerRequest,
        target_class: type[tornado.web.RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> tornado.web._HandlerDelegate:
        if not getattr(target_class, "compress", True):
            request.headers.pop("Accept-Encoding", None)  # a compressor holds 256 KiB for as long as the stream lasts
        delegate: HTTPMessageDelegate = self._handler_delegate(
            request, target_class, target_kwargs, path_args, path_kwargs
        )
        if _has_body(request):
            proxies = self.settings.get("trusted_proxies", IpNetworks())
            address = client_ip(request.remote_ip or "", request.headers.get("X-Forwarded-For", ""), proxies)
            client = rate_limit_key(address)
            if not getattr(delegate, "stream_request_body", False):
                delegate = CountedBody(delegate, self.body_memory, request, client)
            if self.body_pace.is_limited(client):
                delegate = PacedBody(delegate, self.body_pace, request, client)
        return cast(tornado.web._HandlerDelegate, delegate)

    def _handler_delegate(
        self, request: HTTPServerRequest, target_class: type[tornado.web.RequestHandler], *arguments: Any
    ) -> tornado.web._HandlerDelegate:
        """Of the handler, or of one that refuses the body as too large."""
        delegate = super().get_handler_delegate(request, target_class, *arguments)
        if _content_length(request) > BODY_LIMIT_BYTES and not delegate.stream_request_body:
            if oversized := getattr(target_class, "oversized_body_handler", None):
                return super().get_handler_delegate(request, oversized, *arguments[:1])
            return super().get_handler_delegate(request, OversizedBodyHandler, self.settings["default_handler_args"])
        return delegate


@tornado.web.stream_request_body
class OversizedBodyHandler(ApiHandler):
    """Answers requests whose body is larger than BODY_LIMIT_BYTES."""

    def prepare(self) -> None:
        drain(self.request)

    def data_received(self, chunk: bytes) -> None:
        """Drop it."""

    def post(self, **_: str) -> None:
        raise errors.TooLarge(limit_bytes=BODY_LIMIT_BYTES)

    get = post


def listen(
    app: tornado.web.Application,
    sockets: Sequence[socket.socket],
    timeouts: Timeouts | None = None,
    *,
    limiter: ConnectionLimiter | None = None,
    trusted_proxies: IpNetworks | None = None,
) -> HTTPServer:
    """Serve an application on these listening sockets, which the server then owns.

    limiter: of connections; None: as many as the limit of open files allows. trusted_proxies: whose connections count
    for the clients that they report.
    """
    limits = timeouts or Timeouts()
    server = LimitedHTTPServer(
        app,
        max_body_size=BODY_LIMIT_BYTES,
        max_header_size=HEADER_LIMIT_BYTES,
        idle_connection_timeout=limits.header_s,
        body_timeout=limits.body_s,
    )
    server.limiter = limiter or ConnectionLimiter(connections_for(file_limit()))
    server.trusted_proxies = trusted_proxies or IpNetworks()
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        for listening in sockets:  # accepted sockets inherit it
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(limits.write_s * 1000))
    server.add_sockets(sockets)
    return server


def drain(request: HTTPServerRequest) -> None:
    """Let the body come, so that the client reads the response. Raises TooLarge for a body that is not worth it."""
    if _content_length(request) > DRAIN_LIMIT_BYTES:
        raise errors.TooLarge(limit_bytes=BODY_LIMIT_BYTES)
    if isinstance(request.connection, HTTP1Connection):
        request.connection.set_max_body_size(DRAIN_LIMIT_BYTES)


def _has_body(request: HTTPServerRequest) -> bool:
    return "Transfer-Encoding" in request.headers or request.headers.get("Content-Length", "0") != "0"


def _content_length(request: HTTPServerRequest) -> int:
    """Bytes; 0 where the header is missing, or malformed so that Tornado refuses the request."""
    value = request.headers.get("Content-Length", "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else 0
