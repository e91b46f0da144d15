"""The lists of images, newest first: what everybody sees, and what an owner sees of their own.

Results that their owner made together are one entry of a list that everybody sees: its newest public image stands for
the batch. Which one that is follows from the records, so that nothing has to be kept up to date when images are deleted
or change their visibility.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from models.cursor import read_cursor, write_cursor
from models.database import Database, Document
from models.images.image import Image, ImageKind, to_image
from models.images.visibility import Visibility

SCAN_LIMIT = 1000
"""Records read for one page. A page within a larger batch may be short or empty, and still has a cursor."""

BatchKey = tuple[int | None, str]


@dataclass(frozen=True, slots=True)
class ImagePage:
    """One page of a list, newest first. cursor: for the next page; None on the last one.

    batch_sizes: by id of an image that stands for a batch, how many public images the batch has.
    responses: what was made of this page for requests that share it, by what they differ in.
    """

    images: list[Image]
    cursor: str | None
    batch_sizes: dict[int, int] = field(default_factory=dict)
    responses: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)


class Gallery:
    """Pages of the collection `images`."""

    def __init__(self, database: Database) -> None:
        self._images = database.collection("images")
        self._first = database.batchers.make(self._first_pages)

    async def public(self, *, owner_ids: list[int] | None = None, cursor: str | None = None, limit: int) -> ImagePage:
        """Public results. owner_ids: of these users, None: of all. Raises BadParameter for a malformed cursor."""
        if owner_ids is None and cursor is None:
            return await self._first.submit(limit)
        return await self._entries(owner_ids, cursor, limit)

    async def own(self, owner_id: int, kind: ImageKind, *, cursor: str | None = None, limit: int) -> ImagePage:
        """All images of a user, for that user alone. Raises BadParameter for a malformed cursor."""
        query: Document = {"owner_id": owner_id, "kind": str(kind)}
        return _page(await self._read(after(query, cursor), limit), limit)

    async def own_ids(self, owner_id: int, *, limit: int) -> list[int]:
        """The newest images of a user."""
        return await self._ids(_own_query(owner_id), limit)

    async def own_ids_by_param(self, owner_id: int, prefix: str, *, limit: int) -> dict[str, int]:
        """Those of the newest images of a user whose `param` begins so."""
        query = _own_query(owner_id) | {"param": {"$gte": prefix, "$lt": prefix + chr(sys.maxunicode)}}
        documents = await self._images.find(query, sort="-created -_id", limit=limit, fields=["_id", "param"])
        return {document["param"]: document["_id"] for document in documents}

    async def public_ids(self, *, owner_ids: list[int] | None = None, limit: int) -> list[int]:
        """The newest public results, each of a batch. owner_ids: of these users, None: of all."""
        return await self._ids(public_query(owner_ids, None), limit)

    async def _ids(self, query: Document, limit: int) -> list[int]:
        documents = await self._images.find(query, sort="-created -_id", limit=limit, fields=["_id"])
        return [document["_id"] for document in documents]

    async def batch_of(self, image: Image, *, limit: int) -> ImagePage:
        """The public results that were made together with this image, which need not be one of them."""
        if image.batch is None:
            return ImagePage([], None)
        query = public_query([image.owner.id], None) | {"batch": image.batch}
        return ImagePage(await self._read(query, limit), None)

    async def batch_size(self, image: Image) -> int:
        """How many public results were made together with this image; 1 for a single one."""
        if image.batch is None:
            return 1
        return max(1, (await self._group({_batch_key(image)}, {})).get(_batch_key(image), 0))

    async def _first_pages(self, limits: list[int]) -> list[ImagePage]:
        """The page that most users see first: simultaneous requests share one query."""
        pages = {limit: await self._entries(None, None, limit) for limit in set(limits)}
        return [pages[limit] for limit in limits]

    async def _entries(self, owner_ids: list[int] | None, cursor: str | None, limit: int) -> ImagePage:
        """Read on until the page is full: only the newest image of each batch counts."""
        entries: list[Image] = []
        batches: dict[BatchKey, bool] = {}
        scanned, step = 0, limit
        while True:
            images = await self._read(public_query(owner_ids, cursor), step)
            batches |= await self._begun_before(images, batches, cursor)
            for image in images:
                scanned, cursor = scanned + 1, write_cursor(image.created, image.id)
                if _stands_for_batch(image, batches):
                    entries.append(image)
                if len(entries) == limit:
                    return ImagePage(entries, cursor, await self._sizes(entries))
            if len(images) < step:
                return ImagePage(entries, None, await self._sizes(entries))
            if scanned >= SCAN_LIMIT:
                return ImagePage(entries, cursor, await self._sizes(entries))
            step = min(2 * step, SCAN_LIMIT)

    async def _begun_before(
        self, images: list[Image], batches: dict[BatchKey, bool], cursor: str | None
    ) -> dict[BatchKey, bool]:
        """Whether each further batch of these images has public images before the cursor, newer ones."""
        keys = {_batch_key(image) for image in images if image.batch is not None} - batches.keys()
        if not keys or cursor is None:
            return dict.fromkeys(keys, False)
        created, image_id = read_cursor(cursor)
        newer: Document = {"$or": [{"created": {"$gt": created}}, {"created": created, "_id": {"$gte": image_id}}]}
        groups = await self._group(keys, newer)
        return {key: key in groups for key in keys}

    async def _sizes(self, entries: list[Image]) -> dict[int, int]:
        keys = {_batch_key(image) for image in entries if image.batch is not None}
        groups = await self._group(keys, {}) if keys else {}
        return {image.id: groups.get(_batch_key(image), 1) for image in entries if image.batch is not None}

    async def _group(self, keys: set[BatchKey], query: Document) -> dict[BatchKey, int]:
        """How many public results of each batch match a query."""
        batches: Document = {"$or": [{"owner_id": owner_id, "batch": batch} for owner_id, batch in keys]}
        public = {"kind": str(ImageKind.RESULT), "visibility": str(Visibility.PUBLIC)}
        grouping: Document = {"_id": {"owner_id": "$owner_id", "batch": "$batch"}, "count": {"$sum": 1}}
        groups = await self._images.aggregate([{"$match": {"$and": [batches, public, query]}}, {"$group": grouping}])
        return {(group["_id"]["owner_id"], group["_id"]["batch"]): group["count"] for group in groups}

    async def _read(self, query: Document, limit: int) -> list[Image]:
        return [to_image(document) for document in await self._images.find(query, sort="-created -_id", limit=limit)]


def public_query(owner_ids: list[int] | list[int | None] | None, cursor: str | None) -> Document:
    """The query for public results after the cursor."""
    query: Document = {"kind": str(ImageKind.RESULT), "visibility": str(Visibility.PUBLIC)}
    if owner_ids is not None:
        query["owner_id"] = {"$in": owner_ids}
    return after(query, cursor)


def _own_query(owner_id: int) -> Document:
    kinds = [str(kind) for kind in (ImageKind.SOURCE, ImageKind.RESULT)]
    return {"owner_id": owner_id, "kind": {"$in": kinds}, "key": {"$gt": ""}}


def after(query: Document, cursor: str | None) -> Document:
    """The query, after the cursor. `created` has a bound of its own, so that the index finds where the page begins."""
    if cursor is None:
        return query
    created, image_id = read_cursor(cursor)
    older: Document = {"$or": [{"created": {"$lt": created}}, {"_id": {"$lt": image_id}}]}
    return query | {"created": {"$lte": created}} | older


def _stands_for_batch(image: Image, batches: dict[BatchKey, bool]) -> bool:
    """Whether this image is an entry. Marks its batch as begun."""
    if image.batch is None:
        return True
    key = _batch_key(image)
    begun, batches[key] = batches[key], True
    return not begun


def _batch_key(image: Image) -> BatchKey:
    return image.owner.id, image.batch or ""


def _page(images: list[Image], limit: int) -> ImagePage:
    return ImagePage(images, write_cursor(images[-1].created, images[-1].id) if len(images) == limit else None)
