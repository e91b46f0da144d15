"""The embedded bucket's management calls, as the Qiniu SDKs make them: stat, delete, list.

Requests are signed in the Qiniu style with a date, so that a recorded request expires.
"""

from __future__ import annotations

import asyncio
import datetime
import heapq
import json
from typing import Any

from handlers.bucket.base import BucketHandler
from models.bucket import Stat
from models.bucket.embedded import errors as kodo_errors
from models.bucket.signature import check_management, decode, encode

MAX_SKEW_S = 15 * 60
PAGE_LIMIT = 1000


class ManagementHandler(BucketHandler):
    """Base of the calls that need a signature with the secret key."""

    def prepare(self) -> None:
        if self.request.method == "OPTIONS":
            return
        date = check_management(
            self.bucket.keys,
            self.request.method or "",
            self.request.uri or "",
            self.request.headers,
            self.request.body,
        )
        if _skew_s(date) > MAX_SKEW_S:
            raise kodo_errors.Forbidden("request time too skewed")

    def entry_key(self, encoded: str) -> str:
        """The key of an encoded `bucket:key`."""
        try:
            bucket_name, _, key = decode(encoded).decode().partition(":")
        except ValueError as error:  # pragma: no cover - no SDK sends this
            raise kodo_errors.MalformedUpload("invalid encoded entry") from error
        self.check_bucket_name(bucket_name)
        return key


class StatHandler(ManagementHandler):
    """GET or POST /stat/<entry>."""

    async def get(self, encoded: str) -> None:
        self.finish(stat_document(await asyncio.to_thread(self.bucket.stat, self.entry_key(encoded))))

    post = get


class DeleteObjectHandler(ManagementHandler):
    """POST /delete/<entry>."""

    async def post(self, encoded: str) -> None:
        if not await asyncio.to_thread(self.bucket.objects.delete, self.entry_key(encoded)):
            raise kodo_errors.NoSuchKey("no such file or directory")
        self.clear_header("Content-Type")
        self.finish()


class ListObjectsHandler(ManagementHandler):
    """GET or POST /list: a page of objects, sorted by key. Each page reads the whole folder."""

    async def get(self) -> None:
        self.check_bucket_name(self._argument("bucket"))
        limit = self._limit()
        page = await asyncio.to_thread(self._page, self._argument("prefix"), self._after(), limit + 1)
        response: dict[str, Any] = {"items": [{"key": stat.key, **stat_document(stat)} for stat in page[:limit]]}
        if len(page) > limit:
            response["marker"] = encode(json.dumps({"k": page[limit - 1].key}).encode())
        self.finish(response)

    post = get

    def _page(self, prefix: str, after: str, count: int) -> list[Stat]:
        rest = (stat for stat in self.bucket.list(prefix) if stat.key > after)
        return heapq.nsmallest(count, rest, key=lambda stat: stat.key)

    def _argument(self, name: str) -> str:
        """The exact value: Tornado's get_argument strips blanks and control characters, which keys may contain."""
        try:
            return self.request.arguments.get(name, [b""])[-1].decode()
        except UnicodeDecodeError as error:
            raise kodo_errors.MalformedUpload(f"{name} is not UTF-8") from error

    def _limit(self) -> int:
        limit = self._argument("limit") or str(PAGE_LIMIT)
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= PAGE_LIMIT):
            raise kodo_errors.MalformedUpload(f"limit must be 1 to {PAGE_LIMIT}")
        return int(limit)

    def _after(self) -> str:
        """The last key of the page before."""
        marker = self._argument("marker")
        try:
            return str(json.loads(decode(marker))["k"]) if marker else ""
        except (ValueError, KeyError, TypeError) as error:
            raise kodo_errors.MalformedUpload("invalid marker") from error


def stat_document(stat: Stat) -> dict[str, Any]:
    """An object in Kodo's field names; putTime in units of 100 ns."""
    return {
        "fsize": stat.size_bytes,
        "hash": stat.etag,
        "mimeType": stat.mime,
        "putTime": int(stat.put_time_s * 10_000_000),
        "type": 0,
    }


def _skew_s(date: str) -> float:
    try:
        signed_at = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    except ValueError:
        return float("inf")
    return abs((datetime.datetime.now(datetime.UTC) - signed_at).total_seconds())
