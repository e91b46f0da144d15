"""Kodo's resumable upload v1 to the embedded bucket: blocks (mkblk), their chunks (bput), and the file (mkfile).

The default of most official SDKs. Every request carries `Authorization: UpToken <token>`.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterator

import tornado.web

from handlers.bucket.base import BucketHandler
from handlers.bucket.callback import ReceivedFile, answer_upload, store_upload
from handlers.bucket.form_upload import StreamingUploadHandler
from handlers.bucket.resumable_upload import header_token
from handlers.bucket.upload_starts import StartingHandler
from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.blocks import Block, block_of
from models.bucket.embedded.multipart import PART_LIMIT
from models.bucket.embedded.multipart_upload import MultipartUpload
from models.bucket.embedded.staged import StagedPart
from models.bucket.etag import BLOCK_BYTES
from models.bucket.policy import UploadPolicy, read_token
from models.bucket.signature import decode


class ChunkHandler(StreamingUploadHandler):
    """A request whose body is a chunk of a block."""

    upload: MultipartUpload
    block_bytes: int
    before: Block | None = None
    crc32 = 0

    async def authorize(self) -> None:
        self.policy = authorized_policy(self)
        await self.find_upload()
        self.count_for(self.policy.endUser)
        self.begin_part(self.upload)

    async def find_upload(self) -> None:
        """Set `upload`, `block_bytes` and `before`. Raises KodoError."""
        raise NotImplementedError

    async def on_chunk(self, chunk: bytes) -> None:
        self.crc32 = zlib.crc32(chunk, self.crc32)
        await self.buffer(chunk)

    def open_file(self) -> StagedPart:
        staged = self.bucket.objects.stage_part()
        if self.before is not None:
            try:
                self.bucket.blocks.copy(self.upload, self.before, staged)
            except kodo_errors.KodoError:
                staged.discard()
                raise
        return staged

    def size_limit(self) -> int:
        """Of the block."""
        return self.block_bytes

    async def post(self, **_: str) -> None:
        staged = await self.finish_upload()
        assert isinstance(staged, StagedPart)
        limit_bytes = min(self.policy.fsizeLimit or self.bucket.size_limit_bytes, self.bucket.size_limit_bytes)
        try:
            if self.block_bytes and staged.size_bytes == (self.before.part.size_bytes if self.before else 0):
                raise kodo_errors.MalformedUpload("the chunk is empty")
            block = await asyncio.to_thread(
                self.bucket.blocks.add,
                self.upload,
                staged,
                self.block_bytes,
                policy=self.policy,
                limit_bytes=limit_bytes,
                before=self.before,
            )
        finally:
            await asyncio.to_thread(staged.discard)
        self.finish(
            {
                "ctx": block.ctx,
                "checksum": block.part.etag,
                "crc32": self.crc32,
                "offset": block.part.size_bytes,
                "host": self.bucket.for_host(self.request.host).upload_url,
                "expired_at": self.upload.expires,
            }
        )


@tornado.web.stream_request_body
class StartBlockHandler(StartingHandler, ChunkHandler):
    """POST /mkblk/<size of the block>: its first chunk, or all of it.

    The SDK for Java ends a stream of whole blocks with an empty one.
    """

    async def find_upload(self) -> None:
        self.block_bytes = int(self.path_kwargs["size"])
        if self.block_bytes > BLOCK_BYTES:
            raise kodo_errors.MalformedUpload(f"a block has at most {BLOCK_BYTES} bytes")
        token = header_token(self.request)
        async with self.upload_starts.slot(self.client_ip):
            self.upload = await asyncio.to_thread(self.bucket.blocks.start, token, self.policy, self.client_ip)


@tornado.web.stream_request_body
class NextChunkHandler(ChunkHandler):
    """POST /bput/<ctx>/<offset>: the next chunk of a block."""

    async def find_upload(self) -> None:
        self.before = block_of(self.path_kwargs["ctx"])
        self.block_bytes = self.before.size_bytes
        self.upload = await asyncio.to_thread(self.bucket.blocks.find, self.before, self.policy)
        if int(self.path_kwargs["offset"]) != self.before.part.size_bytes:
            raise kodo_errors.MalformedUpload(f"the next chunk starts at {self.before.part.size_bytes}")


class MakeFileHandler(BucketHandler):
    """POST /mkfile/<size>/<name>/<value>...: the file of the blocks whose ctx the body names, separated by commas.

    The names are key, fname, mimeType (ignored: the content decides), `x:` variables and `x-qn-meta-*`; values are in
    base64.
    """

    async def post(self, path: str) -> None:
        policy = authorized_policy(self)
        size, _, pairs = path.partition("/")
        if not re.fullmatch("[0-9]{1,12}", size):
            raise kodo_errors.MalformedUpload("the size of the file is not a number")
        fields = dict(_fields(pairs))
        if "key" in fields and not policy.forceSaveKey:
            policy.check_key(fields["key"])
        blocks = [(await asyncio.to_thread(self.bucket.blocks.find, one, policy), one) for one in self._blocks()]
        if sum(block.size_bytes for _, block in blocks) != int(size):
            raise kodo_errors.MalformedUpload("the blocks are not as long as the file")
        if int(size) > self.bucket.size_limit_bytes or (policy.fsizeLimit and int(size) > policy.fsizeLimit):
            raise kodo_errors.FileTooLarge("exceed FsizeLimit")
        with self.bucket.received.of_request(policy.endUser, self.client_ip) as written:
            written.add(int(size))
            staged = await asyncio.to_thread(self.bucket.objects.stage)
            try:
                await asyncio.to_thread(self.bucket.blocks.assemble, blocks, staged)
                received = ReceivedFile(staged, fields.get("key"), fields.get("fname", ""), fields)
                stored = await store_upload(self, policy, received)
            finally:
                await asyncio.to_thread(staged.discard)
        await asyncio.to_thread(self.bucket.blocks.drop, blocks)
        await answer_upload(self, policy, stored)

    def _blocks(self) -> list[Block]:
        contexts = self.request.body.decode("ascii", "replace").split(",")
        if len(contexts) > PART_LIMIT:
            raise kodo_errors.MalformedUpload(f"a file has at most {PART_LIMIT} blocks")
        return [block_of(ctx.strip()) for ctx in contexts]


def authorized_policy(handler: BucketHandler) -> UploadPolicy:
    """The policy of the token in the request's header. Raises BadToken, NoSuchBucket."""
    policy = read_token(handler.bucket.keys, header_token(handler.request), now=handler.bucket.clock())
    handler.check_bucket_name(policy.bucket)
    return policy


def _fields(pairs: str) -> Iterator[tuple[str, str]]:
    """The names and values of a path such as `key/dS8xLnBuZw==/fname/YS5wbmc=`. Raises MalformedUpload."""
    words = pairs.strip("/").split("/") if pairs.strip("/") else []
    if len(words) % 2:
        raise kodo_errors.MalformedUpload("the path does not have a value for each name")
    for name, value in zip(words[::2], words[1::2], strict=True):
        try:
            yield name, decode(value).decode()
        except ValueError as error:
            raise kodo_errors.MalformedUpload(f"{name!a} is not base64 of UTF-8") from error
