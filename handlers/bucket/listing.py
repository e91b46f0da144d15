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

Entry = tuple[str, Stat | None]
"""A key and its object, or a common prefix."""


class ListObjectsHandler(ManagementHandler):
    """GET or POST /list: a page of objects, sorted by key. Each page reads the whole folder.

    With a delimiter, keys that have it after the prefix are one common prefix each, up to the delimiter.
    """

    async def get(self) -> None:
        entries, has_more = await self.read_page()
        response: dict[str, Any] = {"items": [item for _, stat in entries if (item := _item(stat)) is not None]}
        if prefixes := [name for name, stat in entries if stat is None]:
            response["commonPrefixes"] = prefixes
        if has_more:
            response["marker"] = _marker(entries[-1][0])
        self.finish(response)

    async def post(self) -> None:
        await self.get()

    async def read_page(self) -> tuple[list[Entry], bool]:
        """The entries of the requested page, and whether more follow."""
        self.check_bucket_name(self._argument("bucket"))
        limit = self._limit()
        prefix, delimiter = self._argument("prefix"), self._argument("delimiter")
        page = await asyncio.to_thread(self._page, prefix, delimiter, self._after(), limit + 1)
        return page[:limit], len(page) > limit

    def _page(self, prefix: str, delimiter: str, after: str, count: int) -> list[Entry]:
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
        """The SDK for Node.js sends 0 if its user names none."""
        limit = self._argument("limit") or "0"
        if not (limit.isascii() and limit.isdigit() and int(limit[:9]) <= PAGE_LIMIT):
            raise kodo_errors.MalformedUpload(f"limit must be 1 to {PAGE_LIMIT}")
        return int(limit) or PAGE_LIMIT

    def _after(self) -> str:
        """The last entry of the page before."""
        marker = self._argument("marker")
        try:
            return str(json.loads(decode(marker))["k"]) if marker else ""
        except (ValueError, KeyError, TypeError) as error:
            raise kodo_errors.MalformedUpload("invalid marker") from error


class ListLinesHandler(ListObjectsHandler):
    """GET or POST /v2/list: the same page as lines. Each has the marker for what follows; empty if nothing does."""

    async def get(self) -> None:
        entries, has_more = await self.read_page()
        self.set_header("Content-Type", "text/plain; charset=utf-8")  # the SDK for PHP would read the lines as one JSON
        last = len(entries) - 1
        for index, (name, stat) in enumerate(entries):
            marker = _marker(name) if has_more or index < last else ""
            line = {"item": _item(stat), "marker": marker, "dir": name if stat is None else ""}
            self.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.finish()


def _item(stat: Stat | None) -> dict[str, Any] | None:
    return None if stat is None else {"key": stat.key, **stat_document(stat)}


def _marker(name: str) -> str:
    return encode(json.dumps({"k": name}).encode())


def _entries(stats: Iterable[Stat], prefix: str, delimiter: str) -> Iterable[Entry]:
    """Each object under its key, and each common prefix once, with None."""
    common: set[str] = set()
    for stat in stats:
        head, separator, _ = stat.key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if not separator:
            yield stat.key, stat
        elif (name := prefix + head + delimiter) not in common:
            common.add(name)
            yield name, None
