"""Images: look-up, title and text alternative, deletion, thumbnails, and the gallery."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

from pydantic import Field

from handlers.base import ApiHandler
from handlers.endpoint import endpoint
from handlers.params import Id, RequestParams, Username
from handlers.schemas import ClientConfig, FeedResponse, ImageResponse, ImageSchema, SuccessResponse
from models import errors
from models.bucket import Bucket
from models.database import MAX_ID
from models.follows import Follows
from models.images import ImageDetails, ImageKind, Images
from models.users import Users
from processing.images.thumbnails import MEDIA_TYPE, WIDTHS, Thumbnails
from processing.upkeep.image_deletion import ImageDeletions

log = logging.getLogger(__name__)

MAX_TITLE_LENGTH: int = ClientConfig.model_fields["max_title_length"].default
MAX_ALT_LENGTH: int = ClientConfig.model_fields["max_alt_length"].default


class ImageIdParams(RequestParams):
    id: Id


class QueryImageHandler(ApiHandler):
    errors_as_200 = True

    def initialize(self, images: Images, bucket: Bucket) -> None:
        self.images, self.bucket = images, bucket

    @endpoint(errors=(errors.NotFound,))
    async def get(self, params: ImageIdParams) -> ImageResponse:
        """One image."""
        image = await self.images.by_id(params.id)
        user = await self.user() if "tiles" in image.recipe else None
        own = user is not None and user.id == image.owner.id
        return ImageResponse.of(image, self.bucket, source=await self.images.visible_source(image), own=own)


class ChangeImageParams(RequestParams):
    id: Id
    title: Annotated[str, Field(max_length=MAX_TITLE_LENGTH)] | None = None
    alt: Annotated[str, Field(max_length=MAX_ALT_LENGTH)] | None = None
    show_source: bool | None = None


class ChangeImageHandler(ApiHandler):
    def initialize(self, images: Images, bucket: Bucket) -> None:
        self.images, self.bucket = images, bucket

    @endpoint(errors=(errors.NotAuthenticated, errors.PermissionDenied, errors.NotFound))
    async def post(self, params: ChangeImageParams) -> ImageResponse:
        """Change the title, the text alternative, and whether others see the source."""
        owner = await self.owner()
        await self.images.owned(params.id, owner.id)
        details = ImageDetails(title=params.title, alt=params.alt, show_source=params.show_source)
        image = await self.images.update_details(params.id, owner.id, details)
        return ImageResponse.of(image, self.bucket, source=await self.images.visible_source(image), own=True)


class DeleteImageHandler(ApiHandler):
    def initialize(self, images: Images, image_deletions: ImageDeletions) -> None:
        self.images, self.image_deletions = images, image_deletions

    @endpoint(errors=(errors.NotAuthenticated, errors.PermissionDenied, errors.NotFound))
    async def post(self, params: ImageIdParams) -> SuccessResponse:
        """Delete an image, its thumbnails, and its file where no other user has the same one."""
        owner = await self.owner()
        image = await self.images.owned(params.id, owner.id)
        await self.image_deletions.delete(image.id, owner.id)
        log.info("image %s: deleted [%s]", image.id, self.request_id)
        return SuccessResponse()


class ThumbnailParams(RequestParams):
    id: int
    width: int


class ThumbnailHandler(ApiHandler):
    _etag: str | None = None

    def initialize(self, images: Images, thumbnails: Thumbnails) -> None:
        self.images, self.thumbnails = images, thumbnails

    @endpoint(
        errors=(errors.NotFound, errors.Overloaded, errors.BucketUnavailable, errors.StorageFull), media_type=MEDIA_TYPE
    )
    async def get(self, params: ThumbnailParams) -> None:
        """A small copy of an image. It never changes, so that browsers may cache it without limit."""
        if params.width not in WIDTHS or not 1 <= params.id <= MAX_ID:
            raise errors.NotFound(what="thumbnail", which=f"{params.id}/{params.width}")
        image = await self.images.by_id(params.id)
        self._etag = f'"{image.id}-{params.width}"'
        self.set_etag_header()
        data = None
        if self.check_etag_header():
            self.set_status(304)
        else:
            data = await self.thumbnails.get(image, params.width)
        self.set_header("Content-Type", MEDIA_TYPE)
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(data)

    head = get

    def compute_etag(self) -> str | None:
        """Made of the id and the width, so that a 304 needs no read from the bucket."""
        return self._etag


class FeedParams(RequestParams):
    """kind: with `view=mine`, `source` lists what the user has uploaded."""

    view: Literal["newest", "following", "mine", "user"] = "newest"
    username: Username | None = None
    kind: Literal["result", "source"] = "result"
    cursor: Annotated[str, Field(max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class FeedHandler(ApiHandler):
    def initialize(self, images: Images, users: Users, follows: Follows, bucket: Bucket) -> None:
        self.images, self.users, self.follows, self.bucket = images, users, follows, bucket

    @endpoint(errors=(errors.NotAuthenticated, errors.NotFound))
    async def get(self, params: FeedParams) -> FeedResponse:
        """The newest mosaics: of all users, of those whom the user follows, of one user, or the user's own."""
        own = params.view == "mine"
        if params.kind == "source" and not own:
            raise errors.BadParameter(field="kind", value=params.kind, allowed="result, where view is not mine")
        page = await self.images.latest(
            kind=ImageKind(params.kind),
            owner_ids=await self._owner_ids(params),
            cursor=params.cursor,
            limit=params.limit,
        )
        images = [ImageSchema.of(image, self.bucket, own=own) for image in page.images]
        return FeedResponse(images=images, cursor=page.cursor)

    async def _owner_ids(self, params: FeedParams) -> list[int] | None:
        """None: of all users. Raises NotAuthenticated, NotFound, BadParameter."""
        if params.view == "newest":
            return None
        if params.view == "user":
            if params.username is None:
                raise errors.BadParameter(field="username", value="nothing", allowed="the name of a user")
            return [(await self.users.by_name(params.username)).id]
        user = await self.require_user()
        return [user.id] if params.view == "mine" else await self.follows.ids_followed_by(user.id)
