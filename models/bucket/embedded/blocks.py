"""Kodo's resumable upload v1: a file in blocks of 4 MiB, a block in chunks that are sent one after another.

A block is a part of a multipart upload, so that v1 has the limits and the life of v2. Nothing starts an upload in v1:
what is sent with one token is one upload, whose id is a hash of the token. A `ctx` names a block with the chunks that
have arrived; the next chunk makes it another part, which has another ctx and replaces it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.multipart import UPLOADS_PER_USER, MultipartUploads
from models.bucket.embedded.multipart_upload import MultipartUpload, Part
from models.bucket.embedded.staged import StagedFile, StagedPart
from models.bucket.etag import BLOCK_BYTES
from models.bucket.policy import UploadPolicy
from models.bucket.signature import decode, encode

CTX = re.compile(rb"([0-9a-f]{32}):(\d{1,15}):([0-9a-f]{40}):(\d{1,7}):(\d{1,7})")
NO_SUCH_BLOCK = "no such block: ctx is wrong, or has expired"


@dataclass(frozen=True, slots=True)
class Block:
    """A block as far as it has arrived. size_bytes: of the complete block, as its first chunk announced."""

    upload_id: str
    part: Part
    size_bytes: int

    @property
    def ctx(self) -> str:
        part = self.part
        return encode(f"{self.upload_id}:{part.number}:{part.sha1.hex()}:{part.size_bytes}:{self.size_bytes}".encode())

    @property
    def is_complete(self) -> bool:
        return self.part.size_bytes == self.size_bytes


def block_of(ctx: str) -> Block:
    """Raises NoSuchBlock."""
    try:
        match = CTX.fullmatch(decode(ctx))
    except ValueError:
        match = None
    if match is None:
        raise kodo_errors.NoSuchBlock(NO_SUCH_BLOCK)
    upload_id, number, sha1, received, size = (group.decode() for group in match.groups())
    return Block(upload_id, Part(int(number), bytes.fromhex(sha1), int(received)), int(size))


class BlockUploads:
    """(blocks) Everything here does file I/O: call it in an executor thread."""

    def __init__(self, multipart: MultipartUploads) -> None:
        self._multipart = multipart

    def start(self, token: str, policy: UploadPolicy, address: str) -> MultipartUpload:
        """The upload of a token. Raises TooManyUploads, StorageFull."""
        upload_id = hashlib.sha256(token.encode()).hexdigest()[:32]
        return self._multipart.find_or_start(upload_id, policy.scoped_key or "", policy.endUser, address)

    def find(self, block: Block, policy: UploadPolicy) -> MultipartUpload:
        """The upload of a block, for a token of the same scope and user. Raises NoSuchBlock."""
        try:
            upload = self._multipart.find(block.upload_id, policy.scoped_key or "")
        except kodo_errors.NoSuchKey as error:
            raise kodo_errors.NoSuchBlock(NO_SUCH_BLOCK) from error
        if upload.owner != policy.endUser:
            raise kodo_errors.NoSuchBlock(NO_SUCH_BLOCK)
        return upload

    def add(
        self,
        upload: MultipartUpload,
        content: StagedPart,
        size_bytes: int,
        *,
        policy: UploadPolicy,
        limit_bytes: int,
        before: Block | None = None,
    ) -> Block:
        """Store the content of a block, which then replaces the block `before`. Raises FileTooLarge, NoSuchBlock.

        limit_bytes: of a file. A block that is sent again after a lost response is the same part if it is complete.
        """
        number = before.part.number if before else _number(content, size_bytes)
        # One more block, for a first chunk that is sent again. A token for any key may be used for several files.
        allowed = limit_bytes * (1 if policy.scoped_key else UPLOADS_PER_USER) + BLOCK_BYTES
        try:
            part = self._multipart.store(upload, number, content, limit_bytes=allowed)
        except kodo_errors.NoSuchKey as error:  # pragma: no cover - swept while the chunk arrived
            raise kodo_errors.NoSuchBlock(NO_SUCH_BLOCK) from error
        return Block(upload.id, part, size_bytes)

    def copy(self, upload: MultipartUpload, block: Block, target: StagedFile) -> None:
        """Write the chunks that have arrived to the end of a file. Raises NoSuchBlock, StorageFull."""
        try:
            self._multipart.append(upload, block.part, target)
        except kodo_errors.NoSuchKey as error:
            raise kodo_errors.NoSuchBlock(NO_SUCH_BLOCK) from error

    def assemble(self, blocks: Sequence[tuple[MultipartUpload, Block]], target: StagedFile) -> None:
        """Write complete blocks to a file, one after another. Raises NoSuchBlock, MalformedUpload, StorageFull."""
        for number, (upload, block) in enumerate(blocks, 1):
            if not block.is_complete or (block.size_bytes < BLOCK_BYTES and number < len(blocks)):
                raise kodo_errors.MalformedUpload(f"block {number} is not complete")
            self.copy(upload, block, target)

    def drop(self, blocks: Sequence[tuple[MultipartUpload, Block]]) -> None:
        """Delete blocks that have become a file."""
        for upload, block in blocks:
            self._multipart.drop(upload, [block.part])


def _number(content: StagedPart, size_bytes: int) -> int:
    """Of the part: by its content, or for the first of several chunks at random, since blocks may begin alike."""
    return int.from_bytes(content.sha1()[:6]) if content.size_bytes == size_bytes else secrets.randbits(48)
