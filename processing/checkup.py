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
from processing.engine import Threads

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
        upload = await self._check_upload(grant)
        yield upload
        if upload.well or upload.step == "callback":
            yield await self._check_download(grant)
            yield await self._check_delete(key)

    async def _check_database(self) -> Finding:
        started = time.monotonic()
        await self._database.ping()
        return Finding("database", True, f"answers in {1000 * (time.monotonic() - started):.1f} ms")

    def _check_address(self, grant: Grant) -> Finding:
        """A Kodo out there cannot call back into a private network; one of our own network may."""
        if self._kodo and _is_private(self._public_url) and not _is_private(grant.upload_url):
            mend = "Kodo can never call this server back: set --public_url to an address that Qiniu's network reaches."
            return Finding("address", False, f"{self._public_url} lies on this machine or in a private network", mend)
        return Finding("address", True, self._public_url)

    async def _grant(self, key: str) -> Grant | Finding:
        try:
            await self._uploads.expect(Upload(key, NOBODY, "check.png", ""))
            return await self._threads.io(self._bucket.grant, key, owner_id=0, size_limit_bytes=1_000_000)
        except errors.BucketUnavailable:
            mend = "See that the access key and the bucket's name are right, and --qiniu_uc_url for a private Kodo."
            return Finding("token", False, "where the bucket lives could not be found out", mend)

    async def _check_upload(self, grant: Grant) -> Finding:
        try:
            answer = await self._threads.io(_post, grant)
        except requests.RequestException as error:
            mend = "See that this machine reaches that address, and --qiniu_up_url for a private Kodo."
            return Finding("upload", False, f"{grant.upload_url}: {type(error).__name__}", mend)
        if answer.status_code == CALLBACK_FAILED:
            text = f"the picture arrived, but the bucket could not call {self._public_url}/api/image/upload"
            mend = "See that --public_url leads here from outside, and that no proxy on the way changes the request."
            return Finding("callback", False, f"{text}: {_told(answer)}", mend)
        if answer.status_code != 200:
            mend = _UPLOAD_MENDS.get(answer.status_code, "The status says why: docs/qiniu.md lists them.")
            return Finding("upload", False, f"status {answer.status_code}: {_told(answer)}", mend)
        return Finding("upload and callback", True, "the picture arrived and the bucket told us of it")

    async def _check_download(self, grant: Grant) -> Finding:
        try:
            data = await self._threads.io(
                self._bucket.read, grant.key, limit_bytes=1_000_000, timeout_s=TIMEOUT_S
            )
        except (errors.NotFound, errors.Unavailable, errors.JobError) as error:
            mend = "See that --qiniu_domain is the bucket's own domain, and --qiniu_private as the bucket is."
            return Finding("download", False, f"{grant.url}: {error.slug}", mend)
        if data != _picture():
            return Finding("download", False, f"{grant.url} gives other bytes", "--qiniu_domain is another bucket's.")
        return Finding("download", True, grant.url)

    async def _check_delete(self, key: str) -> Finding:
        try:
            await self._threads.io(self._bucket.delete, key)
            if image := await self._images.by_key(key):
                await self._images.delete(image.id, image.owner.id)
            await self._uploads.settle(key)
        except errors.Unavailable as error:
            mend = "See that the key may delete, and --qiniu_rs_url for a private Kodo."
            return Finding("delete", False, error.slug, mend)
        return Finding("delete", True, "the picture is gone again")


_UPLOAD_MENDS = {
    401: "Access key and secret key do not belong together, or this machine's clock is wrong.",
    400: "The bucket lives in another region: leave --qiniu_up_url empty, or name the right one.",
    413: "The bucket has a lower limit of its own.",
    631: "There is no such bucket: see --qiniu_bucket.",
}


def _post(grant: Grant) -> requests.Response:
    """The form as a browser posts it (blocks)."""
    return requests.post(
        grant.upload_url,
        data={"token": grant.token, "key": grant.key},
        files={"file": ("check.png", _picture(), "image/png")},
        timeout=TIMEOUT_S,
    )


def _told(answer: requests.Response) -> str:
    return answer.text[:200].replace("\n", " ")


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
