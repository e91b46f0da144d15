"""The life of a task on this server, from its lease to its recorded end, whatever happens in between.

Steps that fail because the database is away are repeated until it is back, so that a finished render is not lost. If
the lease was lost meanwhile, the record says so and the result is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar

from models import errors
from models.bucket import Bucket
from models.images.image import Image, ImageKind, NewImage
from models.images.visibility import SERVER, UNSTATED
from models.queue.lease import Lease, Outcome
from models.queue.task import Task, TaskState
from models.store import Store
from processing.engine import Engine, JobInterrupted, WorkerDied
from processing.engine.job import Job, JobResult, timeout_for
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.images.colours import resolve_colours
from processing.images.tile_pool import resolve_measured_tiles, save_features
from processing.queue.event_feed import publish_task
from processing.queue.run import Run, StillRunning
from processing.rendering import Cancelled

log = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

OUTAGE_PAUSE_S = 0.5
MAX_RETRY_PAUSE_S = 30.0
EXTERNAL_SOURCE_TTL = timedelta(minutes=10)
"""How long a result may be reused for a source that is not in our bucket: it may change."""
CLEANUP_POLLS, CLEANUP_POLL_S = 120, 0.5

MAX_TRIES: tuple[tuple[type[errors.TesseraError], int], ...] = (
    (errors.Unavailable, 14),
    (errors.SourceMissing, 4),
    (errors.JobError, 6),
)
"""How often a task is tried in all, by its error. With 14 tries it survives a bucket that is away for five minutes."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a run has made. is_new: the image's record was made by this run. job: None if an older result was reused."""

    image: Image
    is_new: bool
    job: JobResult | None = None


@dataclass(frozen=True, slots=True)
class TaskRunner:
    """cleanups: background tasks that delete what cancelled jobs have stored after they were given up."""

    store: Store
    engine: Engine
    executors: Executors
    bucket: Bucket
    policy: FetchPolicy
    max_megapixels: int
    max_result_megapixels: int
    cleanups: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, run: Run) -> Task | None:
        """Run a task and record its end. Returns the task as recorded, queued again or final; None: lease lost."""
        lease = run.lease
        try:
            if run.is_stopped:  # before it began: its lease may be lost, and events of another server newer
                raise Cancelled()
            log.info("task %s: running, attempt %s", run.task.id, run.task.attempts)
            publish_task(self.store.events, run.task)
            output = (None if lease.is_first else await self._reuse(run.task)) or await self._render(run)
        except Cancelled:  # by the user, or because this server stops
            ended = await persist(self.store.leases.release, lease)
        except JobInterrupted:
            ended = await persist(self.store.leases.record_loss, lease)
        except WorkerDied:
            ended = await persist(self.store.leases.record_crash, lease)
        except (errors.Unavailable, errors.JobError) as error:
            ended = await self._retry_or_fail(lease, error)
        except Exception as error:
            log.exception("task %s: unexpected error", run.task.id)
            ended = await self._retry_or_fail(lease, errors.JobError(retryable=isinstance(error, MemoryError)))
        else:
            ended = await self._finish(lease, output)
        finally:
            run.release_thread()
        if ended is None:
            ended = await persist(self.store.leases.finish, lease, Outcome(TaskState.CANCELLED))
        if ended is None:
            log.warning("task %s: the lease was lost; the result of this attempt is dropped", run.task.id)
            return None
        log.info("task %s: %s%s", ended.id, ended.state, f" ({ended.error})" if ended.error else "")
        publish_task(self.store.events, ended)
        return ended

    # --- output -----------------------------------------------------------------------------------------------------

    async def _reuse(self, task: Task) -> Output | None:
        """The result of an earlier task with the same source and recipe, as an image of this task's owner."""
        result = await persist(self.store.images.find_result, task.dedup_key)
        if result is None or result.key is None or not _is_current(result, task):
            return None
        output = await self._register(task, _copy_for(task, result))
        try:
            # after registering, so that the object cannot be deleted in between
            await self.executors.io(self.bucket.stat, result.key)
        except errors.NotFound:
            if output.is_new:  # pragma: no cover - the object is deleted meanwhile
                await self._unregister(output.image)
            return None
        return output

    async def _render(self, run: Run) -> Output:
        job = await self._job(run.task)
        try:
            result = await run.render(self.engine, job, lambda percent: self._publish_percent(job.task_id, percent))
        except StillRunning as error:
            cleanup = asyncio.create_task(self._clean_up(error.future, run.task))
            self.cleanups.add(cleanup)
            cleanup.add_done_callback(self.cleanups.discard)
            raise Cancelled() from None
        await persist(save_features, result.features, self.store.images)
        return await self._register(run.task, self._new_image(run.task, result), result, patient=run.has_company())

    async def _job(self, task: Task) -> Job:
        """Raises RecipeImpossible if an image in the recipe was deleted, or is not this owner's any more."""
        try:
            tiles = await persist(resolve_measured_tiles, task.recipe, task.owner, self.store.images)
            colours = await persist(resolve_colours, task.recipe, task.owner, self.store.images)
        except errors.BadParameter as error:  # pragma: no cover - a tile is deleted while the task waits
            raise errors.RecipeImpossible.of(error.details) from error
        return Job(
            task_id=task.id,
            url=task.url,
            source_key=task.source_key,
            recipe=task.recipe,
            bucket=self.bucket,
            policy=self.policy,
            max_megapixels=self.max_megapixels,
            max_result_megapixels=self.max_result_megapixels,
            timeout_s=timeout_for(tiles),
            tiles=tiles,
            colours=colours,
        )

    async def _register(
        self, task: Task, new: NewImage, job: JobResult | None = None, *, patient: bool = False
    ) -> Output:
        """Record an image, unless its owner has such a record; that one becomes as visible as the owner has chosen."""
        if new.owner.is_guest:  # who may have signed up meanwhile
            new = replace(new, owner=(await persist(self.store.tasks.by_id, task.id)).owner)
        image = await persist(self.store.images.add, new, patient=patient)
        if is_new := new.is_recorded_as(image):
            await self._check_quota(task, image)
        elif task.visibility is not None:
            image = await persist(self.store.images.choose_again, image, task.visibility, new.batch)
        return Output(image, is_new, job)

    async def _check_quota(self, task: Task, image: Image) -> None:
        """Raise QuotaExceeded, without the image, if its owner has too much with it."""
        try:
            await persist(self.store.quotas.check_result, image.owner, image.filesize)
        except errors.QuotaExceeded:
            if await self._unregister(image) and not await persist(self.store.tasks.has_running_duplicate, task):
                await self._delete_objects(image.key, image.map_key)
            raise

    async def _unregister(self, image: Image) -> bool:
        """Delete a record. Returns whether no other record has its object."""
        try:
            return await persist(self.store.images.delete, image.id, image.owner.id)
        except errors.NotFound:  # pragma: no cover - deleted by its owner meanwhile
            return False

    def _new_image(self, task: Task, result: JobResult) -> NewImage:
        return NewImage(
            ImageKind.RESULT,
            task.owner,
            key=result.key,
            url=self.bucket.url(result.key),
            filename=result.key.rpartition("/")[2],
            filesize=result.size_bytes,
            param=task.style,
            mime=result.mime,
            width=result.width,
            height=result.height,
            etag=result.etag,
            placeholder=result.placeholder,
            style=task.style,
            recipe=task.recipe,
            dedup_key=task.dedup_key,
            source_id=task.source_id,
            map_key=result.map_key,
            visibility=task.visibility or UNSTATED,
            batch=task.batch,
        )

    def _publish_percent(self, task_id: int, percent: int) -> None:
        self.store.events.publish("progress", {"id": task_id, "percent": percent})

    # --- ends -------------------------------------------------------------------------------------------------------

    async def _finish(self, lease: Lease, output: Output) -> Task | None:
        """Record the task as done. None if it was cancelled or the lease was lost."""
        image = output.image
        outcome = Outcome(TaskState.DONE, result_id=image.id, result_key=image.key, visibility=image.visibility)
        if (job := output.job) is not None:
            outcome = replace(outcome, seconds=job.seconds, megapixels=job.megapixels, steps=job.steps)
        ended = await persist(self.store.leases.finish, lease, outcome)
        if ended is None and output.is_new:
            await self._discard(lease.task, output.image)
        return ended

    async def _discard(self, task: Task, image: Image) -> None:
        """Delete the result of a cancelled task. After a lost lease another server makes the same result: keep it."""
        if not (await persist(self.store.tasks.by_id, task.id)).cancel_requested:
            return
        if await self._unregister(image) and not await persist(self.store.tasks.has_running_duplicate, task):
            await self._delete_objects(image.key, image.map_key)

    async def _retry_or_fail(self, lease: Lease, error: errors.Unavailable | errors.JobError) -> Task | None:
        delay_s = _retry_delay_s(lease.task, error)
        if delay_s is None:
            outcome = Outcome(TaskState.FAILED, error=error.slug, error_details=error.plain_details())
            return await persist(self.store.leases.finish, lease, outcome)
        log.warning("task %s: %s; trying again in %.1f s", lease.task.id, error.slug, delay_s)
        place = await persist(self.store.fair_order.reassign, lease.task.id, lease.task.owner)
        return await persist(self.store.leases.postpone, lease, delay_s, place, error.slug)

    async def _clean_up(self, future: asyncio.Future[JobResult], task: Task) -> None:
        """Delete what a job stored although it was stopped, unless an image has it.

        Tasks that may be making the same result are waited for. If there are always some, reconciliation deletes the
        object later.
        """
        try:
            result = await future
            for _ in range(CLEANUP_POLLS):
                if not await self.store.tasks.has_running_duplicate(task):
                    if await self.store.images.by_key(result.key, SERVER) is None:
                        await self._delete_objects(result.key, result.map_key)
                    return
                await asyncio.sleep(CLEANUP_POLL_S)
        except (Cancelled, errors.Unavailable, errors.JobError, WorkerDied):
            pass
        except Exception:  # pragma: no cover - a bug of ours
            log.exception("task %s: cleaning up failed", task.id)

    async def _delete_objects(self, *keys: str | None) -> None:
        with contextlib.suppress(errors.BucketUnavailable):
            for key in filter(None, keys):
                await self.executors.io(self.bucket.delete, key)


async def persist(step: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a step that reads or writes the database; repeat it while the database is unavailable."""
    while True:
        try:
            return await step(*args, **kwargs)
        except errors.DatabaseUnavailable:
            await asyncio.sleep(OUTAGE_PAUSE_S)


def _retry_delay_s(task: Task, error: errors.Unavailable | errors.JobError) -> float | None:
    """Seconds until the next try; None if the error is permanent or the tries are used up.

    A source that is missing in our own bucket is tried again: a bucket may answer 404 for a moment after storing.
    """
    just_stored = isinstance(error, errors.SourceMissing) and task.source_key is not None
    if not (just_stored or isinstance(error, errors.Unavailable) or error.retryable):
        return None
    limit = next(limit for kind, limit in MAX_TRIES if isinstance(error, kind))
    if task.retries + 1 >= limit:
        return None
    return min(MAX_RETRY_PAUSE_S, 2.0**task.retries) * random.uniform(0.75, 1.25)


def _is_current(result: Image, task: Task) -> bool:
    """A source in our bucket never changes; one at another host may."""
    return task.source_key is not None or datetime.now(UTC) - result.created < EXTERNAL_SOURCE_TTL


def _copy_for(task: Task, result: Image) -> NewImage:
    """A result as a new image of another task's owner, without what the first owner has written about it."""
    shared = {each.name: getattr(result, each.name) for each in fields(NewImage) if each.name != "created"}
    own = {"owner": task.owner, "source_id": task.source_id, "batch": task.batch}
    return NewImage(**{**shared, **own, "visibility": task.visibility or UNSTATED})
