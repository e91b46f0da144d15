"""Everything of one's own, to take along: a zip file with data.json and every picture, sent as it is made."""

from __future__ import annotations

import asyncio
import json
import logging
import mimetypes
import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tornado.iostream import StreamClosedError

from handlers.auth import AuthenticatedUser
from handlers.base import ApiHandler, JsonDict, NoParams
from handlers.documents import image_document, timestamp
from handlers.images import shown_source
from models import errors
from models.bucket import Bucket
from models.images import Image
from models.queue.tasks import Task
from processing.executors import Executors
from processing.images.thumbnails import LIMIT_BYTES, READ_TIMEOUT_S
from processing.upkeep.account_deletion import Belongings
from processing.upkeep.zip_stream import ZipStream

log = logging.getLogger(__name__)

PIECE_BYTES = 256 * 1024
STALL_S = 30.0
AT_ONCE = 4
"""Each holds one picture in memory."""
RETRY_S = 30
UNSAFE = re.compile(r"[^\w.-]+")


class ExportSlots:
    """Which exports run: one for each person, a few in all."""

    def __init__(self) -> None:
        self._running: Counter[int] = Counter()

    def acquire(self, user_id: int) -> None:
        """Raises TooManyRequests."""
        if self._running[user_id] or self._running.total() >= AT_ONCE:
            raise errors.TooManyRequests(retry_after_s=RETRY_S)
        self._running[user_id] += 1

    def release(self, user_id: int) -> None:
        del self._running[user_id]


@dataclass(slots=True)
class ExportIndex:
    """What data.json says of the pictures. missing: ids of those whose file the bucket does not have."""

    images: list[JsonDict]
    missing: list[int]


class ExportHandler(ApiHandler):
    """The zip file. What goes wrong after its first byte breaks the connection: half a file must not look whole."""

    parameters = NoParams
    methods = ("GET",)
    timeout_s = None
    export_slots: ExportSlots
    belongings: Belongings
    bucket: Bucket
    executors: Executors

    async def reply(self, asked: NoParams) -> JsonDict:
        person = await self.require_user()
        self.export_slots.acquire(person.id)
        try:
            await self._send(person)
        finally:
            self.export_slots.release(person.id)
        return {}

    async def _send(self, person: AuthenticatedUser) -> None:
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", 'attachment; filename="tessera-export.zip"')
        try:
            async with aclosing(self._zip(person)) as pieces:
                async for data in pieces:
                    await self._write_out(data)
        except (StreamClosedError, TimeoutError, errors.TesseraError) as error:
            if not self._headers_written:
                raise
            log.info("user %s: the export broke off (%s) [%s]", person.id, type(error).__name__, self.request_id)
            self.detach().close()
        else:
            self.finish()

    async def _zip(self, person: AuthenticatedUser) -> AsyncGenerator[bytes, None]:
        """The pictures first, one at a time, then what there is to say of them and of their owner."""
        archive, listed = ZipStream(), ExportIndex([], [])
        async for image in self.belongings.images.iterate_by_owner(person.id):
            source = await shown_source(image, self.belongings.images)
            document = image_document(image, self.bucket, source=source, own=True) | {"file": None}
            listed.images.append(document)
            if image.key is None:
                continue
            try:
                picture = await self.executors.io(
                    self.bucket.read, image.key, limit_bytes=LIMIT_BYTES, timeout_s=READ_TIMEOUT_S
                )
            except errors.NotFound:
                listed.missing.append(image.id)
                continue
            document["file"] = file_name(image)
            yield await self.executors.io(archive.add, document["file"], picture, image.created)
        text = json.dumps(await self._data(person, listed), ensure_ascii=False, indent=1).encode()
        yield await self.executors.io(archive.add, "data.json", text, datetime.now(UTC), text=True)
        yield archive.close()

    async def _data(self, person: AuthenticatedUser, listed: ExportIndex) -> dict[str, Any]:
        user = await self.belongings.users.by_id(person.id)
        followed, followers = await self.belongings.follows.followed_and_followers(person.id)
        sessions = await self.belongings.sessions.of_user(person.id)
        return {
            "profile": {
                "id": user.id,
                "username": user.username,
                "email": user.email,
                "created": timestamp(user.created),
            },
            "follow_user": followed,
            "followed_user": followers,
            "images": listed.images,
            "missing": listed.missing,
            "tasks": [_task_document(task) async for task in self.belongings.tasks.each(person.id)],
            "sessions": [{"created": timestamp(one.created), "expires": timestamp(one.expires)} for one in sessions],
        }

    async def _write_out(self, data: bytes) -> None:
        """A piece at a time, the next one when the client has taken the last. Raises TimeoutError."""
        for start in range(0, len(data), PIECE_BYTES):
            self.write(data[start : start + PIECE_BYTES])
            async with asyncio.timeout(STALL_S):
                await self.flush()


def _task_document(task: Task) -> JsonDict:
    """What was asked and what came of it; the queue's own words (position, lease, turn) mean nothing elsewhere."""
    told = ("id", "type", "style", "recipe", "url", "source_id", "result_id", "result_url", "error", "seconds")
    moments = {name: timestamp(getattr(task, name)) for name in ("created", "started", "finished")}
    return {name: getattr(task, name) for name in told} | {"state": str(task.state)} | moments


def file_name(image: Image) -> str:
    """A picture's name in the zip file: its id first, so that no two are alike."""
    extension = mimetypes.guess_extension(image.mime) or ""
    stem = UNSAFE.sub("_", image.filename.rpartition("/")[2].rpartition(".")[0] or image.filename)[:80].strip("._")
    return f"pictures/{image.kind}-{image.id}{'-' + stem if stem else ''}{extension}"
