"""What a person has is summed exactly after random acts, also of tasks, while the server is killed again and again."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from handlers.services import Services
from models import errors
from models.bucket import Stat
from models.database import Collection
from models.images.image import Image, ImageKind, NewImage, Owner
from models.images.quotas import Quota, Usage
from models.images.uploads import PendingUpload
from models.queue.fair_order import Place
from models.queue.task import NewTask
from models.store import Store
from processing.engine.job import dedup_key_of
from processing.engine.threads import ThreadEngine
from processing.queue.run import Run
from processing.queue.runner import TaskRunner
from processing.rendering import parse_recipe
from settings import Settings
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.upkeep import reconciler_of

ACTS = int(os.environ.get("QUOTA_ACTS", "150"))
"""1000 at full size."""
QUOTA_PICTURES, QUOTA_MB = 12, 1
LARGEST_BYTES = 200_000
AT_ONCE = timedelta(0)
CRASHING = ("insert_one", "insert_many", "insert_each", "update_one", "update_many", "delete_one", "find", "find_one",
            "find_one_and_update", "find_one_and_delete", "aggregate", "count_documents")  # fmt: skip

calls_until_crash: ContextVar[int | None] = ContextVar("calls_until_crash", default=None)


class Crash(Exception):
    """The server dies before or after a call of the database; all further calls of the act fail as well."""


def crashing(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        _count_down()
        result = await call(*args, **kwargs)
        _count_down()
        return result

    return wrapped


def _count_down() -> None:
    left = calls_until_crash.get()
    if left is not None:
        calls_until_crash.set(left - 1)
        if left <= 0:
            raise Crash


class FlakyBucket:
    """A bucket that stores every third result only at another try."""

    def __init__(self, bucket: Any) -> None:
        self._bucket, self._puts = bucket, count(1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bucket, name)

    def put(self, key: str, data: bytes, *, mime: str) -> Stat:
        if next(self._puts) % 3 == 0:
            raise errors.BucketUnavailable()
        return self._bucket.put(key, data, mime=mime)  # type: ignore[no-any-return]


class Person:
    """Random acts of one person, by the services that the handlers use, and by the runner of tasks."""

    def __init__(self, services: Services, runner: TaskRunner, owner: Owner, rng: random.Random) -> None:
        self.services, self.runner, self.store = services, runner, runner.store
        self.owner, self.rng, self.runs = owner, rng, count(1)
        self.acts = (
            self.ask_for_token, self.ask_for_token, self.upload, self.upload, self.upload, self.register,
            self.add_task, self.add_task, self.run_task, self.run_task, self.delete, self.delete, self.reconcile,
        )  # fmt: skip

    async def act(self) -> bool:
        """One act, which a crash may end. Returns whether one did; then the server has started again."""
        if self.rng.random() < 0.3:
            calls_until_crash.set(self.rng.randrange(16))
        try:
            await self.rng.choice(self.acts)()
        except (errors.QuotaExceeded, errors.NotFound):
            return False
        except Crash:
            calls_until_crash.set(None)
            await self.store.leases.reclaim_own()
            return True
        finally:
            calls_until_crash.set(None)
        return False

    async def ask_for_token(self) -> None:
        key = f"source/{secrets.token_hex(8)}"
        size_bytes = self.rng.randrange(1000, LARGEST_BYTES)
        await self.services.registrations.reserve(PendingUpload(key, self.owner, "a", "", reserved_bytes=size_bytes))

    async def upload(self) -> None:
        pending = await self.services.uploads.of_owner(self.owner.id or 0)
        if pending:
            upload = self.rng.choice(pending)
            content = png(seed=self.rng.randrange(99)).ljust(self.rng.randrange(1, upload.reserved_bytes + 1), b"\0")
            stored = await self.stored()
            if upload.key not in stored:  # a token replaces nothing
                await self.services.executors.io(
                    lambda: self.services.bucket.put(upload.key, content, mime="image/png")
                )
            size_bytes = stored.get(upload.key, len(content))
            await self.services.registrations.register(self._new(upload.key, size_bytes))

    async def register(self) -> None:
        await self.services.registrations.register_within_quota(self._new(None, 0))

    async def add_task(self) -> None:
        await self.services.quotas.check_not_full(self.owner)
        sources = [image for image in await self.images() if image.kind is ImageKind.SOURCE and image.key]
        if sources:
            source = self.rng.choice(sources)
            recipe = parse_recipe({"style": "mosaic", "cell": self.rng.choice((4, 8, 16))}).to_dict()
            new = NewTask(
                self.owner, url=source.url, type="model", style="mosaic", recipe=recipe, source_key=source.key,
                dedup_key=dedup_key_of(source.key or "", recipe), source_id=source.id,
            )  # fmt: skip
            await self.store.tasks.add(new, place=Place(1))

    async def run_task(self) -> bool:
        """The next task, if there is one: to its end, to its postponement for another try, or until it is stopped.

        Every fifth is stopped, and every fifth cancelled: in random turns there are short runs without one.
        """
        past = {"$set": {"not_before": datetime(2000, 1, 1, tzinfo=UTC)}}
        await self.services.database.collection("tasks").update_many({"not_before": {"$ne": None}}, past)
        await self.store.leases.wake_due(self.store.fair_order)
        lease = await self.store.leases.acquire()
        if lease is None:
            return False
        run = Run(lease)
        number = next(self.runs)
        if number % 5 == 1:
            asyncio.get_running_loop().call_soon(run.stop)
        elif number % 5 == 3:
            await self.store.tasks.cancel(lease.task.id)
        await self.runner.run(run)
        await asyncio.gather(*self.runner.cleanups)
        return True

    async def delete(self) -> None:
        if images := await self.images():
            await self.services.image_deletions.delete(self.rng.choice(images).id, self.owner.id)

    async def reconcile(self) -> None:
        await self.services.image_deletions.finish_pending()
        await reconciler_of(self.services).reconcile(callback_grace=AT_ONCE, orphan_age_s=-1)

    def _new(self, key: str | None, size_bytes: int) -> NewImage:
        url = f"https://a.cn/{secrets.token_hex(4)}"
        return NewImage(ImageKind.SOURCE, self.owner, key=key, url=url, filename="a", filesize=size_bytes, param="")

    async def images(self) -> list[Image]:
        return [image async for image in self.services.images.iterate_by_owner(self.owner.id or 0)]

    async def really(self) -> Usage:
        """What there is, one by one, by the sizes of the stored objects."""
        images, pending = await self.images(), await self.services.uploads.of_owner(self.owner.id or 0)
        stored = await self.stored()
        size_bytes = sum(stored[image.key] for image in images if image.key is not None)
        reserved_bytes = sum(upload.reserved_bytes for upload in pending)
        return Usage(len(images) + len(pending), size_bytes + reserved_bytes)

    async def stored(self) -> dict[str, int]:
        """The sizes of sources and results."""
        stats = await asyncio.to_thread(lambda: list(self.services.bucket.list()))
        return {stat.key: stat.size_bytes for stat in stats if stat.key.startswith(("source/", "mosaic/"))}


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(quota_pictures=QUOTA_PICTURES, quota_mb=QUOTA_MB, max_upload_mb=1)


@pytest.mark.requirement(62)
@pytest.mark.gen_test(timeout=600)
async def test_the_sums_are_exact_after_random_acts_and_crashes(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch, expect_log: Callable[[str], None]
) -> None:
    expect_log("unexpected error")  # a crash within a run
    expect_log("trying again in")
    expect_log("an item was dropped")  # an event
    tasks = services.database.collection("tasks")
    engine = ThreadEngine(1)
    store = Store.of(services.database, "another server", quota=Quota(QUOTA_PICTURES, QUOTA_MB * 1_000_000))
    bucket: Any = FlakyBucket(services.bucket)
    await services.queue.pause(True)
    runner = TaskRunner(store, engine, services.executors, bucket, services.fetch_policy, 50, 50)
    for name in CRASHING:
        monkeypatch.setattr(Collection, name, crashing(getattr(Collection, name)))
    ada = await api.sign_up("ada")
    person = Person(services, runner, Owner(ada.user_id, "ada"), random.Random(20))
    crashes = retried = 0

    for number in range(ACTS):
        crashes += await person.act()
        retried = max(retried, await tasks.count_documents({"retries": {"$gt": 0}}))
        usage = await services.quotas.usage(ada.user_id)
        assert usage == await person.really(), f"after act {number}"
        assert usage.pictures <= QUOTA_PICTURES + crashes
        assert usage.size_bytes <= QUOTA_MB * 1_000_000 + crashes * LARGEST_BYTES

    while await person.run_task():
        pass
    await person.reconcile()
    images, pending = await person.images(), await services.uploads.of_owner(ada.user_id)
    ended = await store.tasks.finished(limit=ACTS)
    assert crashes > ACTS / 20
    assert {str(task.state) for task in ended} >= {"done", "cancelled"}
    assert retried
    assert set(await person.stored()) == {image.key for image in images if image.key is not None}
    assert not {upload.key for upload in pending} & set(await person.stored())
    await engine.close()
