"""Images: pictures that somebody owns, sources and results; one record for each (bucket key, owner).

A picture is deleted in two steps: `hide` hides it at once, `purge` ends its record when its objects are gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from models import errors
from models.batcher import Batcher
from models.database import Database, Document, DuplicateKey, Index, new_id


class ImageKind(StrEnum):
    SOURCE = "source"
    RESULT = "result"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Owner:
    """The person something belongs to; both None on an open server where nobody was signed in."""

    id: int | None
    username: str | None


ANONYMOUS = Owner(None, None)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
VISIBLE: Document = {"kind": {"$ne": str(ImageKind.HIDDEN)}}
HIDE: Document = {"$set": {"kind": str(ImageKind.HIDDEN)}, "$unset": {"dedup_key": ""}}
"""Without its dedup_key nobody is given it as a result any more."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture. key: in our bucket, else None and `url` says where it is; created: UTC; placeholder: `#rrggbb`.

    dedup_key: what a result was made of (source, recipe, version of the style), None for a source.
    map_key: where the bucket keeps a result's cell map, None where it has none.
    """

    id: int
    kind: ImageKind
    owner: Owner
    key: str | None
    url: str
    filename: str
    filesize: int
    param: str
    created: datetime
    mime: str = ""
    width: int = 0
    height: int = 0
    etag: str = ""
    placeholder: str = ""
    style: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    dedup_key: str | None = None
    source_id: int | None = None
    title: str = ""
    alt: str = ""
    show_source: bool = False
    map_key: str | None = None


@dataclass(frozen=True, slots=True)
class ImagePage:
    """One page of a list, newest first; cursor asks for the next one and is None on the last."""

    images: list[Image]
    cursor: str | None


class Images:
    """The collection `images`."""

    # Partial by comparison and not by type: only then MongoDB uses them for a query that names the value.
    indexes = (
        Index("key owner_id", unique=True, partial_filter={"key": {"$gt": ""}}),
        Index("url owner_id", unique=True, partial_filter={"key": None}),
        Index("dedup_key", partial_filter={"dedup_key": {"$gt": ""}}),
        Index("kind -created -_id"),
        Index("owner_id kind -created -_id"),
    )

    def __init__(self, database: Database) -> None:
        self._images = database.collection("images")
        self._adding = Batcher(self._add_all)
        self._results = Batcher(self._find_results)
        self._finding = Batcher(self._find_all)
        self._first = Batcher(self._first_pages)

    async def add(self, image: Image) -> Image:
        """Register a picture. The same again, for the same owner, is the record that exists already."""
        return await self._adding.submit(image)

    async def by_id(self, image_id: int) -> Image:
        """Raises NotFound."""
        return self._image_or_raise(await self._finding.submit(image_id), image_id)

    async def by_key(self, key: str) -> Image | None:
        """The oldest record of an object in our bucket."""
        documents = await self._images.find({"key": key}, sort="created", limit=1)
        return _image(documents[0]) if documents else None

    async def usable_as_tiles(self, image_ids: list[int], owner_id: int | None) -> dict[int, str]:
        """id -> key in our bucket, of those of these pictures that this owner may build from: theirs, and results."""
        allowed: Document = {"$or": [{"kind": str(ImageKind.RESULT)}, {"owner_id": owner_id}], "key": {"$gt": ""}}
        query: Document = {"_id": {"$in": image_ids}, "$and": [allowed, VISIBLE]}
        documents = await self._images.find(query, sort="_id", limit=len(image_ids))
        return {document["_id"]: document["key"] for document in documents}

    async def find_result(self, dedup_key: str) -> Image | None:
        """A result that was made of this source by this recipe, whoever asked for it."""
        return await self._results.submit(dedup_key)

    async def latest(
        self,
        *,
        kind: ImageKind = ImageKind.RESULT,
        owner_ids: list[int] | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> ImagePage:
        """Newest first, of everybody or of some people. Raises BadParameter for a cursor that we never gave."""
        if owner_ids is None and cursor is None:
            return await self._first.submit((kind, limit))
        return await self._page(page_query(kind, owner_ids, cursor), limit)

    async def _page(self, query: Document, limit: int) -> ImagePage:
        documents = await self._images.find(query, sort="-created -_id", limit=limit)
        images = [_image(document) for document in documents]
        return ImagePage(images, write_cursor(images[-1]) if len(images) == limit else None)

    async def iterate_by_owner(self, owner_id: int) -> AsyncIterator[Image]:
        """Everything a person has, by ascending id."""
        async for document in self._images.iterate({"owner_id": owner_id, **VISIBLE}):
            yield _image(document)

    async def set_appearance(self, key: str, *, width: int, height: int, placeholder: str) -> None:
        """Note what a picture looks like, in every record of it: size in pixels, upright, and mean colour."""
        await self._images.update_many(
            {"key": key}, {"$set": {"width": width, "height": height, "placeholder": placeholder}}
        )

    async def update_details(self, image_id: int, owner_id: int | None, **chosen: object) -> Image:
        """Change title, alt or show_source. Raises NotFound where it is not this owner's."""
        allowed = {name: chosen[name] for name in ("title", "alt", "show_source") if name in chosen}
        document = await self._images.find_one_and_update({"_id": image_id, "owner_id": owner_id}, {"$set": allowed})
        return self._image_or_raise(document, image_id)

    async def delete(self, image_id: int, owner_id: int | None) -> bool:
        """Forget a record. Returns whether its object in the bucket is now nobody's and can go too."""
        document = await self._images.find_one_and_delete({"_id": image_id, "owner_id": owner_id})
        image = self._image_or_raise(document, image_id)
        return image.key is not None and await self.by_key(image.key) is None

    async def hide(self, image_id: int, owner_id: int | None) -> Image:
        """Hide a picture from everybody. Raises NotFound where it is not this owner's."""
        document = await self._images.find_one_and_update({"_id": image_id, "owner_id": owner_id, **VISIBLE}, HIDE)
        return self._image_or_raise(document, image_id)

    async def hide_all(self, owner_id: int) -> None:
        """Hide everything that a person has."""
        await self._images.update_many({"owner_id": owner_id, **VISIBLE}, HIDE)

    async def hidden(self, owner_id: int | None = None) -> AsyncIterator[Image]:
        """What is hidden and has not been forgotten yet, of one person or of all."""
        query: Document = {"kind": str(ImageKind.HIDDEN)} | ({} if owner_id is None else {"owner_id": owner_id})
        async for document in self._images.iterate(query):
            yield _image(document)

    async def is_shared(self, image: Image) -> bool:
        """Whether another record leads to the same object in our bucket."""
        return await self._images.find_one({"key": image.key, "_id": {"$ne": image.id}}, ["_id"]) is not None

    async def purge(self, image: Image) -> None:
        """End the record of a withdrawn picture."""
        await self._images.delete_one({"_id": image.id, "kind": str(ImageKind.HIDDEN)})

    async def registered_keys(self, keys: list[str]) -> set[str]:
        """Those of these keys that a record leads to."""
        groups = await self._images.aggregate([{"$match": {"key": {"$in": keys}}}, {"$group": {"_id": "$key"}}])
        return {group["_id"] for group in groups}

    async def _find_all(self, image_ids: list[int]) -> list[Document | None]:
        documents = await self._images.find({"_id": {"$in": image_ids}, **VISIBLE}, sort="", limit=0)
        by_id = {image["_id"]: image for image in documents}
        return [by_id.get(image_id) for image_id in image_ids]

    async def _first_pages(self, requests: list[tuple[ImageKind, int]]) -> list[ImagePage]:
        """The page that most people see first: those who ask at once are answered from one look."""
        pages = {front: await self._page(page_query(front[0], None, None), front[1]) for front in set(requests)}
        return [pages[front] for front in requests]

    async def _add_all(self, images: list[Image]) -> list[Image]:
        documents = [{"_id": new_id(), **_document(image)} for image in images]
        try:
            await self._images.insert_many(documents)
        except DuplicateKey:
            if len(images) > 1:
                raise
            return [await self._existing(images[0])]
        return [_image(document) for document in documents]

    async def _find_results(self, dedup_keys: list[str]) -> list[Image | None]:
        grouping: Document = {"_id": "$dedup_key", "image": {"$first": "$$ROOT"}}
        groups = await self._images.aggregate([{"$match": {"dedup_key": {"$in": dedup_keys}}}, {"$group": grouping}])
        by_key = {group["_id"]: _image(group["image"]) for group in groups}
        return [by_key.get(dedup_key) for dedup_key in dedup_keys]

    async def _existing(self, image: Image) -> Image:
        query: Document = {"key": image.key, "owner_id": image.owner.id}
        if image.key is None:
            query["url"] = image.url
        return self._image_or_raise(await self._images.find_one(query), image.key or image.url)

    def _image_or_raise(self, document: Document | None, which: object) -> Image:
        if document is None:
            raise errors.NotFound(what="image", which=which)
        return _image(document)


def new_image(kind: ImageKind, owner: Owner, **fields: Any) -> Image:
    """An image that has no id yet; it gets one by Images.add."""
    return Image(id=0, kind=kind, owner=owner, created=datetime.now(UTC), **fields)


def page_query(kind: ImageKind, owner_ids: list[int] | None, cursor: str | None) -> Document:
    """What a page holds: `created` is bounded by itself, so that an index finds the place where the page begins."""
    query: Document = {"kind": str(kind)}
    if owner_ids is not None:
        query["owner_id"] = {"$in": owner_ids}
    if cursor is not None:
        created, number = _read_cursor(cursor)
        query["created"] = {"$lte": created}
        query["$or"] = [{"created": {"$lt": created}}, {"_id": {"$lt": number}}]
    return query


def write_cursor(image: Image) -> str:
    """In whole milliseconds, as MongoDB keeps them; a float would lose one now and then, and with it a picture."""
    return f"{(image.created - EPOCH) // MILLISECOND}-{image.id}"


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    created, _, number = cursor.partition("-")
    try:
        return EPOCH + int(created) * MILLISECOND, int(number)
    except (ValueError, OverflowError) as error:
        raise errors.BadParameter(field="cursor", value=repr(cursor[:60]), allowed="one of our own answers") from error


def _document(image: Image) -> Document:
    return {
        "kind": str(image.kind),
        "owner_id": image.owner.id,
        "username": image.owner.username,
        **{
            name: getattr(image, name)
            for name in Image.__slots__
            if name not in ("id", "kind", "owner") and not (name == "dedup_key" and image.dedup_key is None)
        },
    }


def _image(document: Document) -> Image:
    plain = {name: document[name] for name in Image.__slots__ if name in document}
    owner = Owner(document["owner_id"], document["username"])
    return Image(**{**plain, "id": document["_id"], "kind": ImageKind(document["kind"]), "owner": owner})
