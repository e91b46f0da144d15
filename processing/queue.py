"""The task queue: takes what people ask for, lets workers run it, and records every step before it is told.

MongoDB is the record (`models/tasks.py`), the engine does the work (`processing/engine.py`), the live view tells
(`processing/live.py`). Accepting a task is durable before the answer; a server that dies loses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from models import errors
from models.bucket import Bucket
from models.events import Events
from models.images import Image, Images, Kind, Owner, new_image
from models.tasks import Claim, Task, Tasks, TaskState, new_task, to_document
from processing.engine import Engine, Run, Threads
from processing.job import Job, JobResult, Stopped, identity_of
from processing.live import LiveView, News
from processing.pace import Pace
from processing.sources import FetchRules

log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_S = 1.0
"""How often an idle worker looks for tasks that other servers queued or that rested."""
HEARTBEAT_S = 4.0
PROGRESS_PAUSE_S = 0.15
TRY_LIMIT = 8
LONGEST_PAUSE_S = 30.0
DRAIN_S = 20.0
STOP_S = 2.0
BUSY_RETRY_S = 10
"""What a full queue tells people to wait while nothing is known of its pace."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """Tasks that may wait or run: in all, and of one person."""

    total: int
    each: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where a task's picture is: an address, and its key and image where it lies in our bucket."""

    url: str
    key: str | None = None
    image_id: int | None = None


@dataclass(slots=True)
class _Attempt:
    """What this server knows of one task that it runs."""

    claim: Claim
    run: Run | None = None
    percent: int = -1
    told_at: float = 0.0
    stopping: bool = False

    def stop(self) -> None:
        self.stopping = True
        if self.run is not None:
            self.run.stop()


class TaskQueue:
    """`async with` starts the workers, and at the end drains them: see `stop`."""

    def __init__(
        self,
        server: str,
        *,
        tasks: Tasks,
        images: Images,
        events: Events,
        live: LiveView,
        engine: Engine,
        threads: Threads,
        bucket: Bucket,
        rules: FetchRules,
        max_megapixels: int,
        limits: QueueLimits,
    ) -> None:
        self._server = server
        self._tasks, self._images, self._events, self._live = tasks, images, events, live
        self._engine, self._threads, self._bucket = engine, threads, bucket
        self._rules, self._max_megapixels, self._limits = rules, max_megapixels, limits
        self.pace = Pace()
        self._attempts: dict[int, _Attempt] = {}
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._background: set[asyncio.Task[None]] = set()
        self._unlisten: Callable[[], None] | None = None

    # --- life -----------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> TaskQueue:
        for task in await self._tasks.take_back(server=self._server):
            log.info("task %s: was running when this server ended; %s", task.id, task.state)
        self.pace.learn_all(reversed(await self._tasks.finished(limit=200)))
        self._unlisten = self._live.listen(self._hear)
        loops = [self._work() for _ in range(self._engine.size)] + [self._keep_leases()]
        self._loops = [asyncio.create_task(loop) for loop in loops]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self, grace_s: float = DRAIN_S) -> None:
        """Take nothing more; give what runs grace_s to finish; put the rest back into the queue, uncounted."""
        self._stopping.set()
        self._wake.set()
        workers, heartbeat = self._loops[:-1], self._loops[-1:]
        if workers:
            await asyncio.wait(workers, timeout=grace_s)
        for attempt in self._attempts.values():
            attempt.stop()
        if workers:
            await asyncio.wait(workers, timeout=STOP_S)
        await _cancel([*workers, *heartbeat])
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._unlisten:
            self._unlisten()

    @property
    def size(self) -> int:
        """How many tasks run at once on this server."""
        return self._engine.size

    @property
    def draining(self) -> bool:
        """Whether this server takes no more tasks because it is stopping."""
        return self._stopping.is_set()

    @property
    def active_count(self) -> int:
        return len(self._attempts)

    # --- what people ask ------------------------------------------------------------------------------------------

    async def add(self, owner: Owner, source: Source, *, style: str, recipe: dict[str, Any]) -> Task:
        """Queue a task, for good. Raises QueueFull, TooManyTasks, DatabaseUnavailable."""
        await self._refuse_surplus(owner)
        task = await self._tasks.add(
            new_task(
                owner,
                url=source.url,
                type="model",
                style=style,
                recipe=recipe,
                identity=identity_of(source.key or source.url, recipe),
                source_key=source.key,
                source_id=source.image_id,
            )
        )
        log.info("task %s: queued, style %s", task.id, style)
        await self._tell(task)
        self._wake.set()
        return task

    async def cancel(self, task_id: int) -> Task:
        """Raises NotFound, WrongState."""
        task = await self._tasks.cancel(task_id)
        log.info("task %s: asked to cancel", task_id)
        await self._tell(task, kind="task" if task.state is TaskState.CANCELLED else "cancel")
        return task

    async def retry(self, task_id: int) -> Task:
        """Raises NotFound, WrongState."""
        task = await self._tasks.retry(task_id)
        log.info("task %s: queued again", task_id)
        await self._tell(task)
        self._wake.set()
        return task

    async def _refuse_surplus(self, owner: Owner) -> None:
        total = await self._tasks.count_live(limit=self._limits.total)
        if total >= self._limits.total:
            raise errors.QueueFull(retry_after_s=self._worth_coming_back(total))
        own = await self._tasks.count_live(owner_id=owner.id, limit=self._limits.each) if owner.id else 0
        if own >= self._limits.each:
            raise errors.TooManyTasks(limit=self._limits.each, retry_after_s=self._worth_coming_back(total))

    def _worth_coming_back(self, waiting: int) -> int:
        """Whole seconds in which a tenth of the queue should be gone."""
        wait_s = self.pace.wait_s(max(1, waiting // 10), self.size)
        return BUSY_RETRY_S if wait_s is None else max(1, round(wait_s))

    # --- workers --------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while not self._stopping.is_set():
            claim = await self._next()
            if claim is not None:
                attempt = _Attempt(claim)
                self._attempts[claim.task.id] = attempt
                try:
                    await self._run(attempt)
                except Exception:
                    log.exception("task %s: its end could not be recorded; its lease will expire", claim.task.id)
                finally:
                    self._attempts.pop(claim.task.id, None)
                    self._wake.set()

    async def _next(self) -> Claim | None:
        """Wait for something to do; None when a pause went by or we are stopping."""
        self._wake.clear()
        try:
            claim = await self._tasks.claim(self._server)
        except errors.DatabaseUnavailable:
            claim = None
        if claim is None and not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_S)
        return claim

    async def _run(self, attempt: _Attempt) -> None:
        task = attempt.claim.task
        log.info("task %s: running, attempt %s", task.id, task.attempts)
        try:
            await self._tell(task)
            image, made = await self._make(attempt)
        except Stopped:
            await self._stopped(attempt)
        except (errors.Unavailable, errors.JobError) as error:
            await self._failed(attempt, error)
        except Exception:
            log.exception("task %s: failed in a way that nobody foresaw", task.id)
            await self._failed(attempt, errors.JobError())
        else:
            await self._done(attempt, image, made)

    async def _make(self, attempt: _Attempt) -> tuple[Image, JobResult | None]:
        """The result's image: one that exists already, or a new one."""
        task = attempt.claim.task
        known = await self._known_result(task)
        if known is not None:
            return await self._register(task, _shared(known)), None
        attempt.run = self._engine.start(self._job(task), lambda fraction: self._progress(attempt, fraction))
        if attempt.stopping:
            attempt.run.stop()
        made = await attempt.run.result()
        if attempt.stopping:
            await self._forget(made.key)
            raise Stopped()
        return await self._register(task, self._described(task, made)), made

    async def _register(self, task: Task, known: dict[str, Any]) -> Image:
        return await self._record(lambda: self._images.add(new_image(Kind.RESULT, task.owner, **known)))

    async def _known_result(self, task: Task) -> Image | None:
        known = await self._images.result_of(task.identity)
        if known is None or known.key is None:
            return None
        try:
            await self._threads.io(self._bucket.stat, known.key)
        except errors.NotFound:
            return None
        return known

    def _job(self, task: Task) -> Job:
        return Job(
            task_id=task.id,
            url=task.url,
            source_key=task.source_key,
            recipe=task.recipe,
            bucket=self._bucket,
            rules=self._rules,
            max_megapixels=self._max_megapixels,
        )

    def _described(self, task: Task, made: JobResult) -> dict[str, Any]:
        return {
            "key": made.key,
            "url": self._bucket.url(made.key),
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
            "identity": task.identity,
            "source_id": task.source_id,
        }

    # --- ends -----------------------------------------------------------------------------------------------------

    async def _done(self, attempt: _Attempt, image: Image, made: JobResult | None) -> None:
        known: dict[str, Any] = {"result_id": image.id, "result_url": image.url, "percent": 100}
        if made is not None:
            known |= {"seconds": made.seconds, "megapixels": made.megapixels}
        task = await self._record(lambda: self._tasks.finish(attempt.claim, TaskState.DONE, **known))
        if task is None:
            await self._withdraw(attempt, image)
        else:
            self.pace.learn(task)
            await self._ended(task)

    async def _withdraw(self, attempt: _Attempt, image: Image) -> None:
        """The result came too late: somebody cancelled, or the lease was lost and another server makes it."""
        task = await self._record(lambda: self._tasks.finish(attempt.claim, TaskState.CANCELLED))
        if task is None:
            log.warning("task %s: the lease was lost; its result is dropped", attempt.claim.task.id)
            return
        if await self._images.delete(image.id, image.owner.id) and image.key:
            await self._threads.io(self._bucket.delete, image.key)
        await self._ended(task)

    async def _stopped(self, attempt: _Attempt) -> None:
        claim = attempt.claim
        if self._stopping.is_set() and not (await self._record(lambda: self._tasks.by_id(claim.task.id))).cancelling:
            task = await self._record(lambda: self._tasks.give_back(claim))
        else:
            task = await self._record(lambda: self._tasks.finish(claim, TaskState.CANCELLED))
        if task is not None:
            await self._ended(task)

    async def _failed(self, attempt: _Attempt, error: errors.Unavailable | errors.JobError) -> None:
        claim = attempt.claim
        passing = isinstance(error, errors.Unavailable) or error.passing
        if passing and claim.task.tries + 1 < TRY_LIMIT:
            pause_s = min(LONGEST_PAUSE_S, 2.0**claim.task.tries) * random.uniform(0.75, 1.25)
            log.warning("task %s: %s; trying again in %.1f s", claim.task.id, error.slug, pause_s)
            task = await self._record(lambda: self._tasks.give_back(claim, pause_s=pause_s, failed=True))
        else:
            known = {"error": error.slug, "facts": dict(error.facts)}
            task = await self._record(lambda: self._tasks.finish(claim, TaskState.FAILED, **known))
        if task is not None:
            await self._ended(task)

    async def _ended(self, task: Task) -> None:
        log.info("task %s: %s%s", task.id, task.state, f" ({task.error})" if task.error else "")
        await self._tell(task)

    async def _forget(self, key: str) -> None:
        """Delete a result that nobody has."""
        if await self._images.by_key(key) is None:
            await self._threads.io(self._bucket.delete, key)

    async def _record(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do it, if need be when the database is back: what was made is worth waiting for."""
        while True:
            try:
                return await step()
            except errors.DatabaseUnavailable:
                if self._stopping.is_set():
                    raise
                await asyncio.sleep(POLL_S / 2)

    # --- telling and hearing --------------------------------------------------------------------------------------

    def _progress(self, attempt: _Attempt, fraction: float) -> None:
        percent, now = int(fraction * 100), asyncio.get_running_loop().time()
        if percent <= attempt.percent or now - attempt.told_at < PROGRESS_PAUSE_S:
            return
        attempt.percent, attempt.told_at = percent, now
        self._in_background(self._publish("progress", {"id": attempt.claim.task.id, "percent": percent}))

    async def _tell(self, task: Task, kind: str = "task") -> None:
        await self._publish(kind, {"_id": task.id, **to_document(task), "server": task.server})

    async def _publish(self, kind: str, data: dict[str, Any]) -> None:
        """News may be lost, work may not: a database that is away stops no worker here."""
        with contextlib.suppress(errors.DatabaseUnavailable):
            await self._events.publish(kind, data)

    def _hear(self, news: News) -> None:
        """What other servers (and this one) say: new tasks to take, running ones to stop."""
        if news.task is None:
            return
        if news.kind == "task" and news.task.state is TaskState.QUEUED:
            self._wake.set()
        if news.kind == "cancel" and (attempt := self._attempts.get(news.task.id)):
            attempt.stop()

    async def _keep_leases(self) -> None:
        """Prolong our leases, take over expired ones, and see cancellations that no event told of."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                if self._attempts:
                    await self._tasks.renew(self._server, list(self._attempts))
                for task in await self._tasks.take_back():
                    log.warning("task %s: its server does not answer; %s", task.id, task.state)
                    await self._tell(task)
            except errors.DatabaseUnavailable:
                log.warning("leases: the database does not answer")

    def _in_background(self, work: Any) -> None:
        started = asyncio.create_task(work)
        self._background.add(started)
        started.add_done_callback(self._background.discard)


def _shared(known: Image) -> dict[str, Any]:
    """What a result tells of itself, whoever owns it."""
    private = ("id", "kind", "owner", "created", "title", "alt", "show_source")
    return {name: getattr(known, name) for name in Image.__slots__ if name not in private}


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
