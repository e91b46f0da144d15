"""Registration of an image without a callback, by the user who uploaded it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from handlers.endpoint import endpoint
from handlers.params import ContractParams, Filename, Id, Param
from handlers.schemas.images import RegisterImageResponse
from handlers.upload_base import UploadedImageHandler
from models import errors
from models.bucket import Stat
from models.errors import Phrase
from models.images.image import ANONYMOUS, ImageKind, NewImage, Owner
from models.images.visibility import UNSTATED, Viewer, Visibility


def _check_web_url(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError(Phrase("an address that begins with http:// or https://", "以 http:// 或 https:// 开头的地址"))
    return url


WebUrl = Annotated[
    str,
    Field(min_length=1, max_length=2048, json_schema_extra={"pattern": r"^https?://[\w\[]"}),
    AfterValidator(_check_web_url),
]


class RegisterImageParams(ContractParams):
    url: WebUrl
    filename: Filename
    param: Param = ""
    user_id: Id
    visibility: Visibility | None = None


class RegisterImageHandler(UploadedImageHandler):
    errors_as_200 = True

    @endpoint(
        errors=(
            errors.NotAuthenticated,
            errors.QuotaExceeded,
            errors.PermissionDenied,
            errors.NotFound,
            errors.BucketUnavailable,
        )
    )
    async def post(self, params: RegisterImageParams) -> RegisterImageResponse:
        """Register an image without a callback, for the user who uploaded it. A second call may change its `param`."""
        owner = await self.acting_as(params.user_id)
        visibility = self.choose_visibility(params.visibility, owner)
        key = await self._key_of(params.url)
        stat = await self._stat(key, owner) if key is not None else None
        image = await self.registrations.register_within_quota(
            NewImage(
                ImageKind.SOURCE,
                owner,
                key=key,
                url=params.url if key is None else self.bucket.url(key),
                filename=params.filename,
                filesize=stat.size_bytes if stat else 0,
                param=params.param,
                mime=stat.mime if stat else "",
                etag=stat.etag if stat else "",
                visibility=visibility or await self._agreed(key),
            )
        )
        if "param" in params.model_fields_set and image.param != params.param:
            await self.images.set_param(image.id, owner.id, params.param)
        if key is not None:
            self.thumbnails.schedule(image)
        return RegisterImageResponse(id=image.id)

    get = post

    async def _key_of(self, url: str) -> str | None:
        """The key of the object that the address serves now; None for any address outside the bucket."""
        key = self.bucket.key_of(url)
        return None if key is None else await self.named_objects.find_key(key)

    async def _agreed(self, key: str | None) -> Visibility:
        """What was chosen when the token was issued."""
        if key is None:
            return UNSTATED
        try:
            return (await self.uploads.get(key)).visibility
        except errors.NotFound:
            return UNSTATED

    async def _stat(self, key: str, owner: Owner) -> Stat:
        """What the bucket says of the object. Raises PermissionDenied, NotFound.

        The object is the owner's, or an image of nobody; with open access it may be any object of the bucket.
        """
        if not self.authentication.open_access:
            registered = await self.images.by_key(key, Viewer(owner.id)) or await self.uploads.get(key)
            if registered.owner != ANONYMOUS:
                registered.owner.require(owner.id)
        return await self.executors.io(self.bucket.stat, key)
