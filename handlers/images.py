"""Images: look-up, title and text alternative, deletion, thumbnails, and the gallery."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from handlers.base import LIST_TIMEOUT_S, ApiHandler
from handlers.endpoint import endpoint
from handlers.params import MAX_ALT_LENGTH, MAX_IDS, ContractParams, Id, RequestParams, Title, Username
from handlers.schemas.base import SuccessResponse
from handlers.schemas.images import FeedResponse, ImageResponse, ImageSchema, VisibilityResponse
from models import errors
from models.accounts.follows import Follows
from models.accounts.users import Users
from models.bucket import Bucket
from models.database import MAX_ID
from models.errors import Phrase
from models.images.gallery import Gallery, ImagePage
from models.images.image import Image, ImageDetails, ImageKind
from models.images.images import Images
from models.images.visibility import Visibility
from models.queue.tasks import Tasks
from processing.images.thumbnails import MEDIA_TYPE, WIDTHS, Thumbnails
from processing.upkeep.image_deletion import ImageDeletions

log = logging.getLogger(__name__)


class QueryImageParams(ContractParams):
    id: Id


class DeleteImageParams(RequestParams):
    id: Id


class QueryImageHandler(ApiHandler):
    errors_as_200 = True
    timeout_s = LIST_TIMEOUT_S

    def initialize(self, images: Images, gallery: Gallery, bucket: Bucket) -> None:
        self.images, self.gallery, self.bucket = images, gallery, bucket.for_host(self.request.host)

    @endpoint(errors=(errors.NotFound,))
    async def get(self, params: QueryImageParams) -> ImageResponse:
        """One image that the user may see."""
        viewer = await self.viewer()
        image = await self.images.by_id(params.id, viewer)
        return ImageResponse.of(
            image,
            self.bucket,
            source=await self.images.shown_source(image),
            own=viewer.owns(image),
            batch_size=await self.gallery.batch_size(image),
            base_path=self.base_path,
        )


class ChangeImageParams(RequestParams):
    id: Id
    title: Title | None = None
    alt: Annotated[str, Field(max_length=MAX_ALT_LENGTH)] | None = None
    show_source: bool | None = None


class ChangeImageHandler(ApiHandler):
    def initialize(self, images: Images, bucket: Bucket) -> None:
        self.images, self.bucket = images, bucket.for_host(self.request.host)

    @endpoint(errors=(errors.NotAuthenticated, errors.PermissionDenied, errors.NotFound))
    async def post(self, params: ChangeImageParams) -> ImageResponse:
        """Change the title, the text alternative, and whether others see the source."""
        owner = await self.owner()
        await self.images.owned(params.id, owner.id)
        details = ImageDetails(title=params.title, alt=params.alt, show_source=params.show_source)
        image = await self.images.update_details(params.id, owner.id, details)
        return ImageResponse.of(
            image, self.bucket, source=await self.images.shown_source(image), own=True, base_path=self.base_path
        )


class VisibilityParams(RequestParams):
    """ids: a JSON array, or numbers separated by commas."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_IDS), BeforeValidator(lambda ids: _split(ids))]
    visibility: Visibility


class ChangeVisibilityHandler(ApiHandler):
    def initialize(self, images: Images, tasks: Tasks) -> None:
        self.images, self.tasks = images, tasks

    @endpoint(errors=(errors.NotAuthenticated,))
    async def post(self, params: VisibilityParams) -> VisibilityResponse:
        """Change who sees some of the user's images."""
        owner = await self.owner()
        self.choose_visibility(params.visibility, owner)
        changed = await self.images.set_visibility(params.ids, owner.id, params.visibility)
        await self.tasks.set_visibility(owner.id, changed, params.visibility)
        return VisibilityResponse(changed=changed)


def _split(ids: object) -> object:
    return [part.strip() for part in ids.split(",")] if isinstance(ids, str) else ids


class DeleteImageHandler(ApiHandler):
    def initialize(self, images: Images, image_deletions: ImageDeletions) -> None:
        self.images, self.image_deletions = images, image_deletions

    @endpoint(errors=(errors.NotAuthenticated, errors.PermissionDenied, errors.NotFound))
    async def post(self, params: DeleteImageParams) -> SuccessResponse:
        """Delete an image, its thumbnails, and its file where no other user has the same one."""
        owner = await self.owner()
        image = await self.images.owned(params.id, owner.id)
        await self.image_deletions.delete(image.id, owner.id)
        log.info("image %s: deleted [%s]", image.id, self.request_id)
        return SuccessResponse()


class ThumbnailParams(RequestParams):
    """of: `source` is the image that a result was made of, where its owner shows it."""

    id: int
    width: int
    of: Literal["image", "source"] = "image"


class ThumbnailHandler(ApiHandler):
    _etag: str | None = None

    def initialize(self, images: Images, thumbnails: Thumbnails) -> None:
        self.images, self.thumbnails = images, thumbnails

    @endpoint(
        errors=(errors.NotFound, errors.Overloaded, errors.BucketUnavailable, errors.StorageFull), media_type=MEDIA_TYPE
    )
    async def get(self, params: ThumbnailParams) -> None:
        """A small copy of an image. It never changes, so that browsers may cache it without limit.

        Shared caches may not, since its owner may make it private; of a private one, and of a source, browsers ask each
        time.
        """
        if params.width not in WIDTHS or not 1 <= params.id <= MAX_ID:
            raise errors.NotFound(what="thumbnail", which=f"{params.id}/{params.width}")
        image = await self.images.by_id(params.id, await self.viewer())
        private = image.visibility is Visibility.PRIVATE or params.of == "source"  # its owner may hide a source again
        if params.of == "source":
            image = await self._shown_source(image)
        self._etag = f'"{image.id}-{params.width}"'
        self.set_etag_header()
        data = None
        if self.check_etag_header():
            self.set_status(304)
        else:
            data = await self.thumbnails.get(image, params.width, client=self.client_ip)
        self.set_header("Content-Type", MEDIA_TYPE)
        self.set_header("Cache-Control", "private, no-cache" if private else "private, max-age=31536000, immutable")
        self.finish(data)

    async def _shown_source(self, image: Image) -> Image:
        """Raises NotFound."""
        source = await self.images.shown_source(image)
        if source is None:
            raise errors.NotFound(what="thumbnail", which=image.id)
        return source

    def compute_etag(self) -> str | None:
        """Made of the id and the width, so that a 304 needs no read from the bucket."""
        return self._etag


class FeedParams(RequestParams):
    """kind: with `view=mine`, `source` lists what the user has uploaded. id: of an image, for `view=batch`."""

    view: Literal["newest", "following", "mine", "user", "batch"] = "newest"
    username: Username | None = None
    id: Id | None = None
    kind: Literal["result", "source"] = "result"
    cursor: Annotated[str, Field(max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class FeedHandler(ApiHandler):
    timeout_s = LIST_TIMEOUT_S

    def initialize(self, images: Images, gallery: Gallery, users: Users, follows: Follows, bucket: Bucket) -> None:
        self.images, self.gallery, self.users, self.follows = images, gallery, users, follows
        self.bucket = bucket.for_host(self.request.host)

    @endpoint(errors=(errors.NotAuthenticated, errors.NotFound))
    async def get(self, params: FeedParams) -> FeedResponse:
        """The newest public mosaics: of all users, of those whom the user follows, of one user, of one batch; or all
        of the user's own."""
        own = params.view == "mine"
        if params.kind == "source" and not own:
            raise errors.BadParameter(
                field="kind",
                value=params.kind,
                allowed=Phrase("result, where view is not mine", "result（view 不是 mine 时）"),
            )
        page = await self._page(params)
        audience = own, self.request.host
        if audience not in page.responses:
            page.responses[audience] = self._response(page, own)
        response: FeedResponse = page.responses[audience]
        return response

    def _response(self, page: ImagePage, own: bool) -> FeedResponse:
        images = [
            ImageSchema.of(
                image,
                self.bucket,
                own=own,
                batch_size=page.batch_sizes.get(image.id, 1),
                listed=True,
                base_path=self.base_path,
            )
            for image in page.images
        ]
        return FeedResponse(images=images, cursor=page.cursor)

    async def _page(self, params: FeedParams) -> ImagePage:
        """Raises NotAuthenticated, NotFound, BadParameter."""
        if params.view == "mine":
            user = await self.require_session()
            return await self.gallery.own(user.id, ImageKind(params.kind), cursor=params.cursor, limit=params.limit)
        if params.view == "batch":
            if params.id is None:
                raise errors.BadParameter(
                    field="id", value=Phrase("nothing", "空值"), allowed=Phrase("the id of an image", "图片的编号")
                )
            image = await self.images.by_id(params.id, await self.viewer())
            return await self.gallery.batch_of(image, limit=params.limit)
        owner_ids = await self._owner_ids(params)
        return await self.gallery.public(owner_ids=owner_ids, cursor=params.cursor, limit=params.limit)

    async def _owner_ids(self, params: FeedParams) -> list[int] | None:
        """None: of all users. Raises NotAuthenticated, NotFound, BadParameter."""
        if params.view == "newest":
            return None
        if params.view == "user":
            if params.username is None:
                raise errors.BadParameter(
                    field="username", value=Phrase("nothing", "空值"), allowed=Phrase("the name of a user", "用户名")
                )
            return [(await self.users.by_name(params.username)).id]
        return await self.follows.ids_followed_by((await self.require_user()).id)
