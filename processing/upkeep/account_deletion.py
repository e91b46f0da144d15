"""Account deletion: deletes everything that belongs to a user, and the user's own record last.

The user is marked first and cannot be found from then on. After a crash or an outage the deletion starts again from
its beginning, until the user's record is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from models import errors
from models.bucket import Bucket
from models.queue.events import MAX_DELAY_S
from models.store import Store
from processing.background import cancel
from processing.executors import Executors
from processing.queue.task_queue import TaskQueue
from processing.upkeep.image_deletion import ImageDeletions

log = logging.getLogger(__name__)

RETRY_INTERVAL_S = 5.0
CANCEL_POLL_S = 0.1


class AccountDeletions:
    """`async with` resumes the deletions that an earlier server left unfinished; at the end the running ones stop."""

    def __init__(
        self,
        store: Store,
        *,
        queue: TaskQueue,
        image_deletions: ImageDeletions,
        bucket: Bucket,
        executors: Executors,
        retry_interval_s: float = RETRY_INTERVAL_S,
    ) -> None:
        self._store, self._queue, self._image_deletions = store, queue, image_deletions
        self._bucket, self._executors = bucket, executors
        self._retry_interval_s = retry_interval_s
        self._running: dict[int, asyncio.Task[None]] = {}

    async def __aenter__(self) -> AccountDeletions:
        for user_id in await self._store.users.deleting():
            log.info("user %s: resuming the deletion", user_id)
            self._start(user_id)
        return self

    async def __aexit__(self, *_: object) -> None:
        await cancel(self._running.values())

    async def begin(self, user_id: int) -> None:
        """Mark the user and start the deletion, which survives a crash. Raises DatabaseUnavailable."""
        await self._store.users.mark_deleting(user_id)
        log.info("user %s: deleting", user_id)
        self._start(user_id)

    async def wait(self, user_id: int, *, within_s: float) -> bool:
        """Wait until everything is deleted. Returns whether it is by then."""
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
                log.warning("user %s: deletion interrupted (%s); trying again", user_id, error.slug)
            except Exception:  # pragma: no cover - a bug of ours
                log.exception("user %s: deletion failed unexpectedly; trying again", user_id)
            else:
                log.info("user %s: deleted", user_id)
                return
            await asyncio.sleep(self._retry_interval_s)

    async def _delete_everything(self, user_id: int) -> None:
        """Hides everything first. Images twice: a task may have stored one while it was being cancelled."""
        store = self._store
        await store.sessions.close_all(user_id)
        await store.follows.delete_of(user_id)
        await store.images.hide_all(user_id)
        await self._cancel_tasks(user_id)
        await store.images.hide_all(user_id)
        await self._image_deletions.finish_pending(user_id)
        await self._delete_pending_uploads(user_id)
        await store.task_log.delete([task.id async for task in store.tasks.iterate_by_owner(user_id)])
        await store.tasks.delete_of(user_id)
        await asyncio.sleep(MAX_DELAY_S)
        await store.tasks.anonymise_events_of(user_id)
        await store.users.delete(user_id)
        await store.sessions.close_all(user_id)

    async def _cancel_tasks(self, user_id: int) -> None:
        """Cancel until none is active: a task of a server that died comes back into the queue."""
        while active := await self._store.tasks.active_of(user_id):
            for task in active:
                with contextlib.suppress(errors.InvalidState, errors.NotFound):
                    await self._queue.cancel(task.id)
            await asyncio.sleep(CANCEL_POLL_S)

    async def _delete_pending_uploads(self, user_id: int) -> None:
        while pending := await self._store.uploads.of_owner(user_id):
            for upload in pending:
                await self._executors.io(self._bucket.delete, upload.key)
                await self._store.uploads.complete(upload.key)
