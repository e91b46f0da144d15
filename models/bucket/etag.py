"""Kodo's etag: SHA-1 over blocks of 4 MiB, and over these hashes if there are several.

Source: github.com/qiniu/qetag. With multipart uploads the blocks are the parts.
"""

from __future__ import annotations

import hashlib

from models.bucket.signature import encode

BLOCK_BYTES = 4 * 1024 * 1024


class Etag:
    """Call `update` for each chunk, then `text`."""

    def __init__(self) -> None:
        self._digests: list[bytes] = []
        self._block = hashlib.sha1(usedforsecurity=False)
        self._remaining = BLOCK_BYTES

    def update(self, data: bytes) -> None:
        view = memoryview(data)
        while len(view):
            chunk = view[: self._remaining]
            self._block.update(chunk)
            self._remaining -= len(chunk)
            view = view[len(chunk) :]
            if not self._remaining:
                self._close_block()

    def text(self) -> str:
        last = [self._block.digest()] if self._remaining < BLOCK_BYTES or not self._digests else []
        return of_blocks(self._digests + last)

    def _close_block(self) -> None:
        self._digests.append(self._block.digest())
        self._block = hashlib.sha1(usedforsecurity=False)
        self._remaining = BLOCK_BYTES


def of_blocks(digests: list[bytes]) -> str:
    """The etag of a content whose blocks have these SHA-1 digests, in order; at least one."""
    if len(digests) == 1:
        return encode(b"\x16" + digests[0])
    return encode(b"\x96" + hashlib.sha1(b"".join(digests), usedforsecurity=False).digest())
