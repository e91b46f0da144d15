"""The embedded bucket: objects in a folder, with Kodo's protocol and without an account.

This half has keys, tokens, signatures and files; `handlers/bucket/` serves them over HTTP:

    keys = load_or_create_keys(data_dir / "bucket-keys.json")
    bucket = EmbeddedBucket(data_dir / "bucket", keys, public_url="http://127.0.0.1:8888",
                         callback_url="http://127.0.0.1:8888/api/image/upload", size_limit_bytes=...)
    Application([... , *handlers.bucket.download.routes(bucket)])
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from pathlib import Path

from models.bucket import Stat, UploadTicket
from models.bucket.addresses import HOST, key_from_url, origin, quote_key
from models.bucket.embedded.blocks import BlockUploads
from models.bucket.embedded.errors import KeyExists
from models.bucket.embedded.multipart import MultipartUploads
from models.bucket.embedded.objects import Objects
from models.bucket.embedded.received import ReceivedBytes
from models.bucket.embedded.unauthenticated import UnauthenticatedBytes
from models.bucket.keys import Keys
from models.bucket.policy import image_policy, upload_token
from models.bucket.read_signature import read_deadline, sign_read, verified_deadline
from models.bucket.signature import check_callback
from models.errors import BadParameter, Phrase, SourceTooLarge, in_megabytes

NAME = "tessera"
CALLBACK_TIMEOUT_S = 5.0
STALL_S = 20.0


class EmbeddedBucket:
    """Implements `Bucket` with a folder.

    public_url: where browsers find the server, without a final slash; downloads are `<public_url>/bucket/<key>`,
    uploads go to `<public_url>/up`, management calls to `<public_url>/rs` and `/rsf`.
    follow_host: whether clients find the server under other addresses too, so that `for_host` gives them theirs.
    callback_url: called after each upload; the bucket must reach it, browsers need not.
    size_limit_bytes: the maximum size of any object, whatever a token allows.
    callback_timeout_s: for a callback, over all of its URLs together.
    stall_s: a client that sends or receives almost nothing for this long is disconnected.
    clock: Unix time.
    """

    name = NAME
    protects_files = True

    def __init__(
        self,
        folder: Path,
        keys: Keys,
        *,
        public_url: str,
        callback_url: str,
        size_limit_bytes: int,
        follow_host: bool = False,
        callback_timeout_s: float = CALLBACK_TIMEOUT_S,
        stall_s: float = STALL_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.keys = keys
        self.size_limit_bytes = size_limit_bytes
        self.callback_timeout_s = callback_timeout_s
        self.stall_s = stall_s
        self.clock = clock
        self.objects = Objects(folder)
        self.multipart = MultipartUploads(folder / "uploads", self.objects, clock=clock)
        self.blocks = BlockUploads(self.multipart)
        self.unauthenticated = UnauthenticatedBytes(largest_bytes=size_limit_bytes)
        self.received = ReceivedBytes(largest_bytes=size_limit_bytes)
        self._base = public_url.rstrip("/")
        self._host: str | None = None
        self._follow_host = follow_host
        self._callback_url = callback_url

    def for_host(self, host: str) -> EmbeddedBucket:
        if not self._follow_host or not HOST.fullmatch(host):
            return self
        bucket = copy(self)
        bucket._host = host
        return bucket

    def sign_upload(self, key: str, *, owner_id: int, size_limit_bytes: int) -> UploadTicket:
        fields = image_policy(
            NAME,
            key,
            owner_id=owner_id,
            size_limit_bytes=size_limit_bytes,
            callback_url=self._callback_url,
            now=self.clock(),
        )
        if self._host is not None:
            fields["callbackHost"] = self._host  # the response to the upload names the address of the client too
        token = upload_token(self.keys, fields)
        return UploadTicket(token, key, self.upload_url, self.url(key), fields["deadline"])

    @property
    def upload_url(self) -> str:
        return f"{self._client_base}/up"

    def url(self, key: str) -> str:
        return f"{self._client_base}/bucket/{quote_key(key)}"

    def readable_url(self, key: str, *, private: bool = True) -> str:
        if not private:
            return self.url(key)
        signed = sign_read(self.keys, self._signed_address(key), read_deadline(self.clock()))
        return self.url(key) + signed.removeprefix(self._signed_address(key))

    def signed_until(self, key: str, query: str) -> int | None:
        """Unix time until which this query of a download is valid; None unless we signed it."""
        return verified_deadline(self.keys, self._signed_address(key), query)

    def upload_origin(self) -> str:
        return origin(self._base)

    def key_of(self, url: str) -> str | None:
        key = key_from_url(url, f"{self._client_base}/bucket/")
        return key if key is not None else key_from_url(url, f"{self._base}/bucket/")

    def _signed_address(self, key: str) -> str:
        """What the signature of a download covers: the same for every host."""
        return f"{self._base}/bucket/{quote_key(key)}"

    @property
    def _client_base(self) -> str:
        return self._base if self._host is None else f"http://{self._host}"

    def check_callback(self, method: str, uri: str, headers: Mapping[str, str], body: bytes) -> None:
        check_callback(self.keys, self._callback_url, method=method, uri=uri, headers=headers, body=body)

    def read(self, key: str, *, limit_bytes: int, timeout_s: float) -> bytes:
        del timeout_s  # a disk responds or fails
        with self.objects.open(key) as opened:
            if opened.stat.size_bytes > limit_bytes:
                raise SourceTooLarge(limit_mb=in_megabytes(limit_bytes))
            return opened.read(0, opened.stat.size_bytes)

    def put(self, key: str, data: bytes, *, mime: str) -> Stat:
        if not data:
            raise BadParameter(
                field="data", value=Phrase("nothing", "空值"), allowed=Phrase("at least one byte", "至少一个字节")
            )
        with self.objects.stage() as staged:
            staged.write(data)
            return staged.commit(key, mime=mime, overwrite=True)

    def stat(self, key: str) -> Stat:
        with self.objects.open(key) as opened:
            return opened.stat

    def copy(self, source_key: str, key: str) -> Stat:
        with contextlib.suppress(KeyExists):
            return self.objects.copy(source_key, key, overwrite=False)
        return self.stat(key)

    def delete(self, key: str) -> None:
        self.objects.delete(key)

    def sweep(self) -> None:
        self.multipart.sweep()

    def list(self, prefix: str = "") -> Iterator[Stat]:
        return (stat for stat in self.objects.iterate() if stat.key.startswith(prefix))
