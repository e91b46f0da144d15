"""The embedded bucket's resumable upload (Kodo's v2): start, send parts in any order, list, complete, abort.

Every request carries `Authorization: UpToken <token>`; the scope of the token limits the key.
"""

from __future__ import annotations

import asyncio

import tornado.web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tornado.httputil import HTTPServerRequest

from handlers.bucket.base import BucketHandler
from handlers.bucket.callback import ReceivedFile, answer_upload, store_upload
from handlers.bucket.form_upload import StreamingUploadHandler
from handlers.bucket.upload_starts import StartingHandler
from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.embedded.multipart import PART_LIMIT, etag_of_parts
from models.bucket.embedded.multipart_upload import MultipartUpload
from models.bucket.embedded.staged import StagedPart
from models.bucket.policy import UploadPolicy, read_token
from models.bucket.signature import decode

ANY_KEY = "~"


class PartRef(BaseModel):
    """A part, as the client names it to complete an upload."""

    model_config = ConfigDict(frozen=True)

    partNumber: int = Field(ge=1, le=PART_LIMIT)
    etag: str = Field(min_length=1, max_length=64)


class CompleteUpload(BaseModel):
    """The body that completes an upload. Kodo's mimeType is ignored: the content decides."""

    model_config = ConfigDict(frozen=True)

    parts: list[PartRef] = Field(min_length=1, max_length=PART_LIMIT)
    fname: str | None = Field(None, max_length=4096)
    customVars: dict[str, str] | None = None
    metadata: dict[str, str] | None = None


class StartUploadHandler(StartingHandler):
    """POST: start an upload."""

    async def post(self, bucket_name: str, encoded_key: str) -> None:
        policy, key = authorize_upload(self.request, self.bucket, bucket_name, encoded_key)
        async with self.upload_starts.slot(self.client_ip):
            upload = await asyncio.to_thread(self.bucket.multipart.start, key or "", policy.endUser, self.client_ip)
        self.finish({"uploadId": upload.id, "expireAt": upload.expires})


@tornado.web.stream_request_body
class UploadPartHandler(StreamingUploadHandler):
    """PUT: one part; it replaces an earlier part of the same number."""

    async def authorize(self) -> None:
        path = self.path_kwargs
        self.policy, key = authorize_upload(self.request, self.bucket, path["bucket_name"], path["encoded_key"])
        self.upload = await asyncio.to_thread(self.bucket.multipart.find, path["upload_id"], key or "")
        self.count_for(self.policy.endUser)
        self.begin_part(self.upload)

    async def on_chunk(self, chunk: bytes) -> None:
        await self.buffer(chunk)

    def open_file(self) -> StagedPart:
        return self.bucket.objects.stage_part()

    def size_limit(self) -> int:
        """Of all parts together."""
        return min(self.policy.fsizeLimit or self.bucket.size_limit_bytes, self.bucket.size_limit_bytes)

    async def put(self, number: str, **_: str) -> None:
        staged = await self.finish_upload()
        assert isinstance(staged, StagedPart)
        try:
            md5 = self.request.headers.get("Content-MD5", "").lower()
            if md5 and md5 != staged.md5():
                raise kodo_errors.BadChecksum("md5 is not correct")
            part = await asyncio.to_thread(
                self.bucket.multipart.add, self.upload, int(number), staged, limit_bytes=self.size_limit()
            )
            self.finish({"etag": part.etag, "md5": staged.md5()})
        finally:
            await asyncio.to_thread(staged.discard)


class ResumableUploadHandler(BucketHandler):
    """GET: list the parts. POST: assemble them. DELETE: discard them."""

    async def get(self, **path: str) -> None:
        _, upload = await self._find(**path)
        parts = await asyncio.to_thread(self.bucket.multipart.list_parts, upload)
        self.finish(
            {
                "uploadId": upload.id,
                "expireAt": upload.expires,
                "partNumberMarker": 0,
                "parts": [{"partNumber": part.number, "etag": part.etag, "size": part.size_bytes} for part in parts],
            }
        )

    async def delete(self, **path: str) -> None:
        _, upload = await self._find(**path)
        await asyncio.to_thread(self.bucket.multipart.abort, upload)
        self.clear_header("Content-Type")
        self.finish()

    async def post(self, **path: str) -> None:
        policy, upload = await self._find(**path)
        try:
            body = CompleteUpload.model_validate_json(self.request.body)
        except ValidationError as error:
            raise kodo_errors.MalformedUpload("parts are missing or wrong") from error
        parts = [(part.partNumber, part.etag) for part in body.parts]
        fields = {**(body.metadata or {}), **(body.customVars or {})}
        with self.bucket.received.of_request(policy.endUser, self.client_ip) as written:
            written.add(await asyncio.to_thread(self.bucket.multipart.size_of, upload))
            staged = await asyncio.to_thread(self.bucket.multipart.assemble, upload, parts)
            try:
                received = ReceivedFile(staged, upload.key or None, body.fname or "", fields, etag_of_parts(parts))
                stored = await store_upload(self, policy, received)
            finally:
                await asyncio.to_thread(staged.discard)
        await asyncio.to_thread(self.bucket.multipart.abort, upload)
        await answer_upload(self, policy, stored)

    async def _find(self, bucket_name: str, encoded_key: str, upload_id: str) -> tuple[UploadPolicy, MultipartUpload]:
        policy, key = authorize_upload(self.request, self.bucket, bucket_name, encoded_key)
        return policy, await asyncio.to_thread(self.bucket.multipart.find, upload_id, key or "")


def authorize_upload(
    request: HTTPServerRequest, bucket: EmbeddedBucket, bucket_name: str, encoded_key: str
) -> tuple[UploadPolicy, str | None]:
    """The policy of the token, and the key of the path (None for ANY_KEY) if the policy allows it. Raises KodoError."""
    policy = read_token(bucket.keys, header_token(request), now=bucket.clock())
    if bucket_name != bucket.name or policy.bucket != bucket.name:
        raise kodo_errors.NoSuchBucket("no such bucket")
    if encoded_key == ANY_KEY:
        return policy, None
    try:
        key = decode(encoded_key).decode()
    except ValueError as error:
        raise kodo_errors.MalformedUpload("the key is not base64 of UTF-8") from error
    policy.check_key(key)
    return policy, key


def header_token(request: HTTPServerRequest) -> str:
    """The upload token of the header, or ""."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "UpToken" else ""
