"""The embedded bucket's form upload: a token is checked, a file is stored, our server is called back.

The file is written as it arrives and never held in memory. A refusal is answered when the body has ended: a browser
that is cut off in the middle would only see a broken connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import tornado.web

from handlers.bucket.base import BucketHandler
from handlers.bucket.callback import Received, answer_upload
from handlers.bucket.form_parser import StreamedForm
from models import errors
from models.bucket.embedded import errors as refusals
from models.bucket.embedded.staged import Incoming
from models.bucket.policy import UploadPolicy, read_token

WRITE_BYTES = 512 * 1024
FORM_OVERHEAD_BYTES = 1024 * 1024
UNPROVEN_BYTES = 8 * 1024 * 1024
SLOWEST_BYTES_PER_S = 4 * 1024
LONGEST_S = 3600.0


class StreamingUpload(BucketHandler):
    """A request whose body goes to a file. `admit` may refuse it, `take` gets its bytes, `size_limit` bounds it."""

    incoming: Incoming | None = None
    refused: Exception | None = None
    gone = False
    arrived = 0
    pace: asyncio.TimerHandle | None = None

    async def prepare(self) -> None:
        room = 2 * self.bucket.size_limit_bytes + FORM_OVERHEAD_BYTES
        self.connection.set_max_body_size(room)
        length = self.request.headers.get("Content-Length", "")
        if length.isdecimal() and int(length[:20]) > room:
            self.set_header("Connection", "close")
            raise refusals.TooLarge("exceed FsizeLimit")
        self.connection.set_body_timeout(LONGEST_S)
        self._keep_pace(0)
        self.waiting = bytearray()
        if self.request.method != "OPTIONS":
            await self._unless_refused(self.admit)

    async def data_received(self, chunk: bytes) -> None:
        self.arrived += len(chunk)
        if self.request.method != "OPTIONS":
            await self._unless_refused(self.take, chunk)

    async def admit(self) -> None:
        """Look at the request's head."""

    async def take(self, chunk: bytes) -> None:
        """Look at a piece of its body."""
        raise NotImplementedError

    def size_limit(self) -> int:
        """As far as it is known yet, in bytes."""
        return self.bucket.size_limit_bytes

    def begin(self) -> Incoming:
        """(blocks) The file that the body goes to."""
        return self.bucket.objects.begin()

    async def keep(self, data: bytes) -> None:
        """Write in pieces that are worth a thread's while."""
        self.waiting += data
        if len(self.waiting) >= WRITE_BYTES:
            await self._write_out()

    async def received(self) -> Incoming:
        """The whole file, from now on the caller's. Raises what it was refused for."""
        self._stop_pace()
        if self.refused is None:
            await self._unless_refused(self._write_out)
        if self.refused is not None or self.incoming is None:
            raise self.refused or refusals.MalformedUpload("there is no body")
        incoming, self.incoming = self.incoming, None
        return incoming

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.gone = True
        self._stop_pace()
        if self.incoming is not None:
            self._forget()

    def on_finish(self) -> None:
        self._stop_pace()
        if self.incoming is not None:
            self._forget()

    def _keep_pace(self, before: int) -> None:
        """A slow line is welcome, one that only drips is cut: the server's own limit is for a whole body."""
        needed = before + SLOWEST_BYTES_PER_S * self.bucket.stall_s
        if self.pace is not None and self.arrived < needed:
            self.connection.close()
            return
        loop = asyncio.get_running_loop()
        self.pace = loop.call_later(self.bucket.stall_s, self._keep_pace, self.arrived)

    def _stop_pace(self) -> None:
        if self.pace is not None:
            self.pace.cancel()

    async def _unless_refused(self, step: Callable[..., Awaitable[None]], *given: bytes) -> None:
        if self.refused is None:
            try:
                await step(*given)
            except (refusals.Refusal, errors.TesseraError, OSError) as error:
                self.refused = error
                await asyncio.to_thread(self._let_go())

    def _forget(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, self._let_go())

    def _let_go(self) -> Callable[[], None]:
        """What removes the unfinished file, to be called in a thread."""
        incoming, self.incoming, self.waiting = self.incoming, None, bytearray()
        return incoming.discard if incoming else lambda: None

    async def _write_out(self) -> None:
        data, self.waiting = bytes(self.waiting), bytearray()
        if self.incoming is None:
            self.incoming = await asyncio.to_thread(self.begin)
        if self.gone:
            raise refusals.MalformedUpload("the client has left")
        if self.incoming.size_bytes + len(data) > self.size_limit():
            raise refusals.TooLarge("exceed FsizeLimit")
        await asyncio.to_thread(self.incoming.write, data)


@tornado.web.stream_request_body
class UploadForm(StreamingUpload):
    """POST multipart/form-data: token, key, file, and perhaps fname, crc32 and x:... of the client's own."""

    policy: UploadPolicy | None = None

    async def admit(self) -> None:
        self.form = StreamedForm(self.request.headers.get("Content-Type", ""))

    async def take(self, chunk: bytes) -> None:
        data = self.form.feed(chunk)
        if data:
            self._check_early()
            await self.keep(data)

    def size_limit(self) -> int:
        """The official JavaScript SDK sends the file before the token: a stranger gets no more disk than that takes."""
        most = self.bucket.size_limit_bytes
        return min(most, self.policy.fsizeLimit or most) if self.policy else min(most, UNPROVEN_BYTES)

    async def post(self) -> None:
        incoming = await self.received()
        try:
            self.form.close()
            policy = self._checked_policy()
            self._check_crc32(incoming)
            await answer_upload(self, policy, self._described(incoming))
        finally:
            await asyncio.to_thread(incoming.discard)

    def _described(self, incoming: Incoming) -> Received:
        fields = self.form.fields
        custom = {name: value for name, value in fields.items() if name.startswith("x:")}
        return Received(incoming, fields.get("key"), fields.get("fname") or self.form.filename, custom)

    def _check_early(self) -> None:
        """With the token before the file, a refusal costs no disk."""
        if self.policy is None and "token" in self.form.fields:
            self.policy = self._checked_policy()

    def _checked_policy(self) -> UploadPolicy:
        policy = read_token(self.bucket.keys, self.form.fields.get("token", ""))
        self.refuse_other_bucket(policy.bucket)
        if "key" in self.form.fields:
            policy.check_key(self.form.fields["key"])
        return policy

    def _check_crc32(self, incoming: Incoming) -> None:
        given = self.form.fields.get("crc32", "")
        if given and not (given.isascii() and given.isdigit() and int(given[:12]) == incoming.crc32):
            raise refusals.BadChecksum("crc32 is not correct")
