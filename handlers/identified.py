"""The id of a request, from who sent it (a proxy, a client) or made here: in each answer, and in the log."""

from __future__ import annotations

import logging
import re
import secrets
from functools import cached_property
from typing import Any

import tornado.web

log = logging.getLogger(__name__)

CLEAN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RequestIdHandler(tornado.web.RequestHandler):
    """`X-Request-ID` in and out, in refusals too; what is not clean is not taken over."""

    @cached_property
    def request_id(self) -> str:
        given = self.request.headers.get("X-Request-ID", "")
        return given if CLEAN.fullmatch(given) else secrets.token_hex(8)

    def set_default_headers(self) -> None:
        self.set_header("X-Request-ID", self.request_id)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A bug, with its trace. Tornado's own lines would show the query string; a refusal has its line already."""
        if not isinstance(value, tornado.web.HTTPError):
            log.error(
                "%s %s failed [%s]", self.request.method, self.request.path, self.request_id, exc_info=(typ, value, tb)
            )
