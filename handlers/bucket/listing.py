"""The embedded bucket's listing, as the Qiniu SDKs ask for it."""

from __future__ import annotations

import asyncio
import heapq
import json
from collections.abc import Iterable
from typing import Any

from handlers.bucket.management import ManagementHandler
from handlers.bucket.operations import stat_document
from models.bucket import Stat
from models.bucket.embedded import errors as kodo_errors
from models.bucket.signature import decode, encode

PAGE_LIMIT = 1000


class ListObjectsHandler(ManagementHandler):
    """GET or POST /list: a page of objects, sorted by key. Each page reads the whole folder.

    With a delimiter, keys that have it after the prefix are one common prefix each, up to the delimiter.
    """

    async def get(self) -> None:
        self.check_bucket_name(self._argument("bucket"))
        limit = self._limit()
        prefix, delimiter = self._argument("prefix"), self._argument("delimiter")
        page = await asyncio.to_thread(self._page, prefix, delimiter, self._after(), limit + 1)
        entries = page[:limit]
        response: dict[str, Any] = {
            "items": [{"key": stat.key, **stat_document(stat)} for _, stat in entries if stat is not None]
        }
        if prefixes := [name for name, stat in entries if stat is None]:
            response["commonPrefixes"] = prefixes
        if len(page) > limit:
            response["marker"] = encode(json.dumps({"k": entries[-1][0]}).encode())
        self.finish(response)

    post = get

    def _page(self, prefix: str, delimiter: str, after: str, count: int) -> list[tuple[str, Stat | None]]:
        entries = _entries(self.bucket.list(prefix), prefix, delimiter)
        rest = (entry for entry in entries if entry[0] > after)
        return heapq.nsmallest(count, rest, key=lambda entry: entry[0])

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
        """The last entry of the page before."""
        marker = self._argument("marker")
        try:
            return str(json.loads(decode(marker))["k"]) if marker else ""
        except (ValueError, KeyError, TypeError) as error:
            raise kodo_errors.MalformedUpload("invalid marker") from error


def _entries(stats: Iterable[Stat], prefix: str, delimiter: str) -> Iterable[tuple[str, Stat | None]]:
    """Each object under its key, and each common prefix once, with None."""
    common: set[str] = set()
    for stat in stats:
        head, separator, _ = stat.key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if not separator:
            yield stat.key, stat
        elif (name := prefix + head + delimiter) not in common:
            common.add(name)
            yield name, None
