"""The embedded bucket's form upload: a token is checked, a file is stored, our server is called back.

The file is written as it arrives and never held in memory. A refusal is answered when the body has ended: a browser
that is cut off in the middle would only see a broken connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import tornado.web

from handlers.bucket.base import BucketHandler
from handlers.bucket.callback import ReceivedFile, answer_upload
from handlers.bucket.form_parser import StreamedForm
from models import errors
from models.bucket.embedded import errors as refusals
from models.bucket.embedded.staged import StagedFile
from models.bucket.policy import UploadPolicy, read_token

WRITE_BYTES = 512 * 1024
FORM_OVERHEAD_BYTES = 1024 * 1024
UNAUTHENTICATED_LIMIT_BYTES = 8 * 1024 * 1024
MIN_RATE_BYTES_PER_S = 4 * 1024
MAX_DURATION_S = 3600.0


class StreamingUploadHandler(BucketHandler):
    """A request whose body goes to a file. `admit` may refuse it, `take` gets its bytes, `size_limit` bounds it."""

    incoming: StagedFile | None = None
    error: Exception | None = None
    disconnected = False
    received_bytes = 0
    rate_timer: asyncio.TimerHandle | None = None

    async def prepare(self) -> None:
        room = 2 * self.bucket.size_limit_bytes + FORM_OVERHEAD_BYTES
        self.connection.set_max_body_size(room)
        length = self.request.headers.get("Content-Length", "")
        if length.isdecimal() and int(length[:20]) > room:
            self.set_header("Connection", "close")
            raise refusals.FileTooLarge("exceed FsizeLimit")
        self.connection.set_body_timeout(MAX_DURATION_S)
        self._check_min_rate(0)
        self.unwritten = bytearray()
        if self.request.method != "OPTIONS":
            await self._run_unless_failed(self.authorize)

    async def data_received(self, chunk: bytes) -> None:
        self.received_bytes += len(chunk)
        if self.request.method != "OPTIONS":
            await self._run_unless_failed(self.on_chunk, chunk)

    async def authorize(self) -> None:
        """Look at the request's head."""

    async def on_chunk(self, chunk: bytes) -> None:
        """Look at a piece of its body."""
        raise NotImplementedError

    def size_limit(self) -> int:
        """As far as it is known yet, in bytes."""
        return self.bucket.size_limit_bytes

    def open_file(self) -> StagedFile:
        """(blocks) The file that the body goes to."""
        return self.bucket.objects.stage()

    async def buffer(self, data: bytes) -> None:
        """Write in pieces that are worth a thread's while."""
        self.unwritten += data
        if len(self.unwritten) >= WRITE_BYTES:
            await self._write_out()

    async def finish_upload(self) -> StagedFile:
        """The whole file, from now on the caller's. Raises what it was refused for."""
        self._stop_rate_timer()
        if self.error is None:
            await self._run_unless_failed(self._write_out)
        if self.error is not None or self.incoming is None:
            raise self.error or refusals.MalformedUpload("there is no body")
        incoming, self.incoming = self.incoming, None
        return incoming

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.disconnected = True
        self._stop_rate_timer()
        if self.incoming is not None:
            self._discard_in_background()

    def on_finish(self) -> None:
        self._stop_rate_timer()
        if self.incoming is not None:
            self._discard_in_background()

    def _check_min_rate(self, before: int) -> None:
        """A slow line is welcome, one that only drips is cut: the server's own limit is for a whole body."""
        needed = before + MIN_RATE_BYTES_PER_S * self.bucket.stall_s
        if self.rate_timer is not None and self.received_bytes < needed:
            self.connection.close()
            return
        loop = asyncio.get_running_loop()
        self.rate_timer = loop.call_later(self.bucket.stall_s, self._check_min_rate, self.received_bytes)

    def _stop_rate_timer(self) -> None:
        if self.rate_timer is not None:
            self.rate_timer.cancel()

    async def _run_unless_failed(self, step: Callable[..., Awaitable[None]], *given: bytes) -> None:
        if self.error is None:
            try:
                await step(*given)
            except (refusals.KodoError, errors.TesseraError, OSError) as error:
                self.error = error
                await asyncio.to_thread(self._take_discard())

    def _discard_in_background(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, self._take_discard())

    def _take_discard(self) -> Callable[[], None]:
        """What removes the unfinished file, to be called in a thread."""
        incoming, self.incoming, self.unwritten = self.incoming, None, bytearray()
        return incoming.discard if incoming else lambda: None

    async def _write_out(self) -> None:
        data, self.unwritten = bytes(self.unwritten), bytearray()
        if self.incoming is None:
            self.incoming = await asyncio.to_thread(self.open_file)
        if self.disconnected:
            raise refusals.MalformedUpload("the client has left")
        if self.incoming.size_bytes + len(data) > self.size_limit():
            raise refusals.FileTooLarge("exceed FsizeLimit")
        await asyncio.to_thread(self.incoming.write, data)


@tornado.web.stream_request_body
class FormUploadHandler(StreamingUploadHandler):
    """POST multipart/form-data: token, key, file, and perhaps fname, crc32 and x:... of the client's own."""

    policy: UploadPolicy | None = None

    async def authorize(self) -> None:
        self.form = StreamedForm(self.request.headers.get("Content-Type", ""))

    async def on_chunk(self, chunk: bytes) -> None:
        data = self.form.feed(chunk)
        if data:
            self._check_early()
            await self.buffer(data)

    def size_limit(self) -> int:
        """The official JavaScript SDK sends the file before the token: a stranger gets no more disk than that takes."""
        most = self.bucket.size_limit_bytes
        return min(most, self.policy.fsizeLimit or most) if self.policy else min(most, UNAUTHENTICATED_LIMIT_BYTES)

    async def post(self) -> None:
        incoming = await self.finish_upload()
        try:
            self.form.close()
            policy = self._checked_policy()
            self._check_crc32(incoming)
            await answer_upload(self, policy, self._described(incoming))
        finally:
            await asyncio.to_thread(incoming.discard)

    def _described(self, incoming: StagedFile) -> ReceivedFile:
        fields = self.form.fields
        custom = {name: value for name, value in fields.items() if name.startswith("x:")}
        return ReceivedFile(incoming, fields.get("key"), fields.get("fname") or self.form.filename, custom)

    def _check_early(self) -> None:
        """With the token before the file, a refusal costs no disk."""
        if self.policy is None and "token" in self.form.fields:
            self.policy = self._checked_policy()

    def _checked_policy(self) -> UploadPolicy:
        policy = read_token(self.bucket.keys, self.form.fields.get("token", ""))
        self.check_bucket_name(policy.bucket)
        if "key" in self.form.fields:
            policy.check_key(self.form.fields["key"])
        return policy

    def _check_crc32(self, incoming: StagedFile) -> None:
        given = self.form.fields.get("crc32", "")
        if given and not (given.isascii() and given.isdigit() and int(given[:12]) == incoming.crc32):
            raise refusals.BadChecksum("crc32 is not correct")
