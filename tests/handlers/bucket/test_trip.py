"""The whole server on each bucket: the trip is the same, and no callback gives anybody what is not theirs."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import PIL.Image
import pytest

from handlers.services import Services
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from models.bucket.policy import upload_token
from models.bucket.signature import decode, encode, qbox, qiniu
from models.image import Image
from models.visibility import SERVER
from processing.upkeep.reconcile import ReconcileResult
from settings import Settings
from tests.support.client import ApiClient, ApiResponse
from tests.support.kodo_serving import serving_on
from tests.support.kodo_state import FakeKodo
from tests.support.pictures import png
from tests.support.upkeep import reconciler_of
from tests.support.waiting import finished

KODO_KEYS = Keys("trip-access-key", "trip-secret-key")
FORM = "application/x-www-form-urlencoded"
PATH = "/api/image/upload"


@pytest.fixture(params=["embedded", "kodo", "private kodo"])
def kodo(request: pytest.FixtureRequest, io_loop: Any) -> Iterator[FakeKodo | None]:
    """The peer, or None for the embedded bucket."""
    if request.param == "embedded":
        yield None
        return
    peer = FakeKodo(KODO_KEYS.access, KODO_KEYS.secret, "pictures", private=request.param == "private kodo")
    with serving_on(io_loop, peer):
        yield peer


@pytest.fixture
def settings(settings_of: Callable[..., Settings], kodo: FakeKodo | None) -> Settings:
    if kodo is None:
        return settings_of()
    return settings_of(**kodo.settings())


@pytest.fixture
def keys(services: Services) -> Keys:
    return services.bucket.keys if isinstance(services.bucket, EmbeddedBucket) else KODO_KEYS


async def say(
    api: ApiClient, authorization: str | None, body: bytes, kind: str = FORM, path: str = PATH
) -> ApiResponse:
    """Send a callback."""
    headers = {"Content-Type": kind} | ({"Authorization": authorization} if authorization else {})
    return await api.new_client().request("POST", path, body=body, headers=headers)


async def expected_key(person: ApiClient) -> str:
    return (await person.post("/api/image/token/", filename="a.png"))["key"]


@pytest.mark.gen_test(timeout=60)
async def test_from_signing_up_to_the_mosaic_and_back_to_nothing(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload(filename="猫 & 狗=1:2.png", param="p")

    task = await ada.add_task(uploaded["url"], {"style": "mosaic", "cell": 8, "format": "png"})
    done = await finished(ada, task["id"])

    assert (uploaded["filename"], uploaded["param"], done["state"]) == ("猫 & 狗=1:2.png", "p", "done")
    picture = await ada.get(done["result_url"])
    assert PIL.Image.open(io.BytesIO(picture.body)).format == "PNG"
    await ada.post("/api/image/delete/", id=uploaded["id"])
    left = await asyncio.to_thread(lambda: [stat.key for stat in services.bucket.list("source/")])
    assert left == []


@pytest.mark.requirement(46)
@pytest.mark.gen_test(timeout=60)
async def test_a_private_result_needs_a_signature_except_in_a_public_kodo_bucket(
    api: ApiClient, services: Services, kodo: FakeKodo | None
) -> None:
    ada, stranger = await api.sign_up("ada"), api.new_client()
    done = await finished(ada, (await ada.add_task((await ada.upload())["url"], visibility="private"))["id"])
    plain = services.bucket.url((await services.images.by_id(done["result_id"], SERVER)).key)

    protects = (await stranger.get("/api/session/"))["limits"]["protects_files"]

    assert (await stranger.get(done["result_url"])).status == 200
    assert ((await stranger.get(plain)).status != 200) is protects is (kodo is None or kodo.private)
    assert ("token=" in done["result_url"]) is protects


@pytest.mark.gen_test
async def test_an_upload_in_parts_outlives_its_token_and_goes_on_with_a_fresh_one(
    api: ApiClient, services: Services, keys: Keys
) -> None:
    ada = await api.sign_up("ada")
    old = await ada.post("/api/image/token/", filename="slow.png", param="p")
    picture = png() + bytes(2 << 20)
    root = f"{old['upload_url']}/buckets/{services.bucket.name}/objects/{encode(old['key'].encode())}/uploads"

    async def say_with(token: str, method: str, path: str, body: bytes) -> ApiResponse:
        return await ada.request(method, root + path, body=body, headers={"Authorization": f"UpToken {token}"})

    upload = (await say_with(old["token"], "POST", "", b""))["uploadId"]
    first = await say_with(old["token"], "PUT", f"/{upload}/1", picture[: 1 << 20])
    too_old = await say_with(ended(old["token"], keys), "PUT", f"/{upload}/2", picture[1 << 20 :])
    fresh = await ada.post("/api/image/token/", key=old["key"])
    second = await say_with(fresh["token"], "PUT", f"/{upload}/2", picture[1 << 20 :])
    named = [{"partNumber": number, "etag": part["etag"]} for number, part in enumerate((first, second), 1)]
    whole = json.dumps({"parts": named, "fname": "slow.png", "customVars": {"x:param": "p"}}).encode()
    answer = await say_with(fresh["token"], "POST", f"/{upload}", whole)

    assert too_old.status == 401
    assert (fresh["key"], fresh["url"]) == (old["key"], old["url"])
    assert (answer["code"], answer["filename"], answer["param"]) == (1, "slow.png", "p")
    image = await services.images.by_id(answer["id"], SERVER)
    assert image.owner.id == ada.user_id
    assert (await ada.get(services.bucket.readable_url(image.key))).body == picture


def ended(token: str, keys: Keys) -> str:
    """The token when its minutes are over."""
    return upload_token(keys, {**json.loads(decode(token.split(":")[2])), "deadline": 1})


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
    assert await asyncio.to_thread(services.bucket.read, key, limit_bytes=10**6, timeout_s=5) == png()


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
    api: ApiClient, keys: Keys
) -> None:
    ada = await api.sign_up("ada")
    colons = b"filename:a=b.png&filesize:12&param:mosaic"
    key = await expected_key(ada)
    document = b'{"key": "%s", "filename": "c.png", "filesize": 3, "param": "{}"}' % key.encode()
    headers = {"Host": api.base_url.removeprefix("http://"), "Content-Type": "application/json"}

    by_colons = await say(api, qbox(keys, PATH, colons), colons)
    by_json = await say(api, qiniu(keys, "POST", PATH, headers, document), document, "application/json")

    assert (by_colons["filename"], by_colons["param"]) == ("a=b.png", "mosaic")
    assert (by_json["filename"], by_json["param"]) == ("c.png", "{}")


@pytest.mark.gen_test
@pytest.mark.parametrize("body", [b"", b"filesize=1", b"key=a&key=b", b"filesize=x&key=a", b"key=%ff"])
async def test_a_signed_body_that_makes_no_sense_is_a_refusal(api: ApiClient, keys: Keys, body: bytes) -> None:
    answer = await say(api, qbox(keys, PATH, body), body)

    assert answer["code"] < 1
    assert answer.status < 500
