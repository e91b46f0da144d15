"""The embedded bucket's resumable upload (Kodo's v2): start, send parts in any order, list, complete, abort.

Every request carries `Authorization: UpToken <token>`, and the token's scope decides about the key.
"""

from __future__ import annotations

import asyncio

import tornado.web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tornado.httputil import HTTPServerRequest

from handlers.bucket.base import BucketHandler
from handlers.bucket.callback import ReceivedFile, answer_upload
from handlers.bucket.form_upload import StreamingUploadHandler
from models.bucket.embedded import errors as refusals
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.embedded.multipart import PART_LIMIT, MultipartUpload, etag_of_parts
from models.bucket.embedded.staged import StagedPart
from models.bucket.policy import UploadPolicy, read_token
from models.bucket.signature import decode

ANY_KEY = "~"


class PartRef(BaseModel):
    """One part, as the client names it when it completes an upload."""

    model_config = ConfigDict(frozen=True)

    partNumber: int = Field(ge=1, le=PART_LIMIT)
    etag: str = Field(min_length=1, max_length=64)


class CompleteUpload(BaseModel):
    """What completes an upload. mimeType and metadata are not believed and not kept."""

    model_config = ConfigDict(frozen=True)

    parts: list[PartRef] = Field(min_length=1, max_length=PART_LIMIT)
    fname: str | None = Field(None, max_length=4096)
    customVars: dict[str, str] | None = None


class StartUploadHandler(BucketHandler):
    """POST: a new upload."""

    async def post(self, bucket_name: str, encoded_key: str) -> None:
        policy, key = authorize_upload(self.request, self.bucket, bucket_name, encoded_key)
        upload = await asyncio.to_thread(self.bucket.multipart.start, key or "", policy.endUser)
        self.finish({"uploadId": upload.id, "expireAt": upload.expires})


@tornado.web.stream_request_body
class UploadPartHandler(StreamingUploadHandler):
    """PUT: one part; sent again, it replaces the one before."""

    async def authorize(self) -> None:
        bucket_name, encoded_key, upload_id, self.number = self.path_args
        self.policy, key = authorize_upload(self.request, self.bucket, bucket_name, encoded_key)
        self.upload = await asyncio.to_thread(self.bucket.multipart.find, upload_id, key or "")

    async def on_chunk(self, chunk: bytes) -> None:
        await self.buffer(chunk)

    def open_file(self) -> StagedPart:
        return self.bucket.objects.stage_part()

    def size_limit(self) -> int:
        return size_limit(self.bucket, self.policy)

    async def put(self, *_: str) -> None:
        incoming = await self.finish_upload()
        assert isinstance(incoming, StagedPart)
        try:
            given = self.request.headers.get("Content-MD5", "").lower()
            if given and given != incoming.md5():
                raise refusals.BadChecksum("md5 is not correct")
            part = await asyncio.to_thread(
                self.bucket.multipart.add, self.upload, int(self.number), incoming, limit_bytes=self.size_limit()
            )
            self.finish({"etag": part.etag, "md5": incoming.md5()})
        finally:
            await asyncio.to_thread(incoming.discard)


class ResumableUploadHandler(BucketHandler):
    """GET: which parts are here. POST: put them together. DELETE: forget them."""

    async def get(self, *path: str) -> None:
        _, upload = await self._find(*path)
        parts = await asyncio.to_thread(self.bucket.multipart.list_parts, upload)
        self.finish(
            {
                "uploadId": upload.id,
                "expireAt": upload.expires,
                "partNumberMarker": 0,
                "parts": [{"partNumber": p.number, "etag": p.etag, "size": p.size_bytes} for p in parts],
            }
        )

    async def delete(self, *path: str) -> None:
        _, upload = await self._find(*path)
        await asyncio.to_thread(self.bucket.multipart.abort, upload)
        self.clear_header("Content-Type")
        self.finish()

    async def post(self, *path: str) -> None:
        policy, upload = await self._find(*path)
        completion = self._completion()
        wanted = [(part.partNumber, part.etag) for part in completion.parts]
        custom = {name: value for name, value in (completion.customVars or {}).items() if name.startswith("x:")}
        incoming = await asyncio.to_thread(self.bucket.multipart.assemble, upload, wanted)
        try:
            received = ReceivedFile(incoming, upload.key or None, completion.fname or "", custom, etag_of_parts(wanted))
            await answer_upload(self, policy, received)
        finally:
            await asyncio.to_thread(incoming.discard)
        await asyncio.to_thread(self.bucket.multipart.abort, upload)

    def _completion(self) -> CompleteUpload:
        try:
            return CompleteUpload.model_validate_json(self.request.body)
        except ValidationError as error:
            raise refusals.MalformedUpload("parts are missing or wrong") from error

    async def _find(self, bucket_name: str, encoded_key: str, upload_id: str) -> tuple[UploadPolicy, MultipartUpload]:
        policy, key = authorize_upload(self.request, self.bucket, bucket_name, encoded_key)
        return policy, await asyncio.to_thread(self.bucket.multipart.find, upload_id, key or "")


def authorize_upload(
    request: HTTPServerRequest, bucket: EmbeddedBucket, bucket_name: str, encoded_key: str
) -> tuple[UploadPolicy, str | None]:
    """The token's policy and the path's key (None for `~`), if the one allows the other. Raises Refusal."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    policy = read_token(bucket.keys, token if scheme == "UpToken" else "")
    if bucket_name != bucket.name or policy.bucket != bucket.name:
        raise refusals.NoSuchBucket("no such bucket")
    if encoded_key == ANY_KEY:
        return policy, None
    try:
        key = decode(encoded_key).decode()
    except ValueError as error:
        raise refusals.MalformedUpload("the key is not base64 of UTF-8") from error
    policy.check_key(key)
    return policy, key


def size_limit(bucket: EmbeddedBucket, policy: UploadPolicy) -> int:
    """What all parts together may have, in bytes."""
    return min(policy.fsizeLimit or bucket.size_limit_bytes, bucket.size_limit_bytes)
