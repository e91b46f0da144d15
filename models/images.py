"""Images: pictures that somebody owns, sources and results; one record for each (bucket key, owner)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from models import errors
from models.database import Database, Document, Duplicate, Index


class Kind(StrEnum):
    SOURCE = "source"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class Owner:
    """The person something belongs to; both None on an open server where nobody was signed in."""

    id: int | None
    username: str | None


NOBODY = Owner(None, None)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture. key: in our bucket, else None and `url` says where it is; created: UTC; placeholder: `#rrggbb`.

    identity: what a result was made of (source, recipe, version of the style), None for a source.
    """

    id: int
    kind: Kind
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
    identity: str | None = None
    source_id: int | None = None
    title: str = ""
    alt: str = ""
    show_source: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, newest first; cursor asks for the next one and is None on the last."""

    images: list[Image]
    cursor: str | None


class Images:
    """The collection `images`."""

    indexes = (
        Index("key owner_id", unique=True, only={"key": {"$type": "string"}}),
        Index("url owner_id", unique=True, only={"key": None}),
        Index("identity", only={"identity": {"$type": "string"}}),
        Index("kind -created -_id"),
        Index("owner_id kind -created -_id"),
    )

    def __init__(self, database: Database) -> None:
        self._images = database.collection("images")

    async def add(self, image: Image) -> Image:
        """Register a picture. The same again, for the same owner, is the record that exists already."""
        document = _document(image)
        try:
            number = await self._images.insert_with_id(document)
        except Duplicate:
            return await self._existing(image)
        return _image({"_id": number, **document})

    async def by_id(self, image_id: int) -> Image:
        """Raises NotFound."""
        return self._found(await self._images.find_one({"_id": image_id}), image_id)

    async def by_key(self, key: str) -> Image | None:
        """The oldest record of an object in our bucket."""
        found = await self._images.find({"key": key}, sort="created", limit=1)
        return _image(found[0]) if found else None

    async def result_of(self, identity: str) -> Image | None:
        """A result that was made of this source by this recipe, whoever asked for it."""
        found = await self._images.find_one({"identity": identity})
        return _image(found) if found else None

    async def newest(
        self, *, kind: Kind = Kind.RESULT, owner_ids: list[int] | None = None, cursor: str | None = None, limit: int
    ) -> Page:
        """Newest first, of everybody or of some people. Raises BadParameter for a cursor that we never gave."""
        query: Document = {"kind": str(kind)}
        if owner_ids is not None:
            query["owner_id"] = {"$in": owner_ids}
        if cursor is not None:
            created, number = _read_cursor(cursor)
            query["$or"] = [{"created": {"$lt": created}}, {"created": created, "_id": {"$lt": number}}]
        found = await self._images.find(query, sort="-created -_id", limit=limit)
        images = [_image(document) for document in found]
        return Page(images, write_cursor(images[-1]) if len(images) == limit else None)

    async def of_owner(self, owner_id: int) -> list[Image]:
        """Everything a person has, oldest first."""
        return [_image(found) async for found in self._images.pages({"owner_id": owner_id})]

    async def describe(self, image_id: int, owner_id: int | None, **chosen: object) -> Image:
        """Change title, alt or show_source. Raises NotFound where it is not this owner's."""
        allowed = {name: chosen[name] for name in ("title", "alt", "show_source") if name in chosen}
        found = await self._images.change_one({"_id": image_id, "owner_id": owner_id}, {"$set": allowed})
        return self._found(found, image_id)

    async def delete(self, image_id: int, owner_id: int | None) -> bool:
        """Forget a record. Returns whether its object in the bucket is now nobody's and can go too."""
        taken = await self._images.take_one({"_id": image_id, "owner_id": owner_id})
        gone = self._found(taken, image_id)
        return gone.key is not None and await self.by_key(gone.key) is None

    async def _existing(self, image: Image) -> Image:
        query: Document = {"key": image.key, "owner_id": image.owner.id}
        if image.key is None:
            query["url"] = image.url
        return self._found(await self._images.find_one(query), image.key or image.url)

    def _found(self, document: Document | None, which: object) -> Image:
        if document is None:
            raise errors.NotFound(what="image", which=which)
        return _image(document)


def new_image(kind: Kind, owner: Owner, **known: Any) -> Image:
    """An image that has no id yet; it gets one by Images.add."""
    return Image(id=0, kind=kind, owner=owner, created=datetime.now(UTC), **known)


def write_cursor(image: Image) -> str:
    return f"{int(image.created.timestamp() * 1000)}-{image.id}"


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    created, _, number = cursor.partition("-")
    try:
        return datetime.fromtimestamp(int(created) / 1000, UTC), int(number)
    except (ValueError, OverflowError, OSError) as error:
        raise errors.BadParameter(field="cursor", value=repr(cursor[:60]), allowed="one of our own answers") from error


def _document(image: Image) -> Document:
    return {
        "kind": str(image.kind),
        "owner_id": image.owner.id,
        "username": image.owner.username,
        **{
            name: getattr(image, name)
            for name in Image.__slots__
            if name not in ("id", "kind", "owner") and not (name == "identity" and image.identity is None)
        },
    }


def _image(found: Document) -> Image:
    plain = {name: found[name] for name in Image.__slots__ if name in found}
    owner = Owner(found["owner_id"], found["username"])
    return Image(**{**plain, "id": found["_id"], "kind": Kind(found["kind"]), "owner": owner})
