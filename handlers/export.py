"""The user's own data as a zip file: data.json and every image, streamed while it is made."""

from __future__ import annotations

import asyncio
import json
import logging
import mimetypes
import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tornado.iostream import StreamClosedError

from handlers.auth import AuthenticatedUser
from handlers.base import ApiHandler
from handlers.endpoint import endpoint
from handlers.schemas.base import timestamp, to_dict
from handlers.schemas.images import ImageSchema
from models import errors
from models.accounts.follows import FOLLOWED, FOLLOWERS, Follows
from models.accounts.sessions import Sessions
from models.accounts.users import Users
from models.bucket import Bucket
from models.images.image import Image
from models.images.images import Images
from models.queue.task import Task
from models.queue.tasks import Tasks
from processing.executors import Executors
from processing.fair_slots import most_of_client
from processing.images.thumbnails import LIMIT_BYTES, READ_TIMEOUT_S
from processing.upkeep.zip_stream import ZipStream

log = logging.getLogger(__name__)

JsonDict = dict[str, Any]

PIECE_BYTES = 256 * 1024
WRITE_TIMEOUT_S = 30.0
MIN_RATE_BYTES_PER_S = 64_000
EXPORTS_PER_ADDRESS = 2
MAX_EXPORTS = 4
"""At once; each holds one image in memory."""
RETRY_AFTER_S = 30
UNSAFE = re.compile(r"[^\w.-]+")


class ExportSlots:
    """Which exports run: one for each user, up to EXPORTS_PER_ADDRESS for each address, MAX_EXPORTS in all."""

    def __init__(self) -> None:
        self._addresses: dict[int, str] = {}

    def acquire(self, user_id: int, address: str) -> None:
        """address: a `rate_limit_key`. Raises TooManyRequests."""
        running = list(self._addresses.values())
        most = most_of_client(len(running), MAX_EXPORTS, EXPORTS_PER_ADDRESS)
        is_crowded = len(running) >= MAX_EXPORTS or running.count(address) >= most
        if is_crowded or user_id in self._addresses:
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        self._addresses[user_id] = address

    def release(self, user_id: int) -> None:
        del self._addresses[user_id]


@dataclass(frozen=True, slots=True)
class ExportIndex:
    """What data.json says of the images. missing: ids of those whose file is not in the bucket."""

    images: list[JsonDict]
    missing: list[int]


class ExportHandler(ApiHandler):
    """An error after the first byte closes the connection: half a zip file must not look complete."""

    timeout_s = None
    _sent_bytes = 0
    _waited_s = 0.0

    def initialize(
        self,
        export_slots: ExportSlots,
        users: Users,
        sessions: Sessions,
        follows: Follows,
        images: Images,
        tasks: Tasks,
        bucket: Bucket,
        executors: Executors,
    ) -> None:
        self.export_slots, self.users, self.sessions, self.follows = export_slots, users, sessions, follows
        self.images, self.tasks, self.executors = images, tasks, executors
        self.bucket = bucket.for_host(self.request.host)

    @endpoint(
        errors=(errors.NotAuthenticated, errors.TooManyRequests, errors.BucketUnavailable), media_type="application/zip"
    )
    async def get(self) -> None:
        """Everything that belongs to the user, as a zip file."""
        user = await self.require_user()
        self.export_slots.acquire(user.id, self.client_ip)
        try:
            await self._send(user)
        finally:
            self.export_slots.release(user.id)

    async def _send(self, user: AuthenticatedUser) -> None:
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", 'attachment; filename="tessera-export.zip"')
        if self.request.method == "HEAD":
            return
        try:
            async with aclosing(self._zip(user)) as pieces:
                async for data in pieces:
                    await self._write_out(data)
        except (StreamClosedError, TimeoutError, errors.TesseraError) as error:
            if not self._headers_written:  # pragma: no cover - the database fails before the first byte
                raise
            log.info("user %s: the export was aborted (%s) [%s]", user.id, type(error).__name__, self.request_id)
            self.detach().close()
        else:
            self.finish()

    async def _zip(self, user: AuthenticatedUser) -> AsyncGenerator[bytes, None]:
        """The images, one at a time, and then data.json."""
        archive, index = ZipStream(), ExportIndex([], [])
        async for image in self.images.iterate_by_owner(user.id):
            source = await self.images.shown_source(image)
            schema = ImageSchema.of(image, self.bucket, source=source, own=True, base_path=self.base_path)
            document = to_dict(schema) | {"file": None}
            index.images.append(document)
            if image.key is None:
                continue
            try:
                data = await self.executors.io(
                    self.bucket.read, image.key, limit_bytes=LIMIT_BYTES, timeout_s=READ_TIMEOUT_S
                )
            except errors.NotFound:
                index.missing.append(image.id)
                continue
            document["file"] = file_name(image)
            yield await self.executors.io(archive.add, document["file"], data, image.created)
        text = json.dumps(await self._data(user, index), ensure_ascii=False, indent=1).encode()
        yield await self.executors.io(archive.add, "data.json", text, datetime.now(UTC), text=True)
        yield archive.close()

    async def _data(self, current: AuthenticatedUser, index: ExportIndex) -> JsonDict:
        user = await self.users.by_id(current.id)
        sessions = await self.sessions.of_user(current.id)
        return {
            "profile": {
                "id": user.id,
                "username": user.username,
                "email": user.email,
                "created": timestamp(user.created),
            },
            "follow_user": [name async for name in self.follows.iterate_names(current.id, FOLLOWED)],
            "followed_user": [name async for name in self.follows.iterate_names(current.id, FOLLOWERS)],
            "images": index.images,
            "missing": index.missing,
            "tasks": [_task_document(task, self.bucket) async for task in self.tasks.iterate_by_owner(current.id)],
            "sessions": [
                {"created": timestamp(session.created), "expires": timestamp(session.expires)} for session in sessions
            ],
        }

    async def _write_out(self, data: bytes) -> None:
        """Write in pieces, each when the client has received the one before. Raises TimeoutError."""
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            self.write(piece)
            started_at = time.monotonic()
            async with asyncio.timeout(write_limit_s(self._sent_bytes, self._waited_s)):
                await self.flush()
            self._waited_s += time.monotonic() - started_at
            self._sent_bytes += len(piece)


def write_limit_s(sent_bytes: int, waited_s: float) -> float:
    """How long the next piece may take, in seconds. waited_s: how long the client took for what it has received.

    WRITE_TIMEOUT_S at first, and on average no slower than MIN_RATE_BYTES_PER_S: an export keeps a slot from others.
    """
    return min(WRITE_TIMEOUT_S, WRITE_TIMEOUT_S + sent_bytes / MIN_RATE_BYTES_PER_S - waited_s)


def _task_document(task: Task, bucket: Bucket) -> JsonDict:
    """The request and its result. What only the queue needs (position, lease, round) is left out."""
    names = ("id", "type", "style", "recipe", "url", "source_id", "result_id", "visibility", "error", "seconds")
    moments = {name: getattr(task, name) for name in ("created", "started", "finished")}
    return (
        {name: getattr(task, name) for name in names}
        | {"state": str(task.state), "result_url": task.result_key and bucket.url(task.result_key)}
        | {name: moment and timestamp(moment) for name, moment in moments.items()}
    )


def file_name(image: Image) -> str:
    """The name of an image in the zip file; the id makes it unique."""
    extension = mimetypes.guess_extension(image.mime) or ""
    stem = UNSAFE.sub("_", image.filename.rpartition("/")[2].rpartition(".")[0] or image.filename)[:80].strip("._")
    return f"pictures/{image.kind}-{image.id}{'-' + stem if stem else ''}{extension}"
