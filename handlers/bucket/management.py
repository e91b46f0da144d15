"""The embedded bucket's management calls, as the Qiniu SDKs make them: stat, delete, list.

Signed in the Qiniu style with a date, so that a request that was overheard cannot be repeated next week.
"""

from __future__ import annotations

import asyncio
import datetime
import heapq
import json
from typing import Any

from handlers.bucket.base import BucketHandler
from models.bucket import Stat
from models.bucket.embedded import errors as refusals
from models.bucket.signature import check_management, decode, encode

MAX_SKEW_S = 15 * 60
PAGE_LIMIT = 1000


class ManagementHandler(BucketHandler):
    """Only whoever has the secret key."""

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
            raise refusals.Forbidden("request time too skewed")

    def entry(self, encoded: str) -> str:
        """The key of an encoded `bucket:key`."""
        try:
            bucket_name, _, key = decode(encoded).decode().partition(":")
        except ValueError as error:
            raise refusals.MalformedUpload("invalid encoded entry") from error
        self.check_bucket_name(bucket_name)
        return key


class StatHandler(ManagementHandler):
    """GET or POST /stat/<entry>."""

    async def get(self, encoded: str) -> None:
        self.finish(stat_document(await asyncio.to_thread(self.bucket.stat, self.entry(encoded))))

    post = get


class DeleteObjectHandler(ManagementHandler):
    """POST /delete/<entry>."""

    async def post(self, encoded: str) -> None:
        if not await asyncio.to_thread(self.bucket.objects.delete, self.entry(encoded)):
            raise refusals.NoSuchKey("no such file or directory")
        self.clear_header("Content-Type")
        self.finish()


class ListObjectsHandler(ManagementHandler):
    """GET or POST /list: a page of objects in the order of their keys. Every page reads the whole folder."""

    async def get(self) -> None:
        self.check_bucket_name(self._given("bucket"))
        limit = self._limit()
        page = await asyncio.to_thread(self._page, self._given("prefix"), self._after(), limit + 1)
        answer: dict[str, Any] = {"items": [{"key": one.key, **stat_document(one)} for one in page[:limit]]}
        if len(page) > limit:
            answer["marker"] = encode(json.dumps({"k": page[limit - 1].key}).encode())
        self.finish(answer)

    post = get

    def _page(self, prefix: str, after: str, count: int) -> list[Stat]:
        rest = (stat for stat in self.bucket.list(prefix) if stat.key > after)
        return heapq.nsmallest(count, rest, key=lambda stat: stat.key)

    def _given(self, name: str) -> str:
        """Letter for letter: Tornado's own way would strip blanks and control characters, which keys may have."""
        try:
            return self.request.arguments.get(name, [b""])[-1].decode()
        except UnicodeDecodeError as error:
            raise refusals.MalformedUpload(f"{name} is not UTF-8") from error

    def _limit(self) -> int:
        given = self._given("limit") or str(PAGE_LIMIT)
        if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= PAGE_LIMIT):
            raise refusals.MalformedUpload(f"limit must be 1 to {PAGE_LIMIT}")
        return int(given)

    def _after(self) -> str:
        marker = self._given("marker")
        try:
            return str(json.loads(decode(marker))["k"]) if marker else ""
        except (ValueError, KeyError, TypeError) as error:
            raise refusals.MalformedUpload("invalid marker") from error


def stat_document(stat: Stat) -> dict[str, Any]:
    """Kodo's words for what is known of an object; putTime in units of 100 ns."""
    return {
        "fsize": stat.size_bytes,
        "hash": stat.etag,
        "mimeType": stat.mime,
        "putTime": int(stat.put_time_s * 10_000_000),
        "type": 0,
    }


def _skew_s(date: str) -> float:
    try:
        then = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    except ValueError:
        return float("inf")
    return abs((datetime.datetime.now(datetime.UTC) - then).total_seconds())
