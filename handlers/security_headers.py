"""What every answer says to a browser, whoever gives it: a transform that Tornado applies to each of them.

A handler that says more, or something else where that is its business (Cache-Control, Content-Security-Policy), is left
alone: only what is missing is added.
"""

from __future__ import annotations

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

STRICT_CSP = "default-src 'none'; frame-ancestors 'none'"
DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": STRICT_CSP,
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
HSTS = "max-age=31536000"
"""A year, for this name alone: what else runs below it is not ours to decide."""


class SecurityHeaders(OutputTransform):
    """Adds what protects, and takes away the server's version."""

    def __init__(self, request: HTTPServerRequest) -> None:
        super().__init__(request)

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        for name, value in DEFAULT_HEADERS.items():
            headers.setdefault(name, value)
        headers.pop("Server", None)
        return status_code, headers, chunk


class SecurityHeadersWithHsts(SecurityHeaders):
    """For a server that people reach by https."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        headers["Strict-Transport-Security"] = HSTS
        return super().transform_first_chunk(status_code, headers, chunk, finishing)
