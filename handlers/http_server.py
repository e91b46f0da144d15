"""The door: how much and how long a connection may ask for, before any handler is asked.

Tornado bounds the head and the body of a request by total time. The other direction is the kernel's: a client that has
taken nothing for `taking_s` while an answer waits for it is cut off (TCP_USER_TIMEOUT, RFC 5482; Linux), at no cost to
streams of events, which are not bounded in time, and to slow lines, which take something.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest

from handlers.base import ApiHandler
from handlers.connections import ConnectionLimiter, LimitedHTTPServer, Listening, connections_for, file_limit
from handlers.security_headers import SecurityHeaders, SecurityHeadersWithHsts
from models import errors

BODY_LIMIT_BYTES = 2 * 1024 * 1024
"""Of requests that are read whole; uploads to the embedded bucket are a stream with a limit of their own."""
HEADER_LIMIT_BYTES = 32 * 1024
DRAIN_LIMIT_BYTES = 32 * 1024 * 1024
"""A body up to this size is let pass unread, so that its sender hears why it was refused instead of a reset."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. head_s: for a whole head, from the connection's start or the last answer on; body_s: for a whole body;
    taking_s: for a client to take anything of an answer that waits."""

    header_s: float = 25.0
    body_s: float = 25.0
    write_s: float = 45.0


class Application(tornado.web.Application):
    """Tornado's, with headers that protect on every answer and 413 for bodies that are too large to be read.

    secure: whether people reach it by https.
    """

    def __init__(self, table: list[Any], *, secure: bool = False, **settings: Any) -> None:
        super().__init__(table, **settings)
        self.add_transform(SecurityHeadersWithHsts if secure else SecurityHeaders)

    def get_handler_delegate(
        self,
        request: HTTPServerRequest,
        target_class: type[tornado.web.RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> tornado.web._HandlerDelegate:
        delegate = super().get_handler_delegate(request, target_class, target_kwargs, path_args, path_kwargs)
        if _announced_bytes(request) > BODY_LIMIT_BYTES and not delegate.stream_request_body:
            return super().get_handler_delegate(request, OversizedBodyHandler, self.settings["default_handler_args"])
        return delegate


@tornado.web.stream_request_body
class OversizedBodyHandler(ApiHandler):
    """Whoever sends more than is read."""

    def prepare(self) -> None:
        super().prepare()
        if _announced_bytes(self.request) > DRAIN_LIMIT_BYTES:
            raise errors.TooLarge(limit_bytes=BODY_LIMIT_BYTES)
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.set_max_body_size(DRAIN_LIMIT_BYTES)

    def data_received(self, chunk: bytes) -> None:
        """Let it pass."""

    async def _serve(self, method: Literal["GET", "POST"]) -> None:
        raise errors.TooLarge(limit_bytes=BODY_LIMIT_BYTES)


def listen(
    app: tornado.web.Application,
    sockets: Sequence[socket.socket],
    timeouts: Timeouts | None = None,
    *,
    limiter: ConnectionLimiter | None = None,
) -> HTTPServer:
    """Serve an application on these listening sockets, which are its own from now on.

    room: for how many connections; None: as many as the limit of open files bears.
    """
    limits = timeouts or Timeouts()
    server = LimitedHTTPServer(
        app,
        max_body_size=BODY_LIMIT_BYTES,
        max_header_size=HEADER_LIMIT_BYTES,
        idle_connection_timeout=limits.header_s,
        body_timeout=limits.body_s,
    )
    server.room = limiter or ConnectionLimiter(connections_for(file_limit()))
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        for listening in sockets:  # what is accepted inherits it
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(limits.write_s * 1000))
    server.add_sockets([Listening(each) for each in sockets])
    return server


def _announced_bytes(request: HTTPServerRequest) -> int:
    """What Content-Length says; 0 without one, or for one that Tornado will refuse."""
    said = request.headers.get("Content-Length", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 20 else 0
