"""Kodo's hash of a content: SHA-1 over blocks of 4 MiB, and over those if there are several.

Source: github.com/qiniu/qetag. With uploads in parts the blocks are the parts.
"""

from __future__ import annotations

import hashlib

from models.bucket.signature import encode

BLOCK_BYTES = 4 * 1024 * 1024


class Etag:
    """Fed piece by piece; `text()` at the end."""

    def __init__(self) -> None:
        self._done: list[bytes] = []
        self._block = hashlib.sha1(usedforsecurity=False)
        self._remaining = BLOCK_BYTES

    def update(self, data: bytes) -> None:
        view = memoryview(data)
        while len(view):
            piece = view[: self._remaining]
            self._block.update(piece)
            self._remaining -= len(piece)
            view = view[len(piece) :]
            if not self._remaining:
                self._close_block()

    def text(self) -> str:
        tail = [self._block.digest()] if self._remaining < BLOCK_BYTES or not self._done else []
        return of_blocks(self._done + tail)

    def _close_block(self) -> None:
        self._done.append(self._block.digest())
        self._block = hashlib.sha1(usedforsecurity=False)
        self._remaining = BLOCK_BYTES


def of_blocks(digests: list[bytes]) -> str:
    """The etag of a content whose blocks have these SHA-1 digests, in order; at least one."""
    if len(digests) == 1:
        return encode(b"\x16" + digests[0])
    return encode(b"\x96" + hashlib.sha1(b"".join(digests), usedforsecurity=False).digest())
