"""Uploads: a token for the bucket, and the bucket's callback."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from handlers.base import ApiHandler
from handlers.endpoint import endpoint
from handlers.guest_sessions import GuestSessions
from handlers.params import Filename, Param, RequestParams
from handlers.schemas.images import UploadResponse, UploadTokenResponse
from handlers.upload_base import UploadedImageHandler
from models import errors
from models.bucket import Bucket
from models.bucket.callback import KEY_LIMIT_BYTES, CallbackBody, parse_callback
from models.errors import Phrase
from models.images.image import ANONYMOUS, Image, ImageKind, NewImage, Owner
from models.images.registration import Registrations
from models.images.uploads import KEY_PREFIX, PendingUpload, PendingUploads
from models.images.visibility import SERVER, UNSTATED, Visibility
from processing.executors import Executors
from processing.metrics import Metrics

log = logging.getLogger(__name__)

CALLBACK_TIMEOUT_S = 4.0
"""Kodo waits 5 s for the answer, the way there and back included."""


class UploadTokenParams(RequestParams):
    """key: of an earlier token, to get another one for it. visibility: of the image; `link` if it is not stated."""

    filename: Filename = ""
    filesize: Annotated[int, Field(ge=0)] | None = None
    param: Param = ""
    key: Annotated[str, Field(max_length=KEY_LIMIT_BYTES)] = ""
    visibility: Visibility | None = None


class UploadTokenHandler(ApiHandler):
    """A token allows one upload under one key that we choose, and expires after minutes.

    A large file on a slow connection may outlast its token: until the image has arrived, the same user can get another
    token for the key.
    """

    def initialize(
        self,
        bucket: Bucket,
        uploads: PendingUploads,
        executors: Executors,
        guest_sessions: GuestSessions,
        registrations: Registrations,
        upload_limit_bytes: int,
    ) -> None:
        self.bucket = bucket.for_host(self.request.host)
        self.uploads, self.executors, self.guests = uploads, executors, guest_sessions
        self.registrations, self.upload_limit_bytes = registrations, upload_limit_bytes

    @endpoint(
        errors=(
            errors.GuestLimit,
            errors.QuotaExceeded,
            errors.TooManyRequests,
            errors.NotAuthenticated,
            errors.PermissionDenied,
            errors.NotFound,
            errors.BucketUnavailable,
        )
    )
    async def post(self, params: UploadTokenParams) -> UploadTokenResponse:
        """A token to upload one image to the bucket."""
        owner = await self.owner()
        visibility = self.choose_visibility(params.visibility, owner) or UNSTATED
        if params.filesize is not None and params.filesize > self.upload_limit_bytes:
            raise errors.TooLarge(limit_bytes=self.upload_limit_bytes)
        upload = await (self._pending(params.key, owner) if params.key else self._new(params, owner, visibility))
        ticket = await self.executors.io(
            self.bucket.sign_upload,
            upload.key,
            owner_id=owner.id or 0,
            size_limit_bytes=upload.reserved_bytes or self.upload_limit_bytes,
        )
        return UploadTokenResponse(
            token=ticket.token, key=ticket.key, upload_url=ticket.upload_url, url=ticket.url, expires=ticket.expires
        )

    get = post

    async def _new(self, params: UploadTokenParams, owner: Owner, visibility: Visibility) -> PendingUpload:
        """Raises GuestLimit, QuotaExceeded, TooManyRequests.

        The token allows as many bytes as the client has announced, and the largest upload if it has not.
        """
        await self.guests.check(owner)
        key = f"{KEY_PREFIX}{secrets.token_hex(16)}"
        reserved_bytes = params.filesize or self.upload_limit_bytes
        upload = PendingUpload(key, owner, params.filename, params.param, visibility, reserved_bytes=reserved_bytes)
        await self.registrations.reserve(upload)
        return upload

    async def _pending(self, key: str, owner: Owner) -> PendingUpload:
        """Raises NotFound for an unknown key and for one whose image has arrived; PermissionDenied, QuotaExceeded."""
        upload = await self.uploads.get(key)
        upload.owner.require(owner.id)
        await self.registrations.reserve_again(upload)
        return upload


class UploadCallbackHandler(UploadedImageHandler):
    """The bucket reports a finished upload and relays our answer to the browser.

    The signature is verified before the body is parsed. The owner is the user who asked for the token, whatever the
    body says. An object that nobody may upload any more is deleted at once: the token of a deleted image, or of a
    deleted account, is valid for some minutes more.
    """

    def initialize(self, metrics: Metrics) -> None:
        self.metrics = metrics

    @endpoint(
        errors=(
            errors.BadSignature,
            errors.BadParameter,
            errors.NotFound,
            errors.BucketUnavailable,
            errors.StorageFull,
        ),
        csrf_exempt="the bucket's signature authorises the request; sessions do not count",
    )
    async def post(self) -> UploadResponse:
        """The bucket's callback for a finished upload."""
        request = self.request
        self.bucket.check_callback("POST", request.uri or "", request.headers, request.body)
        body = parse_callback(request.body, request.headers.get("Content-Type", ""))
        try:
            async with asyncio.timeout(CALLBACK_TIMEOUT_S):
                return await self._complete(body)
        except TimeoutError as error:  # the bucket has stopped waiting: it must not be told of a success
            raise errors.DatabaseUnavailable() from error

    async def _complete(self, body: CallbackBody) -> UploadResponse:
        """A body without a key comes from an older client of the contract: the file name is the object's key.

        Raises BadParameter, BucketUnavailable, StorageFull; NotFound if there is no such object: the URL would lead
        nowhere.
        """
        if body.key is not None:
            return await self._respond(body.key, body)
        if not body.filename:
            raise errors.BadParameter(
                field="key",
                value=Phrase("nothing", "空值"),
                allowed=Phrase("the key of the uploaded file", "所上传文件的 key"),
            )
        stat = await self.named_objects.register(body.filename)
        body = replace(body, filesize=stat.size_bytes, etag=stat.etag, mime=stat.mime)
        upload = PendingUpload(stat.key, ANONYMOUS, body.filename, body.param, UNSTATED)
        return await self._respond(stat.key, body, upload)

    async def _respond(self, key: str, body: CallbackBody, upload: PendingUpload | None = None) -> UploadResponse:
        """Register an image unless it is registered. upload: None for the one that a token was given for."""
        registered = await self.images.by_key(key, SERVER)
        try:
            image = registered or await self._register(key, body, upload)
        except errors.NotFound:
            await self._delete_object(key)
            raise
        self.metrics.callbacks.labels("repeated" if registered else "registered").inc()
        await self.uploads.complete(key)
        if not image.placeholder:
            self.thumbnails.schedule(image)
        return UploadResponse(id=image.id, filename=image.filename, url=self.bucket.url(key), param=image.param)

    def send_api_error(self, error: errors.TesseraError) -> None:
        self.metrics.callbacks.labels(error.slug).inc()
        super().send_api_error(error)

    async def _register(self, key: str, body: CallbackBody, upload: PendingUpload | None) -> Image:
        try:
            upload = upload or await self.uploads.get(key)
        except errors.NotFound:
            if image := await self.images.by_key(key, SERVER):
                return image  # pragma: no cover - a second copy of the same callback has registered it meanwhile
            raise
        image = await self.registrations.register(
            NewImage(
                ImageKind.SOURCE,
                upload.owner,
                key=key,
                url=self.bucket.url(key),
                filename=body.filename or upload.filename,
                filesize=body.filesize or 0,
                param=body.param or upload.param,
                mime=body.mime or "",
                width=body.width or 0,
                height=body.height or 0,
                etag=body.etag or "",
                visibility=upload.visibility,
            )
        )
        log.info("image %s: uploaded as %s [%s]", image.id, key, self.request_id)
        return image

    async def _delete_object(self, key: str) -> None:
        """Delete an object that no image will use. Keys without our prefix may be those of other clients."""
        if key.startswith(KEY_PREFIX):
            log.info("bucket: %s may not be uploaded any more; deleting it [%s]", key, self.request_id)
            try:
                await self.executors.io(self.bucket.delete, key)
            except errors.BucketUnavailable:
                log.info("bucket: %s is deleted by the next reconciliation [%s]", key, self.request_id)
