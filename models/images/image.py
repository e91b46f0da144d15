"""An image as users own it: a source that they uploaded, or a result that a task made."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from models import errors
from models.database import Document
from models.images.visibility import Visibility


class ImageKind(StrEnum):
    SOURCE = "source"
    RESULT = "result"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Owner:
    """The user who owns something; both fields are None for anonymous users of an open server. Guests have no name."""

    id: int | None
    username: str | None

    @property
    def is_guest(self) -> bool:
        return self.id is not None and self.username is None

    def require(self, user_id: int | None) -> None:
        """Raise PermissionDenied unless this is the user with that id."""
        if self.id != user_id:
            raise errors.PermissionDenied()


ANONYMOUS = Owner(None, None)


TIME_RESOLUTION = timedelta(milliseconds=1)
"""Of times in the database."""


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image to be registered.

    key: in our bucket; None if `url` leads elsewhere. filesize: bytes. created: UTC. placeholder: `#rrggbb`.
    width, height: pixels, upright; 0 if not known yet.
    dedup_key: hash of what a result was made from (source, recipe, version of the style); None for a source.
    map_key: bucket key of a result's cell map; None if it has none.
    batch: what results have in common that their owner made together; the gallery shows them as one entry.
    """

    kind: ImageKind
    owner: Owner
    _: KW_ONLY
    key: str | None
    url: str
    filename: str
    filesize: int
    param: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    mime: str = ""
    width: int = 0
    height: int = 0
    etag: str = ""
    placeholder: str = ""
    style: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    dedup_key: str | None = None
    source_id: int | None = None
    map_key: str | None = None
    visibility: Visibility = Visibility.PRIVATE
    batch: str | None = None

    def is_recorded_as(self, image: Image) -> bool:
        """Whether this record was made from it, and did not exist before."""
        return abs(image.created - self.created) < TIME_RESOLUTION

    def with_id(self, image_id: int) -> Image:
        """The record that this becomes."""
        return Image(id=image_id, **{each.name: getattr(self, each.name) for each in fields(self)})


@dataclass(frozen=True, slots=True)
class Image(NewImage):
    """A registered image, with what its owner has said about it since.

    withdrawn: ids of the pictures in a photomosaic that others have withdrawn. ends: when it is deleted for that, UTC.
    """

    _: KW_ONLY
    id: int
    title: str = ""
    alt: str = ""
    show_source: bool = False
    withdrawn: tuple[int, ...] = ()
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """What owners may change; None leaves a value as it is."""

    title: str | None = None
    alt: str | None = None
    show_source: bool | None = None


_FIELDS = tuple(each.name for each in fields(Image))


def to_document(image: Image) -> Document:
    """An image as MongoDB holds it."""
    plain = {name: getattr(image, name) for name in _FIELDS if name not in ("id", "kind", "owner")}
    if image.dedup_key is None:
        del plain["dedup_key"]
    owner = {"owner_id": image.owner.id, "username": image.owner.username}
    return {"_id": image.id, "kind": str(image.kind), **owner, **plain, "visibility": str(image.visibility)}


def to_image(document: Document) -> Image:
    """The image of a record; one without a visibility is private."""
    plain = {name: document[name] for name in _FIELDS if name in document}
    owner = Owner(document["owner_id"], document["username"])
    visibility = Visibility(document.get("visibility", Visibility.PRIVATE))
    return Image(
        **{
            **plain,
            "id": document["_id"],
            "kind": ImageKind(document["kind"]),
            "owner": owner,
            "visibility": visibility,
            "withdrawn": tuple(document.get("withdrawn") or ()),
        }
    )


def to_image_or_none(document: Document | None) -> Image | None:
    return None if document is None else to_image(document)


def image_or_raise(document: Document | None, which: object) -> Image:
    if document is None:
        raise errors.NotFound(what="image", which=which)
    return to_image(document)
