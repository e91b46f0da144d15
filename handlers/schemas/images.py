"""Images and their upload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import MISSING, Field

from handlers.params import Id
from handlers.schemas.base import EXACT, Moment, Schema, SharedResponse, SuccessResponse
from models.bucket import Bucket
from models.images.image import Image, ImageKind
from models.images.visibility import Visibility
from processing.images import thumbnails

READ_ALIKE = ("image/jpeg", "image/png", "image/gif")
"""Media types that every browser shows as the server decodes them. Chromium does not turn a WebP; few show HEIC."""


class UploadTokenResponse(SuccessResponse):
    """expires: Unix time."""

    token: str
    key: str
    upload_url: str
    url: str
    expires: int


class UploadResponse(SuccessResponse):
    id: Id
    filename: str
    url: str
    param: str


class RegisterImageResponse(SuccessResponse):
    id: Id


@dataclass(slots=True, kw_only=True)
class ImageSchema:
    """placeholder: `#rrggbb` or empty. thumbnails: addresses by width in pixels. map_url: a cell map, as JSON.

    batch_size: how many public images were made together with this one, itself included; 1 for a single one.
    withdrawn: for the owner of a photomosaic, how many pictures in it others have withdrawn; ends: when it is deleted
    for that.
    """

    id: Id
    url: str
    readable_url: str
    param: str
    kind: Literal["source", "result"]
    filename: str
    filesize: int
    mime: str
    width: int
    height: int
    placeholder: Annotated[str, Field(pattern=r"^(#[0-9a-f]{6})?$")]
    username: str | None
    created: Moment
    style: str
    recipe: dict[str, Any]
    title: str
    alt: str
    show_source: bool
    source_url: str | None
    thumbnails: dict[str, str]
    page: str
    map_url: str | None
    visibility: Visibility
    batch_size: int
    withdrawn: int
    ends: Moment | None

    __pydantic_config__ = EXACT

    @classmethod
    def of(
        cls,
        image: Image,
        bucket: Bucket,
        *,
        source: Image | None = None,
        own: bool = False,
        batch_size: int = 1,
        listed: bool = False,
        base_path: str = "",
    ) -> Self:
        """source: the image that it was made of, where its owner shows it. own: whether its owner reads the document.

        base_path: of the site on its host. listed: in a list, where recipes come without the ids of tiles, of
        which there may be thousands.

        Only the owner sees the ids of its tiles and of the image that its colours are from: anybody who has an id can
        read the image.
        """
        recipe = image.recipe
        if not own or listed:
            recipe = {key: value for key, value in recipe.items() if key not in ("tiles", "colours_of")}
        return cls(
            id=image.id,
            url=bucket.url(image.key) if image.key is not None else image.url,
            readable_url=_readable_url(image, bucket),
            param=image.param,
            kind="result" if image.kind is ImageKind.RESULT else "source",
            filename=image.filename,
            filesize=image.filesize,
            mime=image.mime,
            width=image.width,
            height=image.height,
            placeholder=image.placeholder,
            username=image.owner.username,
            created=image.created,
            style=image.style,
            recipe=recipe,
            title=image.title,
            alt=image.alt,
            show_source=image.show_source,
            source_url=_source_url(image, source, bucket, base_path) if source else None,
            thumbnails={str(width): f"{base_path}/thumbnail/{image.id}/{width}" for width in thumbnails.WIDTHS},
            page=f"{base_path}/i/{image.id}",
            map_url=_signed_url(image.map_key, image, bucket) if image.map_key is not None else None,
            visibility=image.visibility,
            batch_size=batch_size,
            withdrawn=len(image.withdrawn) if own else 0,
            ends=image.ends if own else None,
        )


@dataclass(slots=True, kw_only=True)
class ImageResponse(ImageSchema):
    """One image."""

    code: Literal[1] = 1


@dataclass(slots=True, kw_only=True)
class TileSchema:
    """A picture in a photomosaic. own: whether it is the reader's. The rest is as in the image document."""

    id: Id
    readable_url: str
    kind: Literal["source", "result"]
    filename: str
    width: int
    height: int
    username: str | None
    style: str
    title: str
    own: bool

    __pydantic_config__ = EXACT

    @classmethod
    def of(cls, image: Image, bucket: Bucket, *, own: bool) -> Self:
        return cls(
            id=image.id,
            readable_url=_readable_url(image, bucket),
            kind="result" if image.kind is ImageKind.RESULT else "source",
            filename=image.filename,
            width=image.width,
            height=image.height,
            username=image.owner.username,
            style=image.style,
            title=image.title,
            own=own,
        )


class TilesResponse(SuccessResponse):
    """tiles: in the order of the recipe; null for each that the reader may not know of.

    For the owner of the photomosaic, to make it again: withdrawn, the ids of the withdrawn ones, and the address of the
    picture that it was made of, null if that is deleted. For others an empty list and null.
    """

    tiles: list[TileSchema | None]
    withdrawn: list[Id]
    made_of: str | None


class PoolResponse(SuccessResponse):
    """ids: of pictures that the user may build a photomosaic from, the newest first. by_param: ids of own ones."""

    ids: list[Id]
    by_param: dict[str, Id] | MISSING = MISSING


class VisibilityResponse(SuccessResponse):
    """changed: the ids of the images that the user owns."""

    changed: list[Id]


class FeedResponse(SharedResponse):
    images: list[ImageSchema]
    cursor: str | None


def _source_url(image: Image, source: Image, bucket: Bucket, base_path: str) -> str:
    """An address of the source of an image that shows it as the server decodes it: as a result shows it, that is."""
    if source.mime in READ_ALIKE or source.key is None:
        return _readable_url(source, bucket)
    return f"{base_path}/thumbnail/{image.id}/{thumbnails.WIDTHS[-1]}?of=source"


def _readable_url(image: Image, bucket: Bucket) -> str:
    """An address that a browser can load."""
    return _signed_url(image.key, image, bucket) if image.key is not None else image.url


def _signed_url(key: str, image: Image, bucket: Bucket) -> str:
    """The address of an object of this image, signed for an hour if the image or the bucket is private."""
    return bucket.readable_url(key, private=image.visibility is Visibility.PRIVATE)


class PreviewSourceResponse(Schema):
    """source: the name by which `/api/preview/` uses the file."""

    code: Literal[1]
    source: str
