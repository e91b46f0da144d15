"""The embedded bucket's form upload: check the token, store the file, call our server back.

The file is written while it arrives. An error is sent after the end of the body: a browser whose upload is cut off
would report a broken connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import tornado.web

from handlers.bucket.base import BucketHandler
from handlers.bucket.callback import ReceivedFile, answer_upload, store_upload
from handlers.bucket.form_parser import StreamedForm
from handlers.transport.body_pace import BodyPace
from models import errors
from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.multipart_upload import MultipartUpload
from models.bucket.embedded.received import RequestBytes
from models.bucket.embedded.staged import StagedFile
from models.bucket.policy import UploadPolicy, read_token

WRITE_BYTES = 512 * 1024
FORM_OVERHEAD_BYTES = 1024 * 1024
MIN_RATE_BYTES_PER_S = 4 * 1024
MAX_DURATION_S = 3600.0


class StreamingUploadHandler(BucketHandler):
    """A request whose body goes to a file.

    A subclass checks the header in `authorize`, passes the bytes of the file from `on_chunk` to `buffer`, and limits
    their number by `size_limit`. The first error of any of them is raised by `finish_upload`.
    """

    staged: StagedFile | None = None
    error: Exception | None = None
    disconnected = False
    received_bytes = 0
    rate_timer: asyncio.TimerHandle | None = None
    written: RequestBytes | None = None
    """None until the token has arrived."""
    _arriving: MultipartUpload | None = None

    async def prepare(self) -> None:
        body_limit = 2 * self.bucket.size_limit_bytes + FORM_OVERHEAD_BYTES
        self.connection.set_max_body_size(body_limit)
        length = self.request.headers.get("Content-Length", "")
        if length.isdecimal() and int(length[:20]) > body_limit:
            self.set_header("Connection", "close")
            raise kodo_errors.FileTooLarge("exceed FsizeLimit")
        self.connection.set_body_timeout(MAX_DURATION_S)
        self._pace = self.settings.get("body_pace", BodyPace())
        self._check_min_rate(0, 0.0)
        self.unwritten = bytearray()
        if self.request.method != "OPTIONS":
            await self._run_unless_failed(self.authorize)

    async def data_received(self, chunk: bytes) -> None:
        self.received_bytes += len(chunk)
        if self.request.method != "OPTIONS":
            await self._run_unless_failed(self.on_chunk, chunk)

    async def authorize(self) -> None:
        """Check the request's header. Calls `count_for`, and `begin_part` if the body is one."""

    async def on_chunk(self, chunk: bytes) -> None:
        """Read a piece of the body."""
        raise NotImplementedError

    def size_limit(self) -> int:
        """Of the file, in bytes; may change while the body arrives."""
        raise NotImplementedError

    def open_file(self) -> StagedFile:
        """(blocks) A new file for the body."""
        return self.bucket.objects.stage()

    async def buffer(self, data: bytes) -> None:
        """Add bytes to the file, written in pieces of at least WRITE_BYTES: each write is a call in a thread.

        Raises TooManyUploads.
        """
        self._count(len(data))
        self.unwritten += data
        if len(self.unwritten) >= WRITE_BYTES:
            await self._write_out()

    def count_for(self, user: str, received_bytes: int = 0) -> None:
        """From now on count the bytes of the file for this user and the address. Raises TooManyUploads."""
        self.written = self.bucket.received.of_request(user, self.client_ip)
        self._count(received_bytes)

    def begin_part(self, upload: MultipartUpload) -> None:
        """The body is a part of this upload, which is not idle while it arrives."""
        if not self.disconnected:
            self._arriving = upload
            self.bucket.multipart.begin_part(upload)

    async def finish_upload(self) -> StagedFile:
        """The complete file, which the caller must discard or commit. Raises the first error of the upload."""
        self._stop_rate_timer()
        if self.error is None:
            await self._run_unless_failed(self._write_out)
        if self.error is not None or self.staged is None:
            raise self.error or kodo_errors.MalformedUpload("there is no body")
        staged, self.staged = self.staged, None
        return staged

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.disconnected = True
        self.on_finish()

    def on_finish(self) -> None:
        self._stop_rate_timer()
        loop, discard = asyncio.get_running_loop(), self._take_discard()
        if discard is not do_nothing:  # pragma: no cover - a client that disconnects while its file is written
            loop.run_in_executor(None, discard)
        upload, self._arriving = self._arriving, None
        if upload is not None:
            touched = loop.run_in_executor(None, self.bucket.multipart.touch, upload)
            touched.add_done_callback(lambda _: self.bucket.multipart.end_part(upload))

    def _count(self, size_bytes: int) -> None:
        if self.written is not None:
            self.written.add(size_bytes)

    def _check_min_rate(self, bytes_before: int, excused_s: float) -> None:
        """Close a connection that sends less than MIN_RATE_BYTES_PER_S while it is read.

        Slow connections are served for up to MAX_DURATION_S; the server's body timeout does not apply.
        excused_s: of the pauses, what earlier checks have taken into account.
        """
        stall_s = self.bucket.stall_s
        paused_s = min(stall_s, self._pace.paused_s(self.request) - excused_s)
        needed = bytes_before + MIN_RATE_BYTES_PER_S * (stall_s - paused_s)
        if self.rate_timer is not None and self.received_bytes < needed:
            self.connection.close()
            return
        self.rate_timer = asyncio.get_running_loop().call_later(
            stall_s, self._check_min_rate, self.received_bytes, excused_s + paused_s
        )

    def _stop_rate_timer(self) -> None:
        if self.rate_timer is not None:
            self.rate_timer.cancel()

    async def _run_unless_failed(self, step: Callable[..., Awaitable[None]], *chunk: bytes) -> None:
        if self.error is None:
            try:
                await step(*chunk)
            except (kodo_errors.KodoError, errors.TesseraError, OSError) as error:
                self.error = error
                await asyncio.to_thread(self._take_discard())

    def _take_discard(self) -> Callable[[], None]:
        """A function that removes the unfinished file, to be called in a thread."""
        staged, self.staged, self.unwritten = self.staged, None, bytearray()
        if self.written is not None:
            self.written.release()
        return staged.discard if staged else do_nothing

    async def _write_out(self) -> None:
        data, self.unwritten = bytes(self.unwritten), bytearray()
        if self.staged is None:
            self.staged = await asyncio.to_thread(self.open_file)
            self._count(self.staged.size_bytes)  # of a block: the chunks that have arrived before
        if self.disconnected:  # pragma: no cover - a client that disconnects between two writes
            raise kodo_errors.MalformedUpload("the client has disconnected")
        if self.staged.size_bytes + len(data) > self.size_limit():
            raise kodo_errors.FileTooLarge("exceed FsizeLimit")
        await asyncio.to_thread(self.staged.write, data)


def do_nothing() -> None:
    """What is left to do for a file that was never opened, or is gone."""


@tornado.web.stream_request_body
class FormUploadHandler(StreamingUploadHandler):
    """POST multipart/form-data with `token`, `key` and `file`, optionally `fname`, `crc32` and `x:` variables."""

    policy: UploadPolicy | None = None
    _unauthenticated_bytes = 0

    async def authorize(self) -> None:
        self.form = StreamedForm(self.request.headers.get("Content-Type", ""))

    async def on_chunk(self, chunk: bytes) -> None:
        data = self.form.feed(chunk)
        # Before the file, an error needs no disk; at the end of the form it frees the disk, whatever still follows.
        is_file_complete = self.form.is_complete and self.form.has_file
        if self.policy is None and (is_file_complete or (data and "token" in self.form.fields)):
            self.policy = self._checked_policy()
            self.count_for(self.policy.endUser, self._unauthenticated_bytes)
            self._release_unauthenticated()
        if data:
            if self.policy is None:
                self.bucket.unauthenticated.add(self.client_ip, len(data))
                self._unauthenticated_bytes += len(data)
            await self.buffer(data)

    def _take_discard(self) -> Callable[[], None]:
        self._release_unauthenticated()
        return super()._take_discard()

    def _release_unauthenticated(self) -> None:
        self.bucket.unauthenticated.remove(self.client_ip, self._unauthenticated_bytes)
        self._unauthenticated_bytes = 0

    def size_limit(self) -> int:
        """Some official SDKs send the file before the token: until then `unauthenticated` bounds its bytes."""
        limit = self.bucket.size_limit_bytes
        return min(limit, self.policy.fsizeLimit or limit) if self.policy else limit

    async def post(self) -> None:
        staged = await self.finish_upload()
        try:
            self.form.close()
            policy = self._checked_policy()
            self._check_crc32(staged)
            stored = await store_upload(self, policy, self._received_file(staged))
        finally:
            await asyncio.to_thread(staged.discard)
        await answer_upload(self, policy, stored)

    def _received_file(self, staged: StagedFile) -> ReceivedFile:
        fields = self.form.fields
        return ReceivedFile(staged, fields.get("key"), fields.get("fname") or self.form.filename, fields)

    def _checked_policy(self) -> UploadPolicy:
        policy = read_token(self.bucket.keys, self.form.fields.get("token", ""), now=self.bucket.clock())
        self.check_bucket_name(policy.bucket)
        if "key" in self.form.fields and not policy.forceSaveKey:
            policy.check_key(self.form.fields["key"])
        return policy

    def _check_crc32(self, staged: StagedFile) -> None:
        crc32 = self.form.fields.get("crc32", "")
        if crc32 and not (crc32.isascii() and crc32.isdigit() and len(crc32) <= 12):
            raise kodo_errors.MalformedUpload("crc32 is not a decimal number")
        if crc32 and int(crc32) != staged.crc32:
            raise kodo_errors.BadChecksum("crc32 is not correct")
