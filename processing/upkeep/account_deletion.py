"""Departure: somebody deletes the account, and everything that was theirs goes.

The user is marked first; from then on nobody finds them, and whatever comes between (a crash, a database that is
away), the rest is done again from its beginning until the user's record, the last to go, is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from models import errors
from models.bucket import Bucket
from models.follows import Follows
from models.images import Images
from models.queue.own_tasks import OwnTasks
from models.sessions import Sessions
from models.uploads import PendingUploads
from models.users import Users
from processing.executors import Executors
from processing.queue.task_queue import TaskQueue
from processing.upkeep.image_deletion import ImageDeletions

log = logging.getLogger(__name__)

RETRY_INTERVAL_S = 5.0
CANCEL_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Belongings:
    """Where something of a person may be."""

    users: Users
    sessions: Sessions
    follows: Follows
    images: Images
    uploads: PendingUploads
    tasks: OwnTasks


class AccountDeletions:
    """`async with` takes up what an earlier server left unfinished; at the end what runs is left to the next start."""

    def __init__(
        self,
        of: Belongings,
        *,
        queue: TaskQueue,
        image_deletions: ImageDeletions,
        bucket: Bucket,
        executors: Executors,
        retry_interval_s: float = RETRY_INTERVAL_S,
    ) -> None:
        self._of, self._queue, self._image_deletions = of, queue, image_deletions
        self._bucket, self._executors = bucket, executors
        self._retry_interval_s = retry_interval_s
        self._running: dict[int, asyncio.Task[None]] = {}

    async def __aenter__(self) -> AccountDeletions:
        for user_id in await self._of.users.deleting():
            log.info("user %s: was leaving when the server ended", user_id)
            self._start(user_id)
        return self

    async def __aexit__(self, *_: object) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def begin(self, user_id: int) -> None:
        """Mark the user; what follows survives a crash. Raises DatabaseUnavailable."""
        await self._of.users.mark_deleting(user_id)
        log.info("user %s: leaves", user_id)
        self._start(user_id)

    async def wait(self, user_id: int, *, within_s: float) -> bool:
        """Wait until everything is gone. Whether it is by then."""
        running = self._running.get(user_id)
        if running is not None:
            await asyncio.wait([running], timeout=within_s)
        return running is None or running.done()

    def _start(self, user_id: int) -> None:
        if user_id not in self._running:
            task = asyncio.create_task(self._delete_with_retries(user_id))
            self._running[user_id] = task
            task.add_done_callback(lambda _: self._running.pop(user_id, None))

    async def _delete_with_retries(self, user_id: int) -> None:
        while True:
            try:
                await self._delete_everything(user_id)
            except errors.Unavailable as error:
                log.warning("user %s: cannot leave yet (%s); trying again", user_id, error.slug)
            except Exception:
                log.exception("user %s: cannot leave yet, for a reason that nobody foresaw; trying again", user_id)
            else:
                log.info("user %s: has left", user_id)
                return
            await asyncio.sleep(self._retry_interval_s)

    async def _delete_everything(self, user_id: int) -> None:
        """Out of sight first. Pictures twice: a task may have made one while it was being cancelled."""
        await self._of.sessions.close_all(user_id)
        await self._of.follows.delete_of(user_id)
        await self._of.images.hide_all(user_id)
        await self._cancel_tasks(user_id)
        await self._of.images.hide_all(user_id)
        await self._image_deletions.finish_pending(user_id)
        await self._delete_pending_uploads(user_id)
        await self._of.tasks.forget(user_id)
        await self._of.users.delete(user_id)
        await self._of.sessions.close_all(user_id)

    async def _cancel_tasks(self, user_id: int) -> None:
        """Cancel until nothing lives: one that a dying server held comes back into the queue."""
        while live := await self._of.tasks.live(user_id):
            for task in live:
                with contextlib.suppress(errors.InvalidState, errors.NotFound):
                    await self._queue.cancel(task.id)
            await asyncio.sleep(CANCEL_POLL_S)

    async def _delete_pending_uploads(self, user_id: int) -> None:
        while waiting := await self._of.uploads.of_owner(user_id):
            for upload in waiting:
                await self._executors.io(self._bucket.delete, upload.key)
                await self._of.uploads.complete(upload.key)
