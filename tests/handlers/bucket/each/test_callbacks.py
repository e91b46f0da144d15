"""Callbacks of each bucket: none gives anybody what is not theirs, and none makes an image twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from handlers.services import Services
from models.bucket.keys import Keys
from models.bucket.signature import qbox, qiniu
from models.images.image import Image
from models.images.visibility import SERVER
from processing.upkeep.reconcile import ReconcileResult
from tests.support.client import ApiClient, ApiResponse
from tests.support.pictures import png
from tests.support.upkeep import reconciler_of

FORM = "application/x-www-form-urlencoded"
PATH = "/api/image/upload"


async def say(
    api: ApiClient, authorization: str | None, body: bytes, kind: str = FORM, path: str = PATH
) -> ApiResponse:
    """Send a callback."""
    headers = {"Content-Type": kind} | ({"Authorization": authorization} if authorization else {})
    return await api.new_client().request("POST", path, body=body, headers=headers)


async def expected_key(person: ApiClient) -> str:
    return (await person.post("/api/image/token/", filename="a.png"))["key"]


@pytest.mark.requirement(16)
@pytest.mark.gen_test
async def test_only_the_bucket_may_call_back_and_nothing_else_leaves_a_trace(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    ada = await api.sign_up("ada")
    key = await expected_key(ada)
    body = urlencode({"key": key, "filename": "a.png", "filesize": 5}).encode()
    good = qbox(keys, PATH, body)
    forgeries = [
        (None, body, FORM),
        ("", body, FORM),
        ("QBox", body, FORM),
        ("QBox a:b:c", body, FORM),
        ("Basic YTpi", body, FORM),
        (good.swapcase(), body, FORM),
        (good, body.replace(b"filesize=5", b"filesize=6"), FORM),
        (qbox(Keys(keys.access, "another"), PATH, body), body, FORM),
        (qbox(Keys("another", keys.secret), PATH, body), body, FORM),
        (good, body + b"&endUser=1", FORM),
        (qbox(keys, "/api/tasks/add", body), body, FORM),
        (qbox(keys, PATH, b""), b'{"key": "x"}', "application/json"),
        (qbox(keys, PATH, b'{"key": "x"}'), b'{"key": "x"}', "application/json"),
        ("QBox " + "A" * 10_000, body, FORM),
        (good, b"\xff\xfe", FORM),
    ]

    answers = [await say(api, *forgery) for forgery in forgeries]

    assert [answer.status for answer in answers] == [401] * len(forgeries)
    assert {answer.body for answer in answers} == {answers[0].body}
    assert await images_of(services, ada) == []
    assert (await say(api, good, body)).json["code"] == 1


@pytest.mark.requirement(17)
@pytest.mark.gen_test
async def test_a_callback_replayed_one_after_another_and_at_once_is_one_picture(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    ada = await api.sign_up("ada")
    for _ in range(3):
        key = await expected_key(ada)
        body = urlencode({"key": key, "filename": "a.png", "filesize": 5}).encode()
        good = qbox(keys, PATH, body)

        at_once = await asyncio.gather(*(say(api, good, body) for _ in range(10)))
        later = [await say(api, good, body) for _ in range(5)]

        assert len({answer.body for answer in [*at_once, *later]}) == 1
        assert {answer.status for answer in [*at_once, *later]} == {200}
    assert len(await images_of(services, ada)) == 3


@pytest.mark.gen_test
async def test_a_callback_an_hour_late_finds_its_picture_adopted_and_doubles_nothing(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    ada = await api.sign_up("ada")
    reconciliation = reconciler_of(services)
    key, body = await arrived_untold(ada, services)

    young = await reconciliation.reconcile()
    await an_hour_later(services, key)
    swept = await reconciliation.reconcile()
    late = [await say(api, qbox(keys, PATH, body), body) for _ in range(2)]
    again = await reconciliation.reconcile()

    assert (young, swept, again) == (
        ReconcileResult(0, 0),
        ReconcileResult(adopted=1, deleted=0),
        ReconcileResult(0, 0),
    )
    assert [answer["code"] for answer in late] == [1, 1]
    assert late[0].body == late[1].body
    (image,) = await images_of(services, ada)
    assert (image.id, image.filename, image.filesize) == (late[0]["id"], "a.png", len(png()))
    assert await asyncio.to_thread(services.bucket.read, key, limit_bytes=10**6, timeout_s=60) == png()


@pytest.mark.gen_test
async def test_a_callback_an_hour_late_but_before_the_sweep_registers_once(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    ada = await api.sign_up("ada")
    key, body = await arrived_untold(ada, services)
    await an_hour_later(services, key)

    late = await say(api, qbox(keys, PATH, body), body)
    swept = await reconciler_of(services).reconcile()

    assert swept == ReconcileResult(0, 0)
    assert [image.id for image in await images_of(services, ada)] == [late["id"]]


@pytest.mark.gen_test
async def test_a_callback_behind_the_registration_that_overtook_it_makes_nothing_new(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    ada = await api.sign_up("ada")
    key, body = await arrived_untold(ada, services)

    registered = await ada.post(
        "/api/image/addinfo/", url=services.bucket.url(key), filename="a.png", user_id=ada.user_id
    )
    late = await say(api, qbox(keys, PATH, body), body, FORM + "; charset=utf-8")

    assert (registered["id"], late["code"]) == (late["id"], 1)
    assert len(await images_of(services, ada)) == 1


async def arrived_untold(person: ApiClient, services: Services) -> tuple[str, bytes]:
    """A picture in the bucket whose callback has not arrived: its key, and the body of the callback."""
    key = await expected_key(person)
    await asyncio.to_thread(services.bucket.put, key, png(), mime="image/png")
    return key, urlencode({"key": key, "filename": "a.png", "filesize": len(png()), "endUser": person.user_id}).encode()


async def an_hour_later(services: Services, key: str) -> None:
    """The upload was asked for an hour earlier than it was."""
    created = datetime.now(UTC) - timedelta(hours=1)
    assert await services.database.collection("uploads").update_one({"_id": key}, {"$set": {"created": created}})


async def images_of(services: Services, person: ApiClient) -> list[Image]:
    rows = await services.database.collection("images").find({"owner_id": person.user_id}, sort="_id", limit=9)
    return [await services.images.by_id(each["_id"], SERVER) for each in rows]


@pytest.mark.requirement(17, 18)
@pytest.mark.gen_test
async def test_a_picture_belongs_to_who_asked_for_the_token_whatever_the_body_says(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    key = await expected_key(ada)
    body = urlencode({"key": key, "filename": "x&endUser=2", "param": "endUser=2", "endUser": bob.user_id}).encode()

    answer = await say(api, qbox(keys, PATH, body), body)

    image = await services.images.by_id(answer["id"], SERVER)
    assert image.owner.id == ada.user_id


@pytest.mark.requirement(17)
@pytest.mark.gen_test
async def test_a_key_that_nobody_asked_for_is_refused(api: ApiClient, keys: Keys) -> None:
    body = b"key=source/nobody&filename=a.png&filesize=5"

    answer = await say(api, qbox(keys, PATH, body), body)

    assert answer["code"] < 1


@pytest.mark.requirement(33)
@pytest.mark.gen_test
async def test_the_documented_body_with_colons_and_json_in_the_qiniu_style_are_understood(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    ada = await api.sign_up("ada")
    await asyncio.to_thread(services.bucket.put, "a=b.png", png(), mime="image/png")
    colons = b"filename:a=b.png&filesize:12&param:mosaic"
    key = await expected_key(ada)
    document = b'{"key": "%s", "filename": "c.png", "filesize": 3, "param": "{}"}' % key.encode()
    headers = {"Host": api.base_url.removeprefix("http://"), "Content-Type": "application/json"}

    by_colons = await say(api, qbox(keys, PATH, colons), colons)
    by_json = await say(api, qiniu(keys, "POST", PATH, headers, document), document, "application/json")

    assert (by_colons["filename"], by_colons["param"]) == ("a=b.png", "mosaic")
    assert (by_json["filename"], by_json["param"]) == ("c.png", "{}")


@pytest.mark.gen_test
async def test_a_signed_body_that_makes_no_sense_is_a_refusal(api: ApiClient, keys: Keys) -> None:
    for body in (b"", b"filesize=1", b"key=a&key=b", b"filesize=x&key=a", b"key=%ff"):
        answer = await say(api, qbox(keys, PATH, body), body)

        assert answer["code"] < 1, body
        assert answer.status < 500, body
