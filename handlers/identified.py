"""The id of a request, from who sent it (a proxy, a client) or made here: in each answer, and in the log."""

from __future__ import annotations

import re
import secrets
from functools import cached_property

import tornado.web

CLEAN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Identified(tornado.web.RequestHandler):
    """`X-Request-ID` in and out, in refusals too; what is not clean is not taken over."""

    @cached_property
    def request_id(self) -> str:
        given = self.request.headers.get("X-Request-ID", "")
        return given if CLEAN.fullmatch(given) else secrets.token_hex(8)

    def set_default_headers(self) -> None:
        self.set_header("X-Request-ID", self.request_id)
