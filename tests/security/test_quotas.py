"""What one person stores is bounded, and what is shown is what there is, also after crashes."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest

from handlers.services import Services
from models import errors
from models.database import Collection
from models.images.image import ImageKind, NewImage, Owner
from models.images.quotas import PENDING_LIMIT, Usage
from models.images.uploads import PendingUpload
from settings import Settings
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.upkeep import reconciler_of
from tests.support.waiting import finished

ACTS = int(os.environ.get("QUOTA_ACTS", "150"))
"""1000 at full size."""
QUOTA_PICTURES, QUOTA_MB = 12, 1
LARGEST_BYTES = 200_000
AT_ONCE = timedelta(0)
TOKEN = "/api/image/token/"


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(quota_pictures=QUOTA_PICTURES, quota_mb=QUOTA_MB, max_upload_mb=1)


async def storage(client: ApiClient) -> dict[str, int]:
    return dict((await client.get("/api/session/"))["user"]["storage"])


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_a_person_has_a_bounded_number_of_tokens_images_and_registrations(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    await ada.upload()
    tokens = [await ada.post(TOKEN, filesize=10) for _ in range(QUOTA_PICTURES - 2)]
    registered = [
        await ada.post("/api/image/addinfo/", url=f"https://a.cn/{at}", filename="a", user_id=ada.user_id)
        for at in range(2)
    ]
    again = await ada.post("/api/image/addinfo/", url="https://a.cn/0", filename="a", user_id=ada.user_id)
    refused = [await ada.post(TOKEN, filesize=10), await ada.post("/api/tasks/add/", url="https://a.cn/0")]

    assert {token["code"] for token in tokens} == {1}
    assert [(answer.status, answer.json.get("error")) for answer in registered] == [
        (200, None), (403, "quota_exceeded"),
    ]  # fmt: skip
    assert again["code"] == 1, "nothing new"
    assert {(answer.status, answer["error"]) for answer in refused} == {(403, "quota_exceeded")}
    assert (await storage(ada))["pictures"] == QUOTA_PICTURES
    assert (await bob.post(TOKEN))["code"] == 1


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_a_token_reserves_what_it_allows_and_parallel_requests_exceed_nothing(api: ApiClient) -> None:
    ada = await api.sign_up("ada")

    at_once = await asyncio.gather(*(ada.post(TOKEN, filesize=300_000) for _ in range(8)))
    answers = [*at_once, *[await ada.post(TOKEN, filesize=300_000) for _ in range(4)]]
    unstated = await ada.post(TOKEN)
    tickets = [answer for answer in answers if answer["code"] == 1]
    fields = {"token": tickets[0]["token"], "key": tickets[0]["key"]}
    too_large = await ada.post_form(tickets[0]["upload_url"], fields, "a.png", png() + bytes(300_000))
    fitting = await ada.post_form(tickets[0]["upload_url"], fields, "a.png", png())

    assert len(tickets) == 3
    assert (unstated.status, unstated["error"]) == (403, "quota_exceeded")
    assert (too_large.status, fitting.status) == (413, 200)
    used = await storage(ada)
    assert used == {
        "pictures": 3,
        "size_bytes": len(png()) + 300_000 * 2,
        "max_pictures": QUOTA_PICTURES,
        "max_size_bytes": QUOTA_MB * 1_000_000,
    }


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_a_result_that_exceeds_the_quota_is_not_kept(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload()
    await services.queue.pause(True)
    task = await ada.add_task(uploaded["url"])
    for _ in range(QUOTA_PICTURES - 1):
        await ada.post(TOKEN, filesize=10)
    await services.queue.pause(False)

    ended = await finished(ada, task["id"])

    assert (ended["state"], ended["error"]) == ("failed", "quota_exceeded")
    assert (await storage(ada))["pictures"] == QUOTA_PICTURES
    assert await asyncio.to_thread(lambda: list(services.bucket.list("mosaic/"))) == []


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_unused_tokens_are_bounded_whatever_the_quota(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    uploads = services.database.collection("uploads")
    await uploads.insert_many([{"_id": f"source/{at}", "owner_id": ada.user_id} for at in range(PENDING_LIMIT)])
    object.__setattr__(services.quotas.quota, "pictures", 10 * PENDING_LIMIT)

    answer = await ada.post(TOKEN, filesize=10)

    assert (answer.status, answer["error"]) == (429, "too_many_requests")


# --- random acts with crashes -----------------------------------------------------------------------------------------

calls_until_crash: ContextVar[int | None] = ContextVar("calls_until_crash", default=None)


class Crash(Exception):
    """The server dies before or after a call of the database."""


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


class Person:
    """Random acts of one person, by the services that the handlers use."""

    def __init__(self, services: Services, owner: Owner, rng: random.Random) -> None:
        self.services, self.owner, self.rng = services, owner, rng
        self.acts = (
            self.ask_for_token, self.ask_for_token, self.upload, self.upload, self.upload, self.register,
            self.delete, self.delete, self.reconcile,
        )  # fmt: skip

    async def act(self) -> bool:
        """One act, which a crash may end. Returns whether one did."""
        if self.rng.random() < 0.3:
            calls_until_crash.set(self.rng.randrange(10))
        try:
            await self.rng.choice(self.acts)()
        except (errors.QuotaExceeded, errors.NotFound):
            return False
        except Crash:
            return True
        finally:
            calls_until_crash.set(None)
        return False

    async def ask_for_token(self) -> None:
        key = f"source/{secrets.token_hex(8)}"
        size_bytes = self.rng.randrange(1, LARGEST_BYTES)
        await self.services.registrations.reserve(PendingUpload(key, self.owner, "a", "", reserved_bytes=size_bytes))

    async def upload(self) -> None:
        pending = await self.services.uploads.of_owner(self.owner.id or 0)
        if pending:
            upload = self.rng.choice(pending)
            content = bytes(self.rng.randrange(1, upload.reserved_bytes + 1))
            stored = await self.stored()
            if upload.key not in stored:  # a token replaces nothing
                await self.services.executors.io(
                    lambda: self.services.bucket.put(upload.key, content, mime="image/png")
                )
            size_bytes = stored.get(upload.key, len(content))
            await self.services.registrations.register(self._new(upload.key, size_bytes))

    async def register(self) -> None:
        await self.services.registrations.register_within_quota(self._new(None, 0))

    async def delete(self) -> None:
        images = [image.id async for image in self.services.images.iterate_by_owner(self.owner.id or 0)]
        if images:
            await self.services.image_deletions.delete(self.rng.choice(images), self.owner.id)

    async def reconcile(self) -> None:
        await self.services.image_deletions.finish_pending()
        await reconciler_of(self.services).reconcile(callback_grace=AT_ONCE, orphan_age_s=-1)

    def _new(self, key: str | None, size_bytes: int) -> NewImage:
        url = f"https://a.cn/{secrets.token_hex(4)}"
        return NewImage(ImageKind.SOURCE, self.owner, key=key, url=url, filename="a", filesize=size_bytes, param="")

    async def really(self) -> Usage:
        """What there is, one by one, by the sizes of the stored objects."""
        images = [image async for image in self.services.images.iterate_by_owner(self.owner.id or 0)]
        pending = await self.services.uploads.of_owner(self.owner.id or 0)
        stored = await self.stored()
        size_bytes = sum(stored[image.key] for image in images if image.key is not None)
        reserved_bytes = sum(upload.reserved_bytes for upload in pending)
        return Usage(len(images) + len(pending), size_bytes + reserved_bytes)

    async def stored(self) -> dict[str, int]:
        bucket = self.services.bucket
        return await asyncio.to_thread(lambda: {stat.key: stat.size_bytes for stat in bucket.list("source/")})


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_the_sums_are_exact_after_random_acts_and_crashes(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("insert_one", "insert_many", "update_one", "delete_one", "find_one", "find_one_and_update",
                 "find_one_and_delete", "aggregate"):  # fmt: skip
        monkeypatch.setattr(Collection, name, crashing(getattr(Collection, name)))
    ada = await api.sign_up("ada")
    person = Person(services, Owner(ada.user_id, "ada"), random.Random(20))
    crashes = 0

    for number in range(ACTS):
        crashes += await person.act()
        usage = await services.quotas.usage(ada.user_id)
        assert usage == await person.really(), f"after act {number}"
        assert usage.pictures <= QUOTA_PICTURES + crashes
        assert usage.size_bytes <= QUOTA_MB * 1_000_000 + crashes * LARGEST_BYTES

    await person.reconcile()
    images = [image.key async for image in services.images.iterate_by_owner(ada.user_id)]
    pending = [upload.key for upload in await services.uploads.of_owner(ada.user_id)]
    assert crashes > ACTS / 20
    assert set(await person.stored()) == {key for key in images if key is not None}
    assert not set(pending) & set(await person.stored())
