"""What a bucket is: pictures by key, uploaded by browsers with a token that we signed.

Two buckets keep this promise: `local.py` (embedded, pictures in a folder) and `qiniu.py` (Kodo).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class UploadTicket:
    """Leave to upload one file under one key. expires: Unix time in seconds."""

    token: str
    key: str
    upload_url: str
    url: str
    expires: int


@dataclass(frozen=True, slots=True)
class Stat:
    """What the bucket knows of one object. put_time_s: Unix time; etag: Kodo's hash of the content."""

    key: str
    size_bytes: int
    etag: str
    mime: str
    put_time_s: float


class Bucket(Protocol):
    """Pictures by key. Methods marked (blocks) do I/O: call them in an executor thread, never on the loop."""

    name: str

    def sign_upload(self, key: str, *, owner_id: int, size_limit_bytes: int) -> UploadTicket:
        """Sign leave to upload one picture as `key`, once, within minutes, and to call us back about it.

        The owner's id travels inside the signed policy (endUser), where the client cannot forge it.
        Pure arithmetic, but for Kodo without `qiniu_up_url`: there the first grant asks for the region (blocks).
        """

    def url(self, key: str) -> str:
        """The address from which the picture is read: bucket_domain + percent-encoded key."""

    def readable_url(self, key: str) -> str:
        """`url`, with a signature for an hour where the bucket is private. For showing, never for keeping."""

    def upload_origin(self) -> str:
        """Where browsers send pictures to, as a content security policy names it."""

    def key_of(self, url: str) -> str | None:
        """The key behind an address of this bucket, or None for an address of anybody else."""

    def check_callback(self, method: str, uri: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raise BadSignature unless the bucket signed this request (QBox or Qiniu style, constant time)."""

    def read(self, key: str, *, limit_bytes: int, timeout_s: float) -> bytes:
        """(blocks) The object's bytes. Raises NotFound, SourceTooLarge, BucketUnavailable."""

    def put(self, key: str, data: bytes, *, mime: str) -> Stat:
        """(blocks) Store bytes as `key`, over whatever was there. Raises StorageFull, BucketUnavailable."""

    def stat(self, key: str) -> Stat:
        """(blocks) Raises NotFound, BucketUnavailable."""

    def delete(self, key: str) -> None:
        """(blocks) Forget the object; one that is not there is a success. Raises BucketUnavailable."""

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """(blocks) Every object whose key starts with `prefix`, read in pages. Raises BucketUnavailable."""
