"""Kodo: Qiniu's object store, public or private installation, through the official SDK.

The SDK blocks, has one set of timeouts and connections per process, and caches regions in a file that every local user
can write. Here: short timeouts, one retry, and endpoints that are configured or looked up once and kept in memory. The
SDK's failures become our errors here and nowhere else.
"""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import qiniu
from qiniu.http.endpoint import Endpoint
from qiniu.http.region import Region, ServiceName
from qiniu.http.regions_provider import QueryRegionsProvider
from qiniu.services.storage.uploaders import FormUploader, ResumeUploaderV2

from models.bucket import Stat, UploadTicket
from models.bucket.addresses import key_from_url, origin, quote_key
from models.bucket.download import download
from models.bucket.etag import Etag
from models.bucket.keys import Keys
from models.bucket.policy import TOKEN_LIFE_S, image_policy, upload_token
from models.bucket.read_signature import read_deadline, sign_read
from models.bucket.signature import check_callback
from models.errors import BadParameter, BucketUnavailable, NotFound, Phrase

log = logging.getLogger(__name__)

TIMEOUT_S = 5
ATTEMPTS = 2
PAUSE_S = 0.2
PAGE_LIMIT = 1000
PART_BYTES = 4 << 20
"""Kodo hashes blocks of this size, so that an object has the same hash, uploaded in one request or in such parts."""
FORM_LIMIT_BYTES = 4 * PART_BYTES
"""A larger object is uploaded in parts: the SDK holds a copy of the whole request that it sends."""
FILE_EXISTS = 614
PUBLIC_UC_URL = "https://uc.qiniuapi.com"
PUBLIC_UPLOAD_HOSTS = "https://*.qiniup.com"

SdkResponse = tuple[Any, Any]
"""What the SDK returns: the document, and information about the response."""


@dataclass(frozen=True, slots=True)
class KodoEndpoints:
    """Base URLs. Empty ones are looked up at `uc`; a private installation configures all of them."""

    up: str = ""
    rs: str = ""
    rsf: str = ""
    uc: str = PUBLIC_UC_URL

    @property
    def complete(self) -> bool:
        return bool(self.up and self.rs and self.rsf)


class KodoBucket:
    """Implements `Bucket` with Kodo.

    domain: host or base URL that objects are read from (https without a scheme).
    private: whether URLs must be signed for reading.
    callback_url: our own POST /api/image/upload, as Qiniu's network reaches it.
    """

    def __init__(
        self,
        keys: Keys,
        bucket: str,
        *,
        domain: str,
        callback_url: str,
        private: bool = False,
        endpoints: KodoEndpoints = KodoEndpoints(),
    ) -> None:
        self.name = bucket
        self._keys = keys
        self._auth = qiniu.Auth(keys.access, keys.secret)
        self._base = (domain if "://" in domain else f"https://{domain}").rstrip("/") + "/"
        self._callback_url = callback_url
        self._private = self.protects_files = private
        self._configured = endpoints
        self._resolved = self._configured if self._configured.complete else None
        self._resolve_lock = threading.Lock()
        qiniu.set_default(connection_timeout=TIMEOUT_S, connection_retries=1)

    def for_host(self, host: str) -> KodoBucket:
        """Kodo has addresses of its own."""
        del host
        return self

    def sign_upload(self, key: str, *, owner_id: int, size_limit_bytes: int) -> UploadTicket:
        fields = image_policy(
            self.name,
            key,
            owner_id=owner_id,
            size_limit_bytes=size_limit_bytes,
            callback_url=self._callback_url,
            now=time.time(),
        )
        token = upload_token(self._keys, fields)
        return UploadTicket(token, key, self._configured.up or self._endpoints().up, self.url(key), fields["deadline"])

    def url(self, key: str) -> str:
        return self._base + quote_key(key)

    def upload_origin(self) -> str:
        """The upload host if it is known, else all of Kodo's; of a private installation not looked up yet, any host."""
        up = self._configured.up or (self._resolved.up if self._resolved else "")
        if up:
            return origin(up)
        return PUBLIC_UPLOAD_HOSTS if self._configured.uc == PUBLIC_UC_URL else f"{_scheme(self._configured.uc)}:"

    def key_of(self, url: str) -> str | None:
        return key_from_url(url, self._base)

    def check_callback(self, method: str, uri: str, headers: Mapping[str, str], body: bytes) -> None:
        check_callback(self._keys, self._callback_url, method=method, uri=uri, headers=headers, body=body)

    def readable_url(self, key: str, *, private: bool = True) -> str:
        """A public bucket has no private objects. The signature covers the URL with the key encoded."""
        del private
        url = self.url(key)
        return sign_read(self._keys, url, read_deadline(time.time())) if self._private else url

    def read(self, key: str, *, limit_bytes: int, timeout_s: float) -> bytes:
        return download(self.readable_url(key), limit_bytes=limit_bytes, timeout_s=timeout_s)

    def put(self, key: str, data: bytes, *, mime: str) -> Stat:
        if not data:
            raise BadParameter(
                field="data", value=Phrase("nothing", "空值"), allowed=Phrase("at least one byte", "至少一个字节")
            )
        policy = {"scope": f"{self.name}:{key}", "deadline": int(time.time()) + TOKEN_LIFE_S, "fsizeLimit": len(data)}
        token = upload_token(self._keys, policy)
        expected = Etag()
        expected.update(data)
        uploader = self._uploader(len(data))

        def upload() -> SdkResponse:
            document: SdkResponse = uploader.upload(
                key, data=io.BytesIO(data), data_size=len(data), up_token=token, mime_type=mime, file_name="image"
            )
            return document

        document = self._call(upload)
        if document.get("hash") != expected.text() or document.get("key") != key:
            raise BucketUnavailable()  # pragma: no cover - Kodo would have stored something else
        return Stat(key, len(data), expected.text(), mime, time.time())

    def _uploader(self, size_bytes: int) -> FormUploader | ResumeUploaderV2:
        up = self._endpoints().up
        regions, scheme = [_region(ServiceName.UP, up)], _scheme(up)
        if size_bytes <= FORM_LIMIT_BYTES:
            return FormUploader(self.name, regions=regions, preferred_scheme=scheme)
        # one part after the other, each in memory while it is sent
        return ResumeUploaderV2(
            self.name, regions=regions, preferred_scheme=scheme, part_size=PART_BYTES, concurrent_executor=None
        )

    def stat(self, key: str) -> Stat:
        manager = self._manager(ServiceName.RS)
        return _stat(key, self._call(lambda: manager.stat(self.name, key), missing=key))

    def copy(self, source_key: str, key: str) -> Stat:
        manager = self._manager(ServiceName.RS)
        self._call(lambda: manager.copy(self.name, source_key, self.name, key), missing=source_key, done=FILE_EXISTS)
        return self.stat(key)

    def delete(self, key: str) -> None:
        manager = self._manager(ServiceName.RS)
        try:
            self._call(lambda: manager.delete(self.name, key), missing=key)
        except NotFound:
            return

    def sweep(self) -> None:
        """Kodo forgets what clients have given up."""

    def list(self, prefix: str = "") -> Iterator[Stat]:
        manager = self._manager(ServiceName.RSF)
        marker: str | None = None
        while True:
            page = self._call(partial(self._page, manager, prefix, marker))
            items = page.get("items")
            if not isinstance(items, list):  # pragma: no cover - Kodo documents a list
                raise BucketUnavailable()
            for item in items:
                yield _stat(str(item.get("key")), item)
            marker = page.get("marker")
            if not marker:
                return

    def _page(self, manager: qiniu.BucketManager, prefix: str, marker: str | None) -> SdkResponse:
        answer, _, info = manager.list(self.name, prefix, marker, PAGE_LIMIT)
        return answer, info

    def _call(self, call: Callable[[], SdkResponse], *, missing: str = "", done: int = 200) -> dict[str, Any]:
        """Kodo's response. Raises NotFound if it does not have the `missing` key, BucketUnavailable otherwise.

        done: a status that is no failure either, as the effect is there.
        """
        status: object = "nothing"
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_S)
            try:
                document, info = call()
            except (
                OSError,
                ValueError,
                KeyError,
                RuntimeError,
                AttributeError,
            ) as error:  # pragma: no cover - an SDK bug
                raise BucketUnavailable() from error
            if missing and info.status_code == 612:
                raise NotFound(what="object", which=ascii(missing[:80]))
            if info.status_code == done != 200:
                return {}
            if info.status_code == 200 and info.req_id is not None and isinstance(document, dict):
                return document
            status = info.status_code
            if not info.need_retry():
                break
        log.warning("bucket: Kodo answered %s", status)
        raise BucketUnavailable()

    def _manager(self, service: ServiceName) -> qiniu.BucketManager:
        endpoints = self._endpoints()
        address = endpoints.rs if service is ServiceName.RS else endpoints.rsf
        return qiniu.BucketManager(self._auth, regions=[_region(service, address)], preferred_scheme=_scheme(address))

    def _endpoints(self) -> KodoEndpoints:
        """The bucket's endpoints, looked up once. Raises BucketUnavailable."""
        with self._resolve_lock:
            if self._resolved is None:
                self._resolved = self._resolve()
            return self._resolved

    def _resolve(self) -> KodoEndpoints:
        uc = self._configured.uc
        provider = QueryRegionsProvider(
            self._keys.access, self.name, [Endpoint.from_host(uc.rstrip("/"))], preferred_scheme=_scheme(uc)
        )
        try:
            first = next(iter(provider))
            up, rs, rsf = (
                configured or first.services[service][0].get_value()
                for configured, service in (
                    (self._configured.up, ServiceName.UP),
                    (self._configured.rs, ServiceName.RS),
                    (self._configured.rsf, ServiceName.RSF),
                )
            )
        except (RuntimeError, ValueError, KeyError, IndexError, StopIteration, AttributeError) as error:
            log.warning("bucket: the endpoints could not be looked up at %s", uc)
            raise BucketUnavailable() from error
        return KodoEndpoints(up, rs, rsf, uc)


def _scheme(address: str) -> str:
    return urlsplit(address).scheme or "https"


def _region(service: ServiceName, address: str) -> Region:
    return Region(services={service: [Endpoint.from_host(address.rstrip("/"))]})


def _stat(key: str, document: Mapping[str, Any]) -> Stat:
    try:
        return Stat(
            key,
            int(document["fsize"]),
            str(document["hash"]),
            str(document["mimeType"]),
            int(document["putTime"]) / 10_000_000,
        )
    except (KeyError, TypeError, ValueError) as error:  # pragma: no cover - Kodo documents these fields
        raise BucketUnavailable() from error
