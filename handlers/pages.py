"""The WebAPP: one shell for every page, and the files of `static/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tornado.web

PAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def content_security_policy(*, pictures: str, uploads: str) -> str:
    """What a page may load: our own files, pictures of the bucket, uploads to it; nothing inline."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' blob: data: {pictures}".rstrip(),
            f"connect-src 'self' {uploads}".rstrip(),
            "font-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class ShowPage(tornado.web.RequestHandler):
    """The shell; its modules draw the page that the address names."""

    def initialize(self, static: Path, policy: str) -> None:
        self._shell = static / "index.html"
        self._policy = policy

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in PAGE_HEADERS.items():
            self.set_header(name, value)

    def get(self, **_: str) -> None:
        self.set_header("Content-Security-Policy", self._policy)
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(self._shell.read_bytes())


class ShowStatic(tornado.web.StaticFileHandler):
    """A file of `static/`."""

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in PAGE_HEADERS.items():
            self.set_header(name, value)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")

    def write_error(self, status_code: int, **_: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"{status_code}\n")
