"""The user's own account: a new password ends other sessions, and a deletion leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from handlers.services import Services
from models.bucket import Bucket
from models.database import Database
from models.errors import BucketUnavailable
from models.images.image import ImageKind
from models.store import Store
from processing.background import background
from processing.upkeep.account_deletion import AccountDeletions
from processing.upkeep.image_deletion import ImageDeletions
from tests.support.client import PASSWORD, ApiClient
from tests.support.pictures import encoded, png
from tests.support.waiting import finished, until

NEW_PASSWORD = "another long password"


async def everything(database: Database) -> str:
    """All that the database holds of people."""
    names = ("users", "sessions", "follows", "images", "uploads", "tasks", "rounds", "events")
    documents = {name: [document async for document in database.collection(name).iterate({})] for name in names}
    return json.dumps(documents, default=str)


def keys(services: Services) -> set[str]:
    return {stat.key for stat in services.bucket.list()}


async def make_mosaic(person: ApiClient, picture: bytes, cell: int = 9) -> dict[str, Any]:
    """Upload a picture and have a mosaic made of it; the task's document."""
    uploaded = await person.upload(picture)
    task = await person.add_task(uploaded["url"], {"style": "mosaic", "cell": cell})
    return await finished(person, task["id"])


@pytest.mark.requirement(30)
@pytest.mark.gen_test
async def test_a_new_password_ends_every_other_session_and_the_old_password(api: ApiClient) -> None:
    here = await api.sign_up("zuzanna")
    there = await api.new_client().sign_in("zuzanna")

    changed = await here.post("/api/user/change/", password=PASSWORD, new_password=NEW_PASSWORD)

    assert changed["code"] == 1
    assert (await here.get("/api/session/"))["user"]["username"] == "zuzanna"
    assert (await there.get("/api/session/"))["user"] is None
    assert (await api.new_client().post("/api/user/query/", username="zuzanna", password=PASSWORD))["login"] is False
    assert (await api.new_client().sign_in("zuzanna", NEW_PASSWORD)).user_id == here.user_id


@pytest.mark.gen_test
async def test_a_new_address_ends_no_session(api: ApiClient) -> None:
    here = await api.sign_up("zuzanna")
    there = await api.new_client().sign_in("zuzanna")

    changed = await here.post("/api/user/change/", password=PASSWORD, email="new@example.cn")

    assert changed["code"] == 1
    assert (await there.get("/api/session/"))["user"]["email"] == "new@example.cn"


@pytest.mark.gen_test
async def test_nothing_is_changed_without_a_session_the_password_and_a_page_of_ours(
    api: ApiClient, services: Services
) -> None:
    person = await api.sign_up("zuzanna")
    before = await services.users.by_id(person.user_id)
    new = {"new_password": NEW_PASSWORD, "email": "new@example.cn"}

    stranger = await api.new_client().post("/api/user/change/", password=PASSWORD, **new)
    wrong = await person.post("/api/user/change/", password="a wrong password", **new)
    none = await person.post("/api/user/change/", **new)
    weak = await person.post("/api/user/change/", **new | {"password": PASSWORD, "new_password": "12345678"})
    no_address = await person.post("/api/user/change/", **new | {"password": PASSWORD, "email": "nobody"})
    foreign = await person.post("/api/user/change/", {"Sec-Fetch-Site": "cross-site"}, password=PASSWORD, **new)
    unwanted = await person.post("/api/user/delete/", password="a wrong password")

    assert [
        (answer.status, answer["error"], answer.json.get("field"))
        for answer in (stranger, wrong, none, weak, no_address, foreign, unwanted)
    ] == [
        (401, "no_session", None),
        (400, "wrong_password", "password"),
        (400, "bad_parameter", "password"),
        (400, "weak_password", "new_password"),
        (400, "bad_parameter", "email"),
        (403, "cross_site", None),
        (400, "wrong_password", "password"),
    ]
    assert await services.users.by_id(person.user_id) == before


@pytest.mark.gen_test
async def test_a_deleted_account_leaves_nothing_in_the_database_and_the_bucket(
    api: ApiClient, services: Services, database: Database
) -> None:
    ada, bob = await api.sign_up("zuzanna"), await api.new_client().sign_up("bob")
    bobs = await make_mosaic(bob, png(seed=2))
    before, there = await everything(database), keys(services)
    for one, other in (("zuzanna", "bob"), ("bob", "zuzanna")):
        await (ada if one == "zuzanna" else bob).post(
            "/api/user/follow/", from_user_name=one, to_user_name=other, follow_bool=1
        )
    done = await make_mosaic(ada, png(seed=1))
    await ada.get(f"/thumbnail/{done['result_id']}/640")
    ticket = await ada.post("/api/image/token/", filename="never registered.png")
    services.bucket.put(ticket["key"], png(seed=3), mime="image/png")
    await api.new_client().sign_in("zuzanna")

    left = await ada.post("/api/user/delete/", password=PASSWORD)

    assert left.json == {"code": 1, "finished": True}
    after = await everything(database)
    assert str(ada.user_id) not in after
    assert "zuzanna" not in after
    assert json.loads(after).keys() == json.loads(before).keys()
    assert len(json.loads(after)["images"]) == len(json.loads(before)["images"]) == 2
    assert {key for key in keys(services) if not key.startswith("thumbnail/")} == {
        key for key in there if not key.startswith("thumbnail/")
    }
    assert not [key for key in keys(services) if str(done["result_id"]) in key]
    assert (await bob.get(bobs["result_url"])).status == 200


@pytest.mark.gen_test
async def test_a_deleted_user_is_gone(api: ApiClient) -> None:
    ada, bob = await api.sign_up("zuzanna"), await api.new_client().sign_up("bob")
    elsewhere = await api.new_client().sign_in("zuzanna")
    await bob.post("/api/user/follow/", from_user_name="bob", to_user_name="zuzanna", follow_bool=1)
    done = await make_mosaic(ada, png())

    await ada.post("/api/user/delete/", password=PASSWORD)

    assert (await elsewhere.get("/api/session/"))["user"] is None
    assert (await elsewhere.post("/api/image/token/")).status == 401
    assert (await bob.get("/api/user/query/", username="bob"))["follow_user"] == []
    assert (await bob.get("/api/user/query/", username="zuzanna"))["error"] == "not_found"
    assert (await bob.get("/api/feed/"))["images"] == (await bob.get("/api/feed/", view="following"))["images"] == []
    assert (await bob.get("/api/image/query/", id=done["result_id"]))["error"] == "not_found"
    assert (await bob.get(done["result_url"])).status == 404
    assert ada.cookies == {}


@pytest.mark.gen_test
async def test_a_picture_that_another_user_has_too_is_kept_for_them(api: ApiClient, services: Services) -> None:
    ada, bob = await api.sign_up("zuzanna"), await api.new_client().sign_up("bob")
    uploaded = await ada.upload(png())
    recipe = {"style": "mosaic", "cell": 9}
    first = await finished(ada, (await ada.add_task(uploaded["url"], recipe))["id"])
    second = await finished(bob, (await bob.add_task(uploaded["url"], recipe))["id"])
    assert first["result_url"] == second["result_url"]

    await ada.post("/api/user/delete/", password=PASSWORD)

    assert (await bob.get(second["result_url"])).status == 200
    assert (await bob.get(uploaded["url"])).status == 404
    assert [image["username"] for image in (await bob.get("/api/feed/"))["images"]] == ["bob"]


@pytest.mark.gen_test
async def test_live_tasks_end_before_their_owner_is_gone(
    api: ApiClient, services: Services, database: Database
) -> None:
    ada = await api.sign_up("zuzanna")
    uploaded = await ada.upload(encoded(Image.new("RGB", (3000, 2000), (9, 60, 120)), "PNG"))
    for cell in range(2, 10):
        await ada.add_task(uploaded["url"], {"style": "mosaic", "cell": cell})

    left = await ada.post("/api/user/delete/", password=PASSWORD)

    assert left["finished"] is True
    assert "zuzanna" not in await everything(database)
    assert keys(services) == set()


@pytest.mark.gen_test
async def test_a_deletion_that_a_crash_interrupted_is_finished_at_the_next_start(
    api: ApiClient, services: Services, database: Database
) -> None:
    ada = await api.sign_up("zuzanna")
    await make_mosaic(ada, png())

    await services.users.mark_deleting(ada.user_id)
    waiting = await api.new_client().post("/api/user/query/", username="zuzanna", password=PASSWORD)
    taken = await api.new_client().post("/api/user/add/", username="zuzanna", email="a@b.cn", password=PASSWORD)
    restarted = AccountDeletions(
        Store.of(database, "test"),
        queue=services.queue,
        image_deletions=services.image_deletions,
        bucket=services.bucket,
        executors=services.executors,
    )
    async with restarted:
        assert await restarted.wait(ada.user_id, within_s=120)

    assert (waiting["error"], taken["error"]) == ("not_found", "username_taken")
    assert "zuzanna" not in await everything(database)
    assert keys(services) == set()


class AwayBucket:
    """The real bucket, which deletes nothing until it is back."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket, self.refused = bucket, 0
        self.away = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bucket, name)

    def delete(self, key: str) -> None:
        if self.away:
            self.refused += 1
            raise BucketUnavailable()
        self.bucket.delete(key)


@pytest.mark.gen_test
async def test_an_account_is_deleted_when_the_bucket_is_back(
    api: ApiClient, services: Services, database: Database, expect_log: Callable[[str], None]
) -> None:
    expect_log("WARNING processing.upkeep.account_deletion: user .* deletion interrupted .bucket_unavailable.")
    ada = await api.sign_up("zuzanna")
    await make_mosaic(ada, png())
    bucket = AwayBucket(services.bucket)
    removals = ImageDeletions(services.images, services.uploads, services.thumbnails, bucket, services.executors)
    deletions = AccountDeletions(
        Store.of(database, "test"),
        queue=services.queue,
        image_deletions=removals,
        bucket=bucket,
        executors=services.executors,
        retry_interval_s=0.05,
    )

    async with deletions:
        await deletions.begin(ada.user_id)
        await until(lambda: bucket.refused)
        early = await deletions.wait(ada.user_id, within_s=0)
        hidden = (await api.new_client().get("/api/feed/"))["images"]
        bucket.away = False
        late = await deletions.wait(ada.user_id, within_s=120)

    assert (early, hidden, late) == (False, [], True)
    assert "zuzanna" not in await everything(database)
    assert keys(services) == set()


@pytest.mark.gen_test
async def test_a_picture_that_is_deleted_while_the_bucket_is_away_is_removed_by_the_next_sweep(
    api: ApiClient, services: Services
) -> None:
    ada = await api.sign_up("zuzanna")
    uploaded = await ada.upload(png())
    bucket = AwayBucket(services.bucket)
    removals = ImageDeletions(services.images, services.uploads, services.thumbnails, bucket, services.executors)

    await removals.delete(uploaded["id"], ada.user_id)
    hidden = await ada.get("/api/image/query/", id=uploaded["id"])
    still_stored = services.bucket.key_of(uploaded["url"]) in keys(services)
    bucket.away = False
    async with background(removals.sweep()):
        await until(lambda: emptied(services))

    assert (hidden["error"], still_stored) == ("not_found", True)


async def emptied(services: Services) -> bool:
    left = [image async for image in services.images.hidden()]
    return not left and not keys(services)


@pytest.mark.gen_test
async def test_pictures_are_hidden_before_they_are_removed(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("zuzanna")
    done = await make_mosaic(ada, png())

    await services.images.hide_all(ada.user_id)

    assert (await api.new_client().get("/api/feed/"))["images"] == []
    assert (await api.new_client().get("/api/image/query/", id=done["result_id"]))["error"] == "not_found"
    assert {image.kind async for image in services.images.hidden(ada.user_id)} == {ImageKind.HIDDEN}
    await until(lambda: removed(services, ada.user_id))


async def removed(services: Services, user_id: int) -> bool:
    await services.image_deletions.finish_pending(user_id)
    return not keys(services)
