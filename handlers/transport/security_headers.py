"""The security headers of every response, whichever handler sends it: an output transform of the application.

A header that a handler has set itself (Cache-Control, Content-Security-Policy) is not replaced.
"""

from __future__ import annotations

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

STRICT_CSP = "default-src 'none'; frame-ancestors 'none'"
DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": STRICT_CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
HSTS = "max-age=31536000"
"""One year, without includeSubDomains: other hosts of the domain are not ours."""


class SecurityHeaders(OutputTransform):
    """Adds the headers that are missing, and removes the server's version."""

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
    """For a server that users reach by https."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        headers["Strict-Transport-Security"] = HSTS
        return super().transform_first_chunk(status_code, headers, chunk, finishing)
