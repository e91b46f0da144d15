"""A check of the whole flow with the present settings, step by step, in words that say how to mend what is wrong."""

from __future__ import annotations

import io
import ipaddress
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from PIL import Image

from models import errors
from models.bucket import Bucket, Grant
from models.database import Database
from models.images import NOBODY, Images
from models.uploads import Upload, Uploads
from processing import mends
from processing.engine.threads import Threads

TIMEOUT_S = 15.0
CALLBACK_FAILED = 579


@dataclass(frozen=True, slots=True)
class Finding:
    """One step. mend: what to do, empty where all is well."""

    step: str
    well: bool
    text: str
    mend: str = ""

    def __str__(self) -> str:
        line = f"{'ok  ' if self.well else 'FAIL'} {self.step}: {self.text}"
        return f"{line}\n     {self.mend}" if self.mend else line


class Checkup:
    """Goes the way of one picture: token, upload, callback, download, deletion; and asks the database first.

    The server itself must be serving meanwhile, since the bucket calls it back. kodo: whether the bucket is Qiniu's.
    """

    def __init__(
        self,
        public_url: str,
        *,
        kodo: bool,
        database: Database,
        bucket: Bucket,
        uploads: Uploads,
        images: Images,
        threads: Threads,
    ) -> None:
        self._public_url, self._kodo = public_url, kodo
        self._database, self._bucket = database, bucket
        self._uploads, self._images, self._threads = uploads, images, threads

    async def findings(self) -> AsyncIterator[Finding]:
        """Each step as it is done; what needs a step that failed is left out. Raises DatabaseUnavailable."""
        yield await self._check_database()
        key = f"source/check-{secrets.token_hex(8)}"
        grant = await self._grant(key)
        if isinstance(grant, Finding):
            yield grant
            return
        yield Finding("token", True, f"signed for {grant.upload_url}")
        yield self._check_address(grant)
        if self._public_url.startswith("https:") and grant.url.startswith("http:"):
            yield Finding("pages", False, f"{self._public_url} shows pictures of {grant.url}", mends.MIXED)
        upload = await self._check_upload(grant)
        yield upload
        if upload.well or upload.step == "callback":
            yield await self._check_download(grant)
            yield await self._check_delete(key)
        else:
            await self._uploads.settle(key)

    async def _check_database(self) -> Finding:
        started = time.monotonic()
        await self._database.ping()
        return Finding("database", True, f"answers in {1000 * (time.monotonic() - started):.1f} ms")

    def _check_address(self, grant: Grant) -> Finding:
        """A Kodo out there cannot call back into a private network; one of our own network may."""
        if self._kodo and _is_private(self._public_url) and not _is_private(grant.upload_url):
            text = f"{self._public_url} lies on this machine or in a private network"
            return Finding("address", False, text, mends.LOOPBACK)
        return Finding("address", True, self._public_url)

    async def _grant(self, key: str) -> Grant | Finding:
        try:
            await self._uploads.expect(Upload(key, NOBODY, "check.png", ""))
            return await self._threads.io(self._bucket.grant, key, owner_id=0, size_limit_bytes=1_000_000)
        except errors.BucketUnavailable:
            await self._uploads.settle(key)
            return Finding("token", False, "where the bucket lives could not be found out", mends.UNKNOWN_BUCKET)

    async def _check_upload(self, grant: Grant) -> Finding:
        try:
            answer = await self._threads.io(_post, grant)
        except requests.RequestException as error:
            return _failed("upload", mends.of_no_answer(grant.upload_url, error))
        if answer.status_code == CALLBACK_FAILED:
            return _failed("callback", mends.of_callback(answer, f"{self._public_url}/api/image/upload"))
        if answer.status_code != 200:
            return _failed("upload", mends.of_upload(answer))
        return Finding("upload and callback", True, "the picture arrived and the bucket told us of it")

    async def _check_download(self, grant: Grant) -> Finding:
        try:
            data = await self._threads.io(self._bucket.read, grant.key, limit_bytes=1_000_000, timeout_s=TIMEOUT_S)
        except errors.NotFound:
            return Finding("download", False, f"{grant.url}: the picture is not there", mends.DOMAIN)
        except (errors.Unavailable, errors.JobError):
            return Finding("download", False, f"{grant.url}: refused, or not answered", mends.DOMAIN)
        if data != _picture():
            return Finding("download", False, f"{grant.url} gives other bytes", mends.OTHER_BYTES)
        return Finding("download", True, grant.url)

    async def _check_delete(self, key: str) -> Finding:
        try:
            await self._threads.io(self._bucket.delete, key)
            if image := await self._images.by_key(key):
                await self._images.delete(image.id, image.owner.id)
            await self._uploads.settle(key)
        except errors.Unavailable:
            return Finding("delete", False, "the picture could not be deleted", mends.DELETE)
        return Finding("delete", True, "the picture is gone again")


def _failed(step: str, verdict: mends.Verdict) -> Finding:
    return Finding(step, False, verdict.text, verdict.mend)


def _post(grant: Grant) -> requests.Response:
    """The form as a browser posts it (blocks)."""
    return requests.post(
        grant.upload_url,
        data={"token": grant.token, "key": grant.key},
        files={"file": ("check.png", _picture(), "image/png")},
        timeout=TIMEOUT_S,
    )


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "#7a3b2e").save(file, "PNG")
    return file.getvalue()


def _is_private(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host in ("", "localhost") or "." not in host
