"""What every endpoint of the embedded bucket shares: Kodo's headers, Kodo's errors, files off the loop."""

from __future__ import annotations

import logging
from typing import Any

from tornado.http1connection import HTTP1Connection

from handlers.identified import RequestIdHandler
from models import errors
from models.bucket.embedded import errors as refusals
from models.bucket.embedded.bucket import EmbeddedBucket

log = logging.getLogger(__name__)

STATUS: dict[type[Exception], int] = {
    refusals.MalformedUpload: 400,
    refusals.BadToken: 401,
    refusals.Forbidden: 403,
    refusals.BadChecksum: 406,
    refusals.FileTooLarge: 413,
    refusals.TooManyUploads: 573,
    refusals.NoSuchKey: 612,
    refusals.KeyExists: 614,
    refusals.NoSuchBucket: 631,
    errors.BadParameter: 400,
    errors.BadSignature: 401,
    errors.NotFound: 612,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
}
"""Kodo's codes (developer.qiniu.com/kodo/3928); 507 is ours, for a disk that is full."""

REASON = {573: "Too Frequent", 579: "Callback Failed", 612: "No Such Entry", 614: "Entry Exists", 631: "No Such Bucket"}


class BucketHandler(RequestIdHandler):
    """Any page may call it (CORS): tokens decide here, never cookies. Errors are `{"error": text}`."""

    def initialize(self, bucket: EmbeddedBucket) -> None:
        self.bucket = bucket

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.clear_header("Server")
        self.set_header("X-Reqid", self.request_id)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox")
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Access-Control-Expose-Headers", "X-Reqid, X-Log, ETag")

    async def options(self, *_: str) -> None:
        """A browser asks before it sends a header of its own, such as Authorization."""
        self.set_header("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS")
        self.set_header(
            "Access-Control-Allow-Headers", "Authorization, Content-Type, Content-MD5, Range, X-Reqid, X-Log"
        )
        self.set_header("Access-Control-Max-Age", "86400")
        self.set_status(204)
        self.clear_header("Content-Type")
        self.finish()

    def check_bucket_name(self, name: str) -> None:
        """Raise NoSuchBucket unless this is ours."""
        if name != self.bucket.name:
            raise refusals.NoSuchBucket("no such bucket")

    @property
    def connection(self) -> HTTP1Connection:
        """The one below this request: its limits can be set, and it can be cut."""
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)
        return connection

    def set_kodo_status(self, status: int) -> None:
        self.set_status(status, REASON.get(status))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        known = [STATUS[kind] for kind in type(error).__mro__ if kind in STATUS]
        self.set_kodo_status(known[0] if known else status_code)
        self.finish({"error": str(error) if known else self._reason})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if isinstance(value, errors.Unavailable):
            log.warning("bucket: %s %s: %s [%s]", self.request.method, self.request.path, value.slug, self.request_id)
        elif not isinstance(value, tuple(STATUS)):
            super().log_exception(typ, value, tb)
