"""What every endpoint of the embedded bucket shares: Kodo's headers and Kodo's error codes.

Files are read and written in threads, never on the event loop.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import tornado.web
from tornado.http1connection import HTTP1Connection

from handlers.base import RequestIdHandler
from handlers.transport.client_ip import IpNetworks, client_ip, rate_limit_key
from handlers.transport.http_server import BODY_LIMIT_BYTES, drain
from models import errors
from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.images.object_access import ObjectAccess

log = logging.getLogger(__name__)

STATUS: dict[type[Exception], int] = {
    kodo_errors.MalformedUpload: 400,
    kodo_errors.BadToken: 401,
    kodo_errors.Forbidden: 403,
    kodo_errors.BadChecksum: 406,
    kodo_errors.FileTooLarge: 413,
    kodo_errors.TooManyUploads: 573,
    kodo_errors.NoSuchKey: 612,
    kodo_errors.KeyExists: 614,
    kodo_errors.NoSuchBucket: 631,
    kodo_errors.NoSuchBlock: 701,
    errors.BadParameter: 400,
    errors.BadSignature: 401,
    errors.TooLarge: 413,
    errors.TooManyRequests: 573,
    errors.NotFound: 612,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
}
"""Kodo's codes (developer.qiniu.com/kodo/3928). 507 is ours, for a full disk."""

REASON = {
    298: "Partial OK",
    573: "Too Frequent",
    579: "Callback Failed",
    612: "No Such Entry",
    614: "Entry Exists",
    631: "No Such Bucket",
    701: "No Such Block",
}


class BucketHandler(RequestIdHandler):
    """Pages of every origin may call it (CORS): it never reads cookies, only tokens. Errors are `{"error": text}`."""

    oversized_body_handler: ClassVar[type[tornado.web.RequestHandler]]

    def initialize(self, embedded_bucket: EmbeddedBucket, object_access: ObjectAccess) -> None:
        self.bucket, self.access = embedded_bucket, object_access

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-Reqid", self.request_id)
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox")
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Access-Control-Expose-Headers", "X-Reqid, X-Log, ETag")

    async def options(self, *_: str, **__: str) -> None:
        """Browsers send this before a request with a header such as Authorization."""
        self.set_header("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS")
        self.set_header(
            "Access-Control-Allow-Headers", "Authorization, Content-Type, Content-MD5, Range, X-Reqid, X-Log"
        )
        self.set_header("Access-Control-Max-Age", "86400")
        self.set_status(204)
        self.clear_header("Content-Type")
        self.finish()

    def check_bucket_name(self, name: str) -> None:
        """Raise NoSuchBucket unless this is the name of our bucket."""
        if name != self.bucket.name:
            raise kodo_errors.NoSuchBucket("no such bucket")

    @property
    def client_ip(self) -> str:
        """The address of the client, as a key of limits."""
        proxies = self.settings.get("trusted_proxies", IpNetworks())
        forwarded_for = self.request.headers.get("X-Forwarded-For", "")
        return rate_limit_key(client_ip(self.request.remote_ip or "", forwarded_for, proxies))

    @property
    def connection(self) -> HTTP1Connection:
        """The connection of this request, to set its limits or to close it."""
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)
        return connection

    def set_kodo_status(self, status: int) -> None:
        self.set_status(status, REASON.get(status))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        status = status_of(error)
        self.set_kodo_status(status_code if status is None else status)
        self.finish({"error": self._reason if status is None else str(error)})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if isinstance(value, errors.Unavailable):
            log.warning("bucket: %s %s: %s [%s]", self.request.method, self.request.path, value.slug, self.request_id)
        elif not isinstance(value, tuple(STATUS)):
            super().log_exception(typ, value, tb)


@tornado.web.stream_request_body
class OversizedBucketBodyHandler(BucketHandler):
    """Answers requests whose body is too large to be read as a whole, in the bucket's form of errors."""

    def prepare(self) -> None:
        drain(self.request)

    def data_received(self, chunk: bytes) -> None:
        """Drop it."""

    def post(self, *_: str, **__: str) -> None:
        raise errors.TooLarge(limit_bytes=BODY_LIMIT_BYTES)


BucketHandler.oversized_body_handler = OversizedBucketBodyHandler


class UnknownPathHandler(BucketHandler):
    """Any other path of the bucket's services."""

    def prepare(self) -> None:
        if self.request.method != "OPTIONS":
            raise tornado.web.HTTPError(404)


def status_of(error: BaseException | None) -> int | None:
    """Kodo's code for an error of the bucket; None for any other."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
