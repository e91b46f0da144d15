"""Requirement 47: guests are bounded, publish nothing, and are gone after a day, or keep everything by signing up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from handlers.services import Services
from handlers.transport.rate_limit import Rate, make_login_limits
from models import errors
from models.accounts.sessions import Sessions
from models.database import Database
from models.guests import Guests
from models.images.image import Owner
from models.images.visibility import SERVER
from models.queue.fair_order import AddressQueue, FairOrder
from processing.upkeep.guest_deletion import GuestDeletions
from settings import Settings
from tests.support.client import PASSWORD, ApiClient
from tests.support.pictures import png
from tests.support.waiting import finished, until

pytestmark = pytest.mark.requirement(47)


@pytest.fixture
def guest_limit() -> int:
    return 3


@pytest.fixture
def settings(settings_of: Callable[..., Settings], guest_limit: int) -> Settings:
    return settings_of(guest_limit=guest_limit, guest_pictures=3, guest_queue_limit=2)


async def open_guest(api: ApiClient) -> ApiClient:
    guest = api.new_client()
    opened = await guest.post("/api/user/guest/")
    assert (opened.status, opened["code"]) == (200, 1), opened.json
    return guest


async def make(guest: ApiClient, seed: int = 1, **more: Any) -> dict[str, Any]:
    task = await guest.post("/api/tasks/add/", url=(await guest.upload(png(seed=seed)))["url"], **more)
    return await finished(guest, task["task"]["id"])


async def sweep(services: Services, database: Database, age: timedelta) -> int:
    return await GuestDeletions(Guests(database), services.users, services.account_deletions).sweep(age=age)


@pytest.mark.gen_test
async def test_a_guest_makes_a_picture_that_nobody_else_sees(api: ApiClient) -> None:
    guest, other = await open_guest(api), await open_guest(api)

    done = await make(guest)
    mine = (await guest.get("/api/feed/", view="mine"))["images"]
    document = (await guest.get("/api/image/query/", id=done["result_id"])).json

    assert [image["id"] for image in mine] == [done["result_id"]]
    assert (document["visibility"], document["username"]) == ("private", None)
    assert (await guest.get(done["result_url"])).status == 200
    for stranger in (api, other):
        assert (await stranger.get("/api/image/query/", id=done["result_id"]))["error"] == "not_found"
        assert (await stranger.get(f"/thumbnail/{done['result_id']}/320/")).status == 404
    assert (await api.get("/api/feed/"))["images"] == []
    session = await guest.get("/api/session/")
    assert (session["user"], session["guest"], session["guests_allowed"]) == (None, True, True)


def test_one_address_does_not_take_the_places_of_all_guests() -> None:
    """It may open one a minute, but over a day no more than half of the limit."""
    clock, opened = [0.0], 0
    limits = make_login_limits(Rate(30, 60), guest_limit=200, clock=lambda: clock[0])
    for minute in range(24 * 60):
        clock[0] = 60.0 * minute
        with contextlib.suppress(errors.TooManyRequests):
            for _ in range(30):
                limits.guest.acquire("203.0.113.9")
                limits.guest_share.acquire("203.0.113.9")
                opened += 1

    assert opened == 99
    limits.guest_share.acquire("198.51.100.1")


@pytest.mark.gen_test
async def test_a_guest_publishes_nothing_and_is_nobody_to_others(api: ApiClient) -> None:
    guest = await open_guest(api)
    done = await make(guest)
    await api.new_client().sign_up("ada")

    refused = [
        await guest.post("/api/tasks/add/", url=done["url"], visibility="public"),
        await guest.post("/api/image/token/", visibility="link"),
        await guest.post("/api/image/visibility/", ids=[done["result_id"]], visibility="link"),
        await guest.get("/api/feed/", view="following"),
        await guest.get("/api/user/export/"),
        await guest.post("/api/user/delete/", password="a long enough password"),
        await guest.post("/api/user/change/", password="a long enough password", email="a@b.cn"),
        await guest.post("/api/user/follow/", from_user_name="ada", to_user_name="ada", follow_bool=1),
        await guest.post("/api/tasks/pause/"),
        await guest.get("/tasks/query/", owner="ada"),
    ]

    assert {response.status for response in refused} == {401, 403}
    assert [response.status for response in refused].count(403) == 1
    assert (await api.get("/api/user/query/", username="\0guest/"))["code"] == -1


@pytest.mark.gen_test
async def test_guests_are_bounded_together_and_each(api: ApiClient, services: Services) -> None:
    guests = [await open_guest(api) for _ in range(3)]
    again = await guests[0].post("/api/user/guest/")
    too_many = await api.new_client().post("/api/user/guest/")
    first = guests[0]
    url = (await first.upload(png()))["url"]
    await services.queue.pause(True)
    waiting = [await first.post("/api/tasks/add/", url=url, param={"style": "mosaic", "cell": 4 + n}) for n in range(3)]
    await services.queue.pause(False)
    for response in waiting[:2]:
        await finished(first, response["task"]["id"])
    full = [await first.post("/api/tasks/add/", url=url, param="diamond"), await first.post("/api/image/token/")]

    assert again["code"] == 1
    assert (too_many.status, too_many["error"]) == (429, "too_many_requests")
    assert [response["code"] for response in waiting] == [1, 1, -1]
    assert waiting[2]["error"] == "too_many_tasks"
    assert [(response.status, response["error"]) for response in full] == [(401, "guest_limit")] * 2


def test_one_address_opens_as_many_guests_as_accounts() -> None:
    limits = make_login_limits(Rate(burst=1, interval_s=60))

    limits.guest.acquire("192.0.2.1")
    limits.guest.acquire("192.0.2.2")

    with pytest.raises(errors.TooManyRequests):
        limits.guest.acquire("192.0.2.1")


@pytest.mark.gen_test
async def test_signing_up_takes_everything_along(api: ApiClient, services: Services, database: Database) -> None:
    guest = await open_guest(api)
    done = await make(guest)
    guest_id = (await services.images.by_id(done["result_id"], SERVER)).owner.id
    ticket = await guest.post("/api/image/token/", filename="late.png")
    cookie = dict(guest.cookies)

    ada = await guest.sign_up("ada")
    fields = {"token": ticket["token"], "key": ticket["key"]}
    late = (await ada.post_form(ticket["upload_url"], fields, "late.png", png(seed=9))).json
    old = api.new_client()
    old.cookies = cookie

    mine = (await ada.get("/api/feed/", view="mine"))["images"]
    sources = (await ada.get("/api/feed/", view="mine", kind="source"))["images"]
    assert [(image["id"], image["username"], image["visibility"]) for image in mine] == [
        (done["result_id"], "ada", "private")
    ]
    assert {image["id"] for image in sources} == {done["source_id"], late["id"]}
    assert (await ada.get("/tasks/query/", owner="ada"))["done"][0]["owner"] == "ada"
    assert (await old.get("/api/session/"))["guest"] is False
    published = await ada.post("/api/image/visibility/", ids=[done["result_id"]], visibility="public")
    assert published["changed"] == [done["result_id"]]

    assert await sweep(services, database, timedelta(0)) == 1
    await services.account_deletions.wait(guest_id or 0, within_s=120)
    assert len((await ada.get("/api/feed/", view="mine"))["images"]) == 1


@pytest.mark.gen_test
async def test_what_is_registered_for_a_guest_who_has_signed_up_follows(
    api: ApiClient, services: Services, database: Database
) -> None:
    guest = await open_guest(api)
    done = await make(guest)
    guest_id = (await services.images.by_id(done["result_id"], SERVER)).owner.id
    ada = await guest.sign_up("ada")
    again = await ada.add_task(done["url"], visibility="private")
    assert (await finished(ada, again["id"]))["result_id"] == done["result_id"]
    late = {"$set": {"owner_id": guest_id, "username": None}}
    await database.collection("images").update_one({"_id": done["source_id"]}, late)
    found_late = await ada.post("/api/tasks/add/", url=done["url"], param="diamond")
    await database.collection("images").update_one({"_id": done["source_id"]}, late)

    await sweep(services, database, timedelta(0))
    await services.account_deletions.wait(guest_id or 0, within_s=120)

    assert found_late["code"] == 1
    assert (await services.images.by_id(done["source_id"], SERVER)).owner == Owner(ada.user_id, "ada")


@pytest.mark.gen_test
async def test_the_same_picture_made_before_and_as_a_guest_is_one_afterwards(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    source = (await ada.upload(png()))["url"]
    done = await finished(ada, (await ada.add_task(source))["id"])
    guest = await open_guest(api)
    made_as_guest = (await guest.post("/api/tasks/add/", url=source))["task"]
    await finished(guest, made_as_guest["id"])

    await guest.sign_in("ada")

    assert [image["id"] for image in (await guest.get("/api/feed/", view="mine"))["images"]] == [done["result_id"]]


@pytest.mark.gen_test
async def test_a_guest_is_gone_after_a_day(api: ApiClient, services: Services, database: Database) -> None:
    guest = await open_guest(api)
    done = await make(guest)
    guest_id = (await services.images.by_id(done["result_id"], SERVER)).owner.id
    day = timedelta(days=1)
    early = await sweep(services, database, day)
    users = database.collection("users")
    record = await users.find_one({"_id": guest_id})
    assert record is not None
    await users.update_one({"_id": guest_id}, {"$set": {"created": record["created"] - day}})

    late = await sweep(services, database, day)
    await services.account_deletions.wait(guest_id or 0, within_s=120)

    async def is_gone() -> bool:
        return await users.find_one({"_id": guest_id}) is None

    assert (early, late) == (0, 1)
    assert await until(is_gone)
    assert list(services.bucket.list("source/")) == list(services.bucket.list("mosaic/")) == []
    assert (await guest.get("/api/session/"))["guest"] is False


@pytest.mark.gen_test
async def test_a_guest_whose_account_was_deleted_is_gone_too(
    api: ApiClient, services: Services, database: Database
) -> None:
    guest = await open_guest(api)
    done = await make(guest)
    guest_id = (await services.images.by_id(done["result_id"], SERVER)).owner.id or 0
    ada = await guest.sign_up("ada")
    await ada.post("/api/user/delete/", password=PASSWORD)

    swept = await sweep(services, database, timedelta(0))
    await services.account_deletions.wait(guest_id, within_s=120)

    assert swept == 1
    assert await database.collection("users").count_documents({}) == 0
    assert list(services.bucket.list("source/")) == list(services.bucket.list("mosaic/")) == []


@pytest.mark.gen_test
async def test_the_session_of_a_guest_is_not_extended(database: Database) -> None:
    sessions = Sessions(database)
    token = await sessions.open(7, None, lifetime=timedelta(days=1))
    first = await sessions.find(token)
    second = await sessions.find(token)

    assert first is not None
    assert second == first
    assert first.expires - first.created == timedelta(days=1)


@pytest.mark.gen_test
async def test_a_guest_has_a_third_of_the_share_of_a_user(database: Database) -> None:
    order = FairOrder(database)
    guest = [await order.assign(Owner(1, None), AddressQueue(), idle=number == 0) for number in range(3)]
    user = [await order.assign(Owner(2, "ada"), AddressQueue(), idle=number == 0) for number in range(6)]

    assert [place.round for place in guest] == [3, 6, 9]
    assert [place.round for place in user] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("guest_limit", [0])
@pytest.mark.gen_test
async def test_a_server_without_guests_opens_none(api: ApiClient, guest_limit: int) -> None:
    refused = await api.post("/api/user/guest/")

    assert (refused.status, refused["error"]) == (401, "no_session")
    assert (await api.get("/api/session/"))["guests_allowed"] is False
