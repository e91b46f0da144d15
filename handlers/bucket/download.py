"""The embedded bucket's face on HTTP: downloads, and the table of everything that it serves.

Pictures come from people and share the app's origin, so that they are answered as pictures and nothing else: a type
found in the content, nosniff, and a sandbox should a browser open one by itself.
"""

from __future__ import annotations

import asyncio
import re
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from handlers.bucket.base import BucketHandler
from handlers.bucket.form_upload import FormUploadHandler
from handlers.bucket.management import DeleteObjectHandler, ListObjectsHandler, StatHandler
from handlers.bucket.resumable_upload import ResumableUploadHandler, StartUploadHandler, UploadPartHandler
from models import errors
from models.bucket import Stat
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.embedded.objects import OpenObject

CHUNK_BYTES = 256 * 1024
INLINE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

Route = tuple[str, type[BucketHandler], dict[str, Any]]


def routes(bucket: EmbeddedBucket) -> list[Route]:
    """The lines for the table of `handlers/__init__.py`; only with the embedded bucket, never with Kodo.

    An SDK finds us with upload host `<public_url>/up`, management hosts `<public_url>/rs` and `/rsf`.
    """
    given = {"bucket": bucket}
    uploads = r"/up/buckets/([^/]+)/objects/([^/]+)/uploads"
    return [
        (r"/bucket/(.*)", DownloadHandler, given),
        (r"/up/?", FormUploadHandler, given),
        (uploads, StartUploadHandler, given),
        (uploads + r"/([0-9a-f]{32})", ResumableUploadHandler, given),
        (uploads + r"/([0-9a-f]{32})/([0-9]{1,6})", UploadPartHandler, given),
        (r"/rs/stat/([^/]+)", StatHandler, given),
        (r"/rs/delete/([^/]+)", DeleteObjectHandler, given),
        (r"/rsf/list", ListObjectsHandler, given),
    ]


class DownloadHandler(BucketHandler):
    """GET or HEAD of an object, whole or one range of it."""

    async def get(self, key: str) -> None:
        try:
            found = await asyncio.to_thread(self.bucket.objects.open, key)
        except errors.NotFound:
            self.set_status(404)
            self.finish({"error": "Document not found"})
            return
        try:
            await self._send(found)
        finally:
            found.close()

    async def head(self, key: str) -> None:
        await self.get(key)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """A key that is not UTF-8 is nobody's: an answer like any other missing one."""
        return value.decode("utf-8", "replace") if name is None else super().decode_argument(value, name)

    async def _send(self, found: OpenObject) -> None:
        self._describe(found.stat)
        if self.check_etag_header():
            self.set_status(304)
            return
        start, end = 0, found.stat.size_bytes
        asked = self._range(found.stat)
        if asked is not None:
            start, end = asked
            if start >= end:
                self._refuse_range(found.stat)
                return
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {start}-{end - 1}/{found.stat.size_bytes}")
        self.set_header("Content-Length", str(end - start))
        if self.request.method != "HEAD":
            await self._copy(found, start, end)

    def _describe(self, stat: Stat) -> None:
        self.set_header("Content-Type", stat.mime if stat.mime in INLINE_TYPES else "application/octet-stream")
        self.set_header("ETag", f'"{stat.etag}"')
        self.set_header("Last-Modified", formatdate(stat.put_time_s, usegmt=True))
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        name = self.get_argument("attname", "", strip=False)
        if name or stat.mime not in INLINE_TYPES:
            disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}" if name else "attachment"
            self.set_header("Content-Disposition", disposition)

    def _range(self, stat: Stat) -> tuple[int, int] | None:
        """The one range that is asked for, end excluded and within the object; None: send the whole."""
        given = RANGE.fullmatch(self.request.headers.get("Range", "").strip())
        condition = self.request.headers.get("If-Range", f'"{stat.etag}"')
        if given is None or given[0] == "bytes=-" or condition != f'"{stat.etag}"':
            return None
        first, last = given.groups()
        if not first:
            return max(0, stat.size_bytes - int(last)), stat.size_bytes if int(last) else 0
        if last and int(last) < int(first):
            return None
        return int(first), min(int(last) + 1, stat.size_bytes) if last else stat.size_bytes

    def _refuse_range(self, stat: Stat) -> None:
        self.set_status(416)
        self.set_header("Content-Range", f"bytes */{stat.size_bytes}")
        self.set_header("Cache-Control", "no-store")
        self.finish({"error": "invalid range"})

    async def _copy(self, found: OpenObject, start: int, end: int) -> None:
        """A piece at a time, the next one when the client has taken the last; one that takes none is dropped."""
        try:
            while start < end:
                data = await asyncio.to_thread(found.read, start, min(CHUNK_BYTES, end - start))
                self.write(data)
                async with asyncio.timeout(self.bucket.stall_s):
                    await self.flush()
                start += len(data)
        except StreamClosedError:
            return
        except TimeoutError:
            self.connection.close()
