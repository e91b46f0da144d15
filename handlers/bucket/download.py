"""The embedded bucket's downloads.

Images come from users and share our origin. They are served as images and nothing else: with the type that their
content has, `nosniff`, and a sandbox for a browser that opens one as a page.
"""

from __future__ import annotations

import asyncio
import re
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from handlers.bucket.base import BucketHandler
from models import errors
from models.bucket import Stat
from models.bucket.embedded.custom_metadata import PREFIX
from models.bucket.embedded.errors import BadToken
from models.bucket.embedded.objects import OpenObject
from models.images.image_formats import IMAGE_FORMATS

CHUNK_BYTES = 256 * 1024
UNLIMITED_S = 31_536_000
INLINE_TYPES = frozenset(IMAGE_FORMATS)
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class DownloadHandler(BucketHandler):
    """GET or HEAD of an object, whole or one range of it.

    An object of private images alone needs a signed address; without one it is not found, as if it did not exist.
    """

    async def get(self, key: str) -> None:
        try:
            self._lifetime_s = await self._check_access(key)
            opened = await asyncio.to_thread(self.bucket.objects.open, key)
        except errors.NotFound:
            self.set_status(404)
            self.finish({"error": "Document not found"})
            return
        try:
            await self._send(opened)
        finally:
            opened.close()

    head = get

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """No key contains U+FFFD: one that is not UTF-8 is not found."""
        return value.decode("utf-8", "replace") if name is None else super().decode_argument(value, name)

    async def _check_access(self, key: str) -> int:
        """For how many seconds a browser may keep the object. Raises NotFound, BadToken, DatabaseUnavailable."""
        deadline, now = self.bucket.signed_until(key, self.request.query), self.bucket.clock()
        if deadline is not None and deadline > now:
            return int(deadline - now)
        if await self.access.is_open(key):
            return UNLIMITED_S
        if deadline is not None:
            raise BadToken("token out of date")
        raise errors.NotFound(what="object", which=ascii(key[:80]))

    async def _send(self, opened: OpenObject) -> None:
        stat = opened.stat
        self._set_object_headers(stat)
        if self.check_etag_header() or self._is_unmodified(stat):
            self.set_status(304)
            return
        requested = self._range(stat)
        start, end = requested or (0, stat.size_bytes)
        if requested is not None:
            if start >= end:
                self._refuse_range(stat)
                return
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {start}-{end - 1}/{stat.size_bytes}")
        self.set_header("Content-Length", str(end - start))
        if self.request.method != "HEAD":
            await self._copy(opened, start, end)

    def _set_object_headers(self, stat: Stat) -> None:
        self.set_header("Content-Type", stat.mime if stat.mime in INLINE_TYPES else "application/octet-stream")
        self.set_header("ETag", f'"{stat.etag}"')
        self.set_header("Last-Modified", formatdate(stat.put_time_s, usegmt=True))
        self.set_header("Accept-Ranges", "bytes")
        for metadata, value in stat.custom.items():
            if value.isascii() and value.isprintable():
                self.set_header(PREFIX + metadata, value)
        # Not for shared caches: its owner may make it private.
        self.set_header("Cache-Control", f"private, max-age={self._lifetime_s}, immutable")
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        name = self.get_argument("attname", "", strip=False)
        if name or stat.mime not in INLINE_TYPES:
            disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}" if name else "attachment"
            self.set_header("Content-Disposition", disposition)

    def _is_unmodified(self, stat: Stat) -> bool:
        """Whether the client has this version by its date (RFC 9110, 13.1.3); an etag has priority."""
        date = self.request.headers.get("If-Modified-Since", "")
        if not date or "If-None-Match" in self.request.headers:
            return False
        try:
            return int(stat.put_time_s) <= parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return False

    def _range(self, stat: Stat) -> tuple[int, int] | None:
        """The requested range, end excluded, within the object; None for the whole object."""
        match = RANGE.fullmatch(self.request.headers.get("Range", "").strip())
        condition = self.request.headers.get("If-Range", f'"{stat.etag}"')
        if match is None or match[0] == "bytes=-" or condition != f'"{stat.etag}"':
            return None
        first, last = match.groups()
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

    async def _copy(self, opened: OpenObject, start: int, end: int) -> None:
        """Send in chunks, each after the client has received the one before; disconnect a client that stalls."""
        try:
            while start < end:
                data = await asyncio.to_thread(opened.read, start, min(CHUNK_BYTES, end - start))
                self.write(data)
                async with asyncio.timeout(self.bucket.stall_s):
                    await self.flush()
                start += len(data)
        except StreamClosedError:
            return
        except TimeoutError:
            self.connection.close()
