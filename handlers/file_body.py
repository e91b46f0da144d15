"""Requests whose body is a file, as large as an upload, read piece by piece."""

from __future__ import annotations

import threading
from typing import Protocol

import tornado.web
from tornado.http1connection import HTTP1Connection

from handlers.base import ApiHandler
from models import errors


class BodySlots(Protocol):
    """Limits how many files are received at once."""

    def acquire(self, client: str) -> None:
        """Count a file, before it is read; `release` must follow. Raises TooManyRequests."""
        ...

    def release(self, client: str) -> None: ...


@tornado.web.stream_request_body
class FileBodyHandler(ApiHandler):
    """A subclass calls `receive` in its `initialize`, and `take_body` once."""

    content_types = ("application/octet-stream",)

    def receive(self, slots: BodySlots, limit_bytes: int) -> None:
        self._slots, self._limit_bytes = slots, limit_bytes
        self._body = bytearray()
        self._disconnected = threading.Event()
        self._has_slot = False

    def prepare(self) -> None:
        super().prepare()
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.set_max_body_size(self._limit_bytes + 1)
        if int(self.request.headers.get("Content-Length") or 0) > self._limit_bytes:
            raise errors.TooLarge(limit_bytes=self._limit_bytes)
        self._slots.acquire(self.client_ip)
        self._has_slot = True

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk

    def take_body(self) -> bytes:
        data, self._body = bytes(self._body), bytearray()
        return data

    def on_connection_close(self) -> None:
        self._disconnected.set()
        self._release()

    def on_finish(self) -> None:
        super().on_finish()
        self._release()

    def _release(self) -> None:
        if self._has_slot:
            self._has_slot = False
            self._slots.release(self.client_ip)
