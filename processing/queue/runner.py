"""One attempt at one task, from its claim to its recorded end, whatever happens in between.

Steps that the database does not take are repeated until it does: what was made is worth waiting for. If meanwhile the
lease was lost, the record says so and the result is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from models import errors
from models.bucket import Bucket
from models.images import Image, ImageKind, Images, new_image
from models.queue.events import Events
from models.queue.leases import Lease, Leases
from models.queue.tasks import Task, Tasks, TaskState, to_document
from processing.engine import Engine, WorkerDied
from processing.engine.job import Job, JobResult
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.images.tile_pool import resolve_tiles
from processing.queue.attempt import Run, StillRunning
from processing.rendering import Cancelled

log = logging.getLogger(__name__)

T = TypeVar("T")

DATABASE_PAUSE_S = 0.5
MAX_RETRY_PAUSE_S = 30.0
EXTERNAL_SOURCE_TTL = timedelta(minutes=10)
"""For so long a picture at somebody else's address is taken to be the same."""
PRECISION = timedelta(milliseconds=1)
"""Of times in the database."""
CLEANUP_POLLS, CLEANUP_POLL_S = 120, 0.5
HANG_GRACE_S = 30.0
"""After the job's own deadline; then its thread hangs in a call that nothing can interrupt."""

MAX_TRIES: tuple[tuple[type[errors.TesseraError], int], ...] = (
    (errors.Unavailable, 14),
    (errors.SourceMissing, 4),
    (errors.JobError, 6),
)
"""How often a cause that may pass is tried in all: a bucket that is away for five minutes costs nobody a picture."""


@dataclass(frozen=True, slots=True)
class TaskRunner:
    """Everything that an attempt needs."""

    claims: Leases
    tasks: Tasks
    images: Images
    events: Events
    engine: Engine
    threads: Executors
    bucket: Bucket
    rules: FetchPolicy
    max_megapixels: int
    cleanups: set[asyncio.Task[None]] = field(default_factory=set)
    """What clears up after jobs that were not waited for."""

    async def run(self, attempt: Run) -> Task | None:
        """The task as it ended (queued again, or final); None if another server has it."""
        try:
            image, fresh, made = await self._make(attempt)
        except Cancelled:
            return await self._stopped(attempt.claim)
        except (errors.Unavailable, errors.JobError) as error:
            return await self._failed(attempt.claim, error)
        except WorkerDied:
            return await self._record(lambda: self.claims.record_crash(attempt.claim))
        except Exception:
            log.exception("task %s: failed in a way that nobody foresaw", attempt.claim.task.id)
            return await self._failed(attempt.claim, errors.JobError())
        return await self._done(attempt.claim, image, fresh, made)

    def publish(self, task: Task) -> None:
        self.events.publish("task", {"_id": task.id, **to_document(task), "server": task.server})

    # --- making -------------------------------------------------------------------------------------------------

    async def _make(self, attempt: Run) -> tuple[Image, bool, JobResult | None]:
        """The result's image: one that exists already, or a new one; and whether it is a new record."""
        task = attempt.claim.task
        known = await self._record(lambda: self.images.find_result(task.dedup_key))
        if known is not None and known.key is not None and _is_current(known, task):
            image, fresh = await self._register(task, _shared(known) | {"source_id": task.source_id})
            if await self._is_kept(known.key):
                return image, fresh, None
            if fresh:
                await self._forget(image)
        made = await self._render(attempt)
        image, fresh = await self._register(task, self._described(task, made))
        return image, fresh, made

    async def _render(self, attempt: Run) -> JobResult:
        if attempt.stopping:
            raise Cancelled()
        job = await self._job(attempt.claim.task)
        attempt.begin(self.engine, job, lambda percent: self._tell_percent(job.task_id, percent))
        try:
            async with asyncio.timeout(job.timeout_s + HANG_GRACE_S):
                return await attempt.result()
        except StillRunning as error:
            clearing = asyncio.create_task(self._clear_up(error.ending, attempt.claim.task))
            self.cleanups.add(clearing)
            clearing.add_done_callback(self.cleanups.discard)
            raise Cancelled() from None
        except TimeoutError:
            attempt.stop()
            log.error("task %s: its thread hangs and is given up", job.task_id)
            raise errors.TimedOut(limit_s=int(job.timeout_s)) from None
        finally:
            attempt.close()

    async def _clear_up(self, ending: asyncio.Future[JobResult], task: Task) -> None:
        """What a job stored although it was stopped goes, unless it is somebody's. Those who may be making the same
        are waited for; if there are always some, the bucket is swept of it later."""
        try:
            made = await ending
            for _ in range(CLEANUP_POLLS):
                if not await self.tasks.has_running_duplicate(task):
                    if await self.images.by_key(made.key) is None:
                        await self._delete(made.key, made.map_key)
                    return
                await asyncio.sleep(CLEANUP_POLL_S)
        except (Cancelled, errors.Unavailable, errors.JobError, WorkerDied):
            return
        except Exception:
            log.exception("task %s: clearing up after it failed", task.id)

    async def _delete(self, *keys: str | None) -> None:
        with contextlib.suppress(errors.BucketUnavailable):
            for key in filter(None, keys):
                await self.threads.io(self.bucket.delete, key)

    async def _register(self, task: Task, known: dict[str, Any]) -> tuple[Image, bool]:
        """A record of the result for the task's owner, and whether it is new."""
        wanted = new_image(ImageKind.RESULT, task.owner, **known)
        image = await self._record(lambda: self.images.add(wanted))
        return image, abs(image.created - wanted.created) < PRECISION

    async def _is_kept(self, key: str) -> bool:
        """Whether the bucket has it. Asked after the record was made, so that nobody deletes it in between."""
        try:
            await self.threads.io(self.bucket.stat, key)
        except errors.NotFound:
            return False
        return True

    async def _job(self, task: Task) -> Job:
        """Raises RecipeImpossible where a picture that the recipe names is gone, or not this owner's any more."""
        try:
            tiles = await self._record(lambda: resolve_tiles(task.recipe, task.owner, self.images))
        except errors.BadParameter as error:
            raise errors.RecipeImpossible(retryable=False, **error.details) from error
        return Job(
            task_id=task.id,
            url=task.url,
            source_key=task.source_key,
            recipe=task.recipe,
            bucket=self.bucket,
            policy=self.rules,
            max_megapixels=self.max_megapixels,
            tiles=tiles,
        )

    def _described(self, task: Task, made: JobResult) -> dict[str, Any]:
        return {
            "key": made.key,
            "url": self.bucket.url(made.key),
            "filename": made.key.rpartition("/")[2],
            "filesize": made.size_bytes,
            "param": task.style,
            "mime": made.mime,
            "width": made.width,
            "height": made.height,
            "etag": made.etag,
            "placeholder": made.placeholder,
            "style": task.style,
            "recipe": task.recipe,
            "dedup_key": task.dedup_key,
            "source_id": task.source_id,
            "map_key": made.map_key,
        }

    def _tell_percent(self, task_id: int, percent: int) -> None:
        self.events.publish("progress", {"id": task_id, "percent": percent})

    # --- ending -------------------------------------------------------------------------------------------------

    async def _done(self, claim: Lease, image: Image, fresh: bool, made: JobResult | None) -> Task | None:
        known: dict[str, Any] = {"result_id": image.id, "result_url": image.url, "percent": 100}
        if made is not None:
            known |= {"seconds": made.seconds, "megapixels": made.megapixels}
        task = await self._record(lambda: self.claims.finish(claim, TaskState.DONE, **known))
        return task or await self._too_late(claim, image if fresh else None)

    async def _too_late(self, claim: Lease, image: Image | None) -> Task | None:
        """Somebody cancelled: what was stored goes. Or the lease was lost: another server makes the same."""
        if image is not None and (await self._record(lambda: self.tasks.by_id(claim.task.id))).cancel_requested:
            orphan = await self._forget(image)
            if orphan and image.key and not await self._record(lambda: self.tasks.has_running_duplicate(claim.task)):
                await self._delete(image.key, image.map_key)
        return await self._cancelled(claim)

    async def _forget(self, image: Image) -> bool:
        """Delete a record. Whether its object is nobody's now."""
        try:
            return await self._record(lambda: self.images.delete(image.id, image.owner.id))
        except errors.NotFound:
            return False

    async def _stopped(self, claim: Lease) -> Task | None:
        """Cancelled where that was asked; otherwise the server stops, or the news was of an earlier attempt."""
        task = await self._record(lambda: self.claims.release(claim))
        return task or await self._cancelled(claim)

    async def _failed(self, claim: Lease, error: errors.Unavailable | errors.JobError) -> Task | None:
        pause_s = _pause_s(claim.task, error)
        if pause_s is not None:
            log.warning("task %s: %s; trying again in %.1f s", claim.task.id, error.slug, pause_s)
            task = await self._record(lambda: self.claims.release(claim, pause_s=pause_s, failed=True))
        else:
            known = {"error": error.slug, "error_details": {name: _shown(fact) for name, fact in error.details.items()}}
            task = await self._record(lambda: self.claims.finish(claim, TaskState.FAILED, **known))
        return task or await self._cancelled(claim)

    async def _cancelled(self, claim: Lease) -> Task | None:
        task = await self._record(lambda: self.claims.finish(claim, TaskState.CANCELLED))
        if task is None:
            log.warning("task %s: the lease was lost; what this attempt says is dropped", claim.task.id)
        return task

    async def _record(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do it, if need be when the database is back."""
        while True:
            try:
                return await step()
            except errors.DatabaseUnavailable:
                await asyncio.sleep(DATABASE_PAUSE_S)


def _pause_s(task: Task, error: errors.Unavailable | errors.JobError) -> float | None:
    """How long a task rests before it is tried again; None if its error does not pass.

    A source that our own bucket does not have may be seconds old: buckets may answer 404 for a moment after storing.
    """
    late = isinstance(error, errors.SourceMissing) and task.source_key is not None
    if not (late or isinstance(error, errors.Unavailable) or error.retryable):
        return None
    limit = next(limit for kind, limit in MAX_TRIES if isinstance(error, kind))
    if task.retries + 1 >= limit:
        return None
    return min(MAX_RETRY_PAUSE_S, 2.0**task.retries) * random.uniform(0.75, 1.25)


def _is_current(known: Image, task: Task) -> bool:
    """What lies in our bucket never changes; a picture elsewhere may."""
    return task.source_key is not None or datetime.now(UTC) - known.created < EXTERNAL_SOURCE_TTL


def _shown(fact: object) -> object:
    return fact if isinstance(fact, str | int | float | bool) else str(fact)


def _shared(known: Image) -> dict[str, Any]:
    """What a result tells of itself, whoever owns it."""
    private = ("id", "kind", "owner", "created", "title", "alt", "show_source", "source_id")
    return {name: getattr(known, name) for name in Image.__slots__ if name not in private}
