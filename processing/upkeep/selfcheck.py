"""The self-check (`server.py --check`): runs the whole upload flow with the present settings and explains failures."""

from __future__ import annotations

import io
import ipaddress
import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from PIL import Image

from models import errors
from models.bucket import Bucket, UploadTicket
from models.database import Database
from models.images.image import ANONYMOUS
from models.images.images import Images
from models.images.uploads import PendingUpload, PendingUploads
from models.images.visibility import SERVER, UNSTATED
from processing.executors import Executors
from processing.images.thumbnails import Thumbnails

TIMEOUT_S = 15.0
CALLBACK_FAILED = 579
MAX_QUOTED_CHARACTERS = 200

BUCKET_NOT_FOUND = (
    "Either Qiniu does not know this bucket under this access key: copy --qiniu_access_key and --qiniu_bucket again. "
    "Or this machine does not reach Qiniu; a private Kodo is named by --qiniu_uc_url."
)
PRIVATE_ADDRESS = "Kodo can never call this server back: set --public_url to an address that Qiniu's network reaches."
MIXED_CONTENT = "Browsers show no image over http on a page over https: switch HTTPS on for the bucket's domain."
WRONG_DOMAIN = (
    "Check that --qiniu_domain is the bucket's own domain, and that --qiniu_private says whether the bucket is private."
)
OTHER_BYTES = "--qiniu_domain belongs to another bucket, or something on the way changes images."
CANNOT_DELETE = "Check that the key may delete, and --qiniu_rs_url for a private Kodo."
UNREACHABLE = "Check that this machine reaches that address; a private Kodo is named by --qiniu_up_url."
WRONG_SERVER = (
    "Another server with other keys answers at --public_url, or a proxy on the way changes the request's body."
)
WRONG_ANSWER = "Something else answers at --public_url: check that it leads to this server, with no page in between."
CALLBACK_UNREACHABLE = (
    "Check that --public_url leads here from outside, through every firewall, and that its certificate is valid; that"
    " of a private authority is, if SSL_CERT_FILE names the authority's certificate."
)
UNTRUSTED = "Where the certificate is of a private authority, SSL_CERT_FILE must name that authority's certificate."
UNKNOWN_STATUS = "docs/qiniu.md explains the status; 5xx is temporary."
UPLOAD_HINTS = {
    400: "The bucket is in another region: leave --qiniu_up_url empty, or name the right one.",
    401: "--qiniu_access_key and --qiniu_secret_key do not belong together: copy both again. If they do, set this "
    "machine's clock.",
    403: "The key may not upload to this bucket.",
    413: "The bucket has a lower limit of its own.",
    419: "Qiniu has frozen the account: see its console.",
    614: "The bucket has another image under this key. Try again.",
    631: "There is no such bucket: check --qiniu_bucket.",
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One step. hint: what to do, empty where the step passed."""

    step: str
    ok: bool
    text: str
    hint: str = ""

    def __str__(self) -> str:
        line = f"{'ok  ' if self.ok else 'FAIL'} {self.step}: {self.text}"
        return f"{line}\n     {self.hint}" if self.hint else line


class SelfCheck:
    """Sends one image through token, upload, callback, download and deletion, after a ping of the database.

    The server must be serving meanwhile, since the bucket calls it back. kodo: whether the bucket is Qiniu's.
    """

    def __init__(
        self,
        public_url: str,
        *,
        kodo: bool,
        database: Database,
        bucket: Bucket,
        uploads: PendingUploads,
        images: Images,
        thumbnails: Thumbnails,
        executors: Executors,
    ) -> None:
        self._public_url, self._kodo = public_url, kodo
        self._database, self._bucket, self._thumbnails = database, bucket, thumbnails
        self._uploads, self._images, self._executors = uploads, images, executors

    async def results(self) -> AsyncIterator[CheckResult]:
        """Each step when it is done; steps that need a failed one are skipped. Raises DatabaseUnavailable."""
        yield await self._check_database()
        key = f"source/check-{secrets.token_hex(8)}"
        try:
            ticket = await self._sign_upload(key)
        except errors.BucketUnavailable:
            yield CheckResult("token", False, "the bucket's region could not be looked up", BUCKET_NOT_FOUND)
            return
        yield CheckResult("token", True, f"signed for {ticket.upload_url}")
        yield self._check_address(ticket)
        if self._public_url.startswith("https:") and ticket.url.startswith("http:"):
            yield CheckResult("pages", False, f"{self._public_url} shows images of {ticket.url}", MIXED_CONTENT)
        upload = await self._check_upload(ticket)
        yield upload
        if upload.ok or upload.step == "callback":
            yield await self._check_download(ticket)
            yield await self._check_delete(key)
        else:
            await self._uploads.complete(key)

    async def _check_database(self) -> CheckResult:
        started_at = time.monotonic()
        await self._database.ping()
        return CheckResult("database", True, f"answers in {1000 * (time.monotonic() - started_at):.1f} ms")

    async def _sign_upload(self, key: str) -> UploadTicket:
        await self._uploads.add(PendingUpload(key, ANONYMOUS, "check.png", "", UNSTATED))
        try:
            return await self._executors.io(self._bucket.sign_upload, key, owner_id=0, size_limit_bytes=1_000_000)
        except errors.BucketUnavailable:
            await self._uploads.complete(key)
            raise

    def _check_address(self, ticket: UploadTicket) -> CheckResult:
        """Qiniu's own Kodo cannot call back into a private network; a Kodo in our own network can."""
        if self._kodo and _is_private(self._public_url) and not _is_private(ticket.upload_url):
            text = f"{self._public_url} is on this machine or in a private network"
            return CheckResult("address", False, text, PRIVATE_ADDRESS)
        return CheckResult("address", True, self._public_url)

    async def _check_upload(self, ticket: UploadTicket) -> CheckResult:
        try:
            response = await self._executors.io(_post_form, ticket)
        except urllib3.exceptions.HTTPError as error:
            hint = UNTRUSTED if isinstance(error, urllib3.exceptions.SSLError) else UNREACHABLE
            return CheckResult("upload", False, f"{ticket.upload_url}: {_reason(error)}", hint)
        if response.status == CALLBACK_FAILED:
            return explain_callback(response.data, f"{self._public_url}/api/image/upload")
        if response.status != 200:
            hint = UPLOAD_HINTS.get(response.status, UNKNOWN_STATUS)
            return CheckResult("upload", False, f"status {response.status}: {_error_text(response.data)}", hint)
        return CheckResult("upload and callback", True, "the image arrived and the bucket called back")

    async def _check_download(self, ticket: UploadTicket) -> CheckResult:
        try:
            data = await self._executors.io(self._bucket.read, ticket.key, limit_bytes=1_000_000, timeout_s=TIMEOUT_S)
        except errors.NotFound:  # pragma: no cover - a bucket that answers well until the download
            return CheckResult("download", False, f"{ticket.url}: the image is not there", WRONG_DOMAIN)
        except (errors.Unavailable, errors.JobError):
            return CheckResult("download", False, f"{ticket.url}: refused, or no answer", WRONG_DOMAIN)
        if data != _sample_image():  # pragma: no cover - the domain of another bucket
            return CheckResult("download", False, f"{ticket.url} returns other bytes", OTHER_BYTES)
        return CheckResult("download", True, ticket.url)

    async def _check_delete(self, key: str) -> CheckResult:
        try:
            await self._executors.io(self._bucket.delete, key)
            if image := await self._images.by_key(key, SERVER):
                await self._images.delete(image.id, image.owner.id)
                await self._thumbnails.delete(image.id)
            await self._uploads.complete(key)
        except errors.Unavailable:  # pragma: no cover - a bucket that answers well until the deletion
            return CheckResult("delete", False, "the image could not be deleted", CANNOT_DELETE)
        return CheckResult("delete", True, "the image is gone again")


def explain_callback(body: bytes, url: str) -> CheckResult:
    """The bucket stored the image, but its callback failed. body: the bucket's answer to the upload."""
    status = _json_object(body).get("err_code")
    if status == 401:
        text, hint = f"the bucket called {url}, which refused its signature", WRONG_SERVER
    elif isinstance(status, int) and status in range(200, 500):
        text, hint = f"the bucket called {url}, which answered with status {status}", WRONG_ANSWER
    else:
        text, hint = f"the bucket could not reach {url}", CALLBACK_UNREACHABLE
    return CheckResult("callback", False, f"the image arrived, but {text} ({_error_text(body)})", hint)


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    if isinstance(error, urllib3.exceptions.SSLError):
        return "its certificate is not trusted; SSL_CERT_FILE names a private authority"
    if isinstance(error, urllib3.exceptions.NewConnectionError):  # a TimeoutError too, by inheritance
        return "connection failed"
    return "no answer in time" if isinstance(error, urllib3.exceptions.TimeoutError) else "connection failed"


def _error_text(body: bytes) -> str:
    """The `error` of a JSON answer, or the beginning of any other answer."""
    error = _json_object(body).get("error")
    return (error if isinstance(error, str) else body.decode(errors="replace"))[:MAX_QUOTED_CHARACTERS].replace(
        "\n", " "
    )


def _json_object(body: bytes) -> dict[str, object]:
    """Empty for an answer that is no JSON object."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _post_form(ticket: UploadTicket) -> urllib3.BaseHTTPResponse:
    """Upload as a browser posts a form. Blocks. Raises urllib3's HTTPError."""
    fields: dict[str, str | tuple[str, bytes, str]] = {
        "token": ticket.token,
        "key": ticket.key,
        "file": ("check.png", _sample_image(), "image/png"),
    }
    with urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(TIMEOUT_S)) as pool:
        return pool.request("POST", ticket.upload_url, fields=fields)


def _sample_image() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "#7a3b2e").save(file, "PNG")
    return file.getvalue()


def _is_private(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host in ("", "localhost") or "." not in host
