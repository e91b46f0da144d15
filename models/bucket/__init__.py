"""The bucket protocol: objects by key, uploaded by browsers with a token that we signed.

Two implementations: `embedded/bucket.py` (a folder) and `kodo.py` (Qiniu Kodo).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class UploadTicket:
    """Permission to upload one file under one key. expires: Unix time in seconds."""

    token: str
    key: str
    upload_url: str
    url: str
    expires: int


@dataclass(frozen=True, slots=True)
class Stat:
    """Metadata of one object. put_time_s: Unix time in seconds; etag: Kodo's hash of the content.

    custom: what the client chose to store with it (Kodo's `x-qn-meta-*`, here without the prefix).
    """

    key: str
    size_bytes: int
    etag: str
    mime: str
    put_time_s: float
    custom: Mapping[str, str] = field(default_factory=dict)


class Bucket(Protocol):
    """Objects by key. Methods marked (blocks) do I/O: call them in an executor thread, never on the loop."""

    name: str
    protects_files: bool
    """Whether the file of a private image needs a signed address."""

    def for_host(self, host: str) -> Bucket:
        """This bucket with addresses for a client that reaches us as `host`, the Host header of its request."""

    def sign_upload(self, key: str, *, owner_id: int, size_limit_bytes: int) -> UploadTicket:
        """Allow one upload of an image as `key` within minutes, followed by a callback to us.

        The owner's id is part of the signed policy (endUser), where the client cannot forge it.
        Does no I/O, except with Kodo without `qiniu_up_url`: the first call then looks up the region (blocks).
        """

    def url(self, key: str) -> str:
        """The object's public URL: bucket_domain + percent-encoded key."""

    def readable_url(self, key: str, *, private: bool = True) -> str:
        """An address that a browser can read for an hour at least. For display, not for storage.

        private: the object belongs to a private image. Signed where it is, or where the whole bucket is private.
        """

    def upload_origin(self) -> str:
        """The origin that browsers upload to, for a content security policy."""

    def key_of(self, url: str) -> str | None:
        """The key of a URL in this bucket, or None for any other URL."""

    def check_callback(self, method: str, uri: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raise BadSignature unless the bucket signed this request (QBox or Qiniu style, constant time)."""

    def read(self, key: str, *, limit_bytes: int, timeout_s: float) -> bytes:
        """(blocks) The object's bytes. Raises NotFound, SourceTooLarge, BucketUnavailable."""

    def put(self, key: str, data: bytes, *, mime: str) -> Stat:
        """(blocks) Store bytes as `key`, replacing an existing object. Raises StorageFull, BucketUnavailable."""

    def stat(self, key: str) -> Stat:
        """(blocks) Raises NotFound, BucketUnavailable."""

    def copy(self, source_key: str, key: str) -> Stat:
        """(blocks) Store an object as `key` too, unless there is one of this key. Returns what is there then.

        Raises NotFound, StorageFull, BucketUnavailable.
        """

    def delete(self, key: str) -> None:
        """(blocks) Delete the object if it exists. Raises BucketUnavailable."""

    def sweep(self) -> None:
        """(blocks) Delete what clients have begun to upload and given up. Kodo does so itself."""

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """(blocks) Every object whose key starts with `prefix`, read in pages. Raises BucketUnavailable."""
