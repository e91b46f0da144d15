"""Pictures on their way in: leave to upload, the bucket's callback, and registration without one."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from handlers.base import ApiHandler, JsonDict
from handlers.params import Id
from models import errors
from models.bucket import Bucket
from models.bucket.callback import KEY_LIMIT_BYTES, CallbackBody, parse_callback
from models.images import ANONYMOUS, Image, ImageKind, Images, Owner, new_image
from models.uploads import PendingUpload, PendingUploads
from models.users import Users
from processing.executors import Executors
from processing.images.thumbnails import Thumbnails
from processing.metrics import Metrics

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 4.0
"""Kodo waits for five seconds, on the way there and back as well."""

Filename = Annotated[str, Field(max_length=1024)]
Param = Annotated[str, Field(max_length=20_000)]


def _web_address(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError("an address that begins with http:// or https://")
    return url


class UploadTokenParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    filename: Filename = ""
    filesize: Annotated[int, Field(ge=0)] | None = None
    param: Param = ""
    key: Annotated[str, Field(max_length=KEY_LIMIT_BYTES)] = ""


class UploadTokenHandler(ApiHandler):
    """Leave to upload one picture: a token for one key of our choice, valid for minutes.

    A large file on a slow line outlives its token. Whoever was given a key may have another token for it, until the
    picture has arrived.
    """

    parameters = UploadTokenParams
    acts = True
    bucket: Bucket
    uploads: PendingUploads
    executors: Executors
    upload_limit_bytes: int

    async def reply(self, asked: UploadTokenParams) -> JsonDict:
        owner = await self.owner()
        if asked.filesize is not None and asked.filesize > self.upload_limit_bytes:
            raise errors.TooLarge(limit_bytes=self.upload_limit_bytes)
        upload = await self._known(asked.key, owner) if asked.key else await self._new(asked, owner)
        grant = await self.executors.io(
            self.bucket.sign_upload, upload.key, owner_id=owner.id or 0, size_limit_bytes=self.upload_limit_bytes
        )
        return {
            "token": grant.token,
            "key": grant.key,
            "upload_url": grant.upload_url,
            "url": grant.url,
            "expires": grant.expires,
        }

    async def _new(self, asked: UploadTokenParams, owner: Owner) -> PendingUpload:
        upload = PendingUpload(f"source/{secrets.token_hex(16)}", owner, asked.filename, asked.param)
        await self.uploads.add(upload)
        return upload

    async def _known(self, key: str, owner: Owner) -> PendingUpload:
        """Raises NotFound for a key that was never given or whose picture has arrived, PermissionDenied."""
        upload = await self.uploads.get(key)
        if upload.owner.id != owner.id:
            raise errors.PermissionDenied()
        return upload


class UploadCallbackHandler(ApiHandler):
    """The bucket tells us of a finished upload; what we answer it relays to the browser.

    The signature is checked before anything is read. The owner is who asked for the token, never what the body says.
    """

    methods = ("POST",)
    bucket: Bucket
    uploads: PendingUploads
    images: Images
    thumbnails: Thumbnails
    metrics: Metrics

    def _asked(self) -> Any:
        request = self.request
        self.bucket.check_callback("POST", request.uri or "", request.headers, request.body)
        return parse_callback(request.body, request.headers.get("Content-Type", ""))

    async def reply(self, asked: CallbackBody) -> JsonDict:
        """Raises DatabaseUnavailable when it takes too long: a bucket that gave up hears nothing of a success."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._said(asked)
        except TimeoutError as error:
            raise errors.DatabaseUnavailable() from error

    async def _said(self, asked: CallbackBody) -> JsonDict:
        key = asked.key or asked.filename
        if not key:
            raise errors.BadParameter(field="key", value="nothing", allowed="the key of the uploaded file")
        known = await self.images.by_key(key)
        image = known or await self._register(key, asked)
        self.metrics.callbacks.labels("repeated" if known else "registered").inc()
        await self.uploads.complete(key)
        if not image.placeholder:
            self.thumbnails.schedule(image)
        return {"id": image.id, "filename": image.filename, "url": self.bucket.url(key), "param": image.param}

    def _refuse(self, error: errors.TesseraError) -> None:
        self.metrics.callbacks.labels(error.slug).inc()
        super()._refuse(error)

    async def _register(self, key: str, asked: CallbackBody) -> Image:
        try:
            upload = await self._expected(key, asked)
        except errors.NotFound:
            if twin := await self.images.by_key(key):
                return twin  # the same callback, heard twice at once, was registered since we looked
            raise
        image = await self.images.add(
            new_image(
                ImageKind.SOURCE,
                upload.owner,
                key=key,
                url=self.bucket.url(key),
                filename=asked.filename or upload.filename,
                filesize=asked.filesize or 0,
                param=asked.param or upload.param,
                mime=asked.mime or "",
                width=asked.width or 0,
                height=asked.height or 0,
                etag=asked.etag or "",
            )
        )
        log.info("image %s: uploaded as %s [%s]", image.id, key, self.request_id)
        return image

    async def _expected(self, key: str, asked: CallbackBody) -> PendingUpload:
        """Whose picture this is. Raises NotFound for a key that nobody asked for.

        A body that names no key comes from a policy that is not ours, signed with the same secret by an older client
        of this contract: its file name is its key, and the picture is nobody's.
        """
        try:
            return await self.uploads.get(key)
        except errors.NotFound:
            if asked.key is not None:
                raise
            return PendingUpload(key, ANONYMOUS, asked.filename, asked.param)


class RegisterImageParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    url: Annotated[
        str,
        Field(min_length=1, max_length=2048, json_schema_extra={"pattern": r"^https?://[\w\[]"}),
        AfterValidator(_web_address),
    ]
    filename: Filename
    param: Param = ""
    user_id: Id


class RegisterImageHandler(ApiHandler):
    """Register a picture without a callback, for the person who uploaded it."""

    parameters = RegisterImageParams
    contract, acts = True, True
    bucket: Bucket
    uploads: PendingUploads
    images: Images
    users: Users
    executors: Executors
    thumbnails: Thumbnails

    async def reply(self, asked: RegisterImageParams) -> JsonDict:
        owner = await self._acting(asked.user_id)
        key = self.bucket.key_of(asked.url)
        known: JsonDict = {"key": key, "url": asked.url, "filename": asked.filename, "param": asked.param}
        known |= {"filesize": 0} if key is None else await self._in_bucket(key, owner)
        image = await self.images.add(new_image(ImageKind.SOURCE, owner, **known))
        if key is not None:
            await self.uploads.complete(key)
            self.thumbnails.schedule(image)
        return {"id": image.id}

    async def _in_bucket(self, key: str, owner: Owner) -> JsonDict:
        """What the bucket knows of it. Raises PermissionDenied, NotFound."""
        known = await self.images.by_key(key)
        owner_id = known.owner.id if known else (await self.uploads.get(key)).owner.id
        if owner_id != owner.id:
            raise errors.PermissionDenied()
        stat = await self.executors.io(self.bucket.stat, key)
        return {"filesize": stat.size_bytes, "etag": stat.etag, "mime": stat.mime}

    async def _acting(self, user_id: int) -> Owner:
        """Raises NotAuthenticated, PermissionDenied; NotFound where the server is open."""
        if self.authentication.open_access:
            user = await self.users.by_id(user_id)
            return Owner(user.id, user.username)
        person = await self.require_user()
        if person.id != user_id:
            raise errors.PermissionDenied()
        return Owner(person.id, person.username)
