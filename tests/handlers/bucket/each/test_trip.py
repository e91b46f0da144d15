"""The whole server on each bucket: the trip is the same."""

from __future__ import annotations

import asyncio
import io
import json

import PIL.Image
import pytest

from handlers.services import Services
from models.bucket.keys import Keys
from models.bucket.policy import upload_token
from models.bucket.signature import decode, encode
from models.images.visibility import SERVER
from tests.support.client import ApiClient, ApiResponse
from tests.support.kodo_state import FakeKodo
from tests.support.pictures import png
from tests.support.waiting import finished


@pytest.mark.gen_test
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
@pytest.mark.gen_test
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
