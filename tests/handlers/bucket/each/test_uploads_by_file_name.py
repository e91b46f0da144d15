"""Callbacks without a key, of each bucket: two pictures of one file name stay two, and the old address leads on."""

from __future__ import annotations

import asyncio

import pytest
from tornado.httpclient import AsyncHTTPClient

from handlers.services import Services
from models.bucket.keys import Keys
from models.bucket.signature import qbox
from models.images.image import ANONYMOUS, ImageKind, NewImage
from models.images.object_access import THUMBNAILS
from models.images.visibility import UNSTATED
from tests.support.client import ApiClient, ApiResponse
from tests.support.pictures import png

PATH = "/api/image/upload"
NAME = "猫 1.png"
FIRST, SECOND = png(seed=1), png(seed=2)


async def upload(api: ApiClient, services: Services, keys: Keys, data: bytes) -> ApiResponse:
    """An old client replaces the object of its file name; the bucket calls back as the old policy asks for."""
    await asyncio.to_thread(services.bucket.put, NAME, data, mime="image/png")
    return await call_back(api, keys, data)


async def call_back(api: ApiClient, keys: Keys, data: bytes, name: str = NAME) -> ApiResponse:
    body = f"filename:{name}&filesize:{len(data)}&param:mosaic".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": qbox(keys, PATH, body)}
    return await api.new_client().request("POST", PATH, body=body, headers=headers)


async def read(services: Services, url: str) -> bytes:
    key = services.bucket.key_of(url)
    assert key is not None
    return (await AsyncHTTPClient().fetch(services.bucket.readable_url(key))).body


async def address_status(services: Services) -> int:
    url = services.bucket.readable_url(NAME, private=False)
    return (await AsyncHTTPClient().fetch(url, raise_error=False)).code


@pytest.mark.gen_test
async def test_two_pictures_of_one_file_name_stay_two(api: ApiClient, keys: Keys, services: Services) -> None:
    first = await upload(api, services, keys, FIRST)
    replayed = await call_back(api, keys, FIRST)
    second = await upload(api, services, keys, SECOND)
    back = await upload(api, services, keys, FIRST)

    assert [answer["code"] for answer in (first, second)] == [1, 1]
    assert first.json == replayed.json == back.json
    assert first["id"] != second["id"]
    assert first["filename"] == second["filename"] == NAME
    assert [await read(services, answer["url"]) for answer in (first, second)] == [FIRST, SECOND]
    assert await services.database.collection("images").count_documents({}) == 2


@pytest.mark.gen_test
async def test_the_address_of_the_file_name_serves_tasks_and_registers_what_is_there_now(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    ada = await api.sign_up("ada")
    address = services.bucket.url(NAME)
    await upload(api, services, keys, FIRST)
    second = await upload(api, services, keys, SECOND)

    added = await ada.form("/api/tasks/add", url=address, model="mosaic")
    claimed = await ada.form("/api/image/addinfo", url=address, filename=NAME, param="mine", user_id=ada.user_id)

    assert await read(services, address) == SECOND
    assert (added["code"], added["task"]["url"], added["task"]["source_id"]) == (1, address, second["id"])
    image = await ada.get("/api/image/query", id=claimed["id"])
    assert (claimed["code"], image["url"], image["param"]) == (1, second["url"], "mine")


@pytest.mark.gen_test
async def test_a_picture_that_is_deleted_is_gone_from_the_address_of_its_name(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    first = await upload(api, services, keys, FIRST)
    second = await upload(api, services, keys, SECOND)

    await services.image_deletions.delete(first["id"], None)
    status_with_another = await address_status(services)
    await services.image_deletions.delete(second["id"], None)

    assert (status_with_another, await address_status(services)) == (200, 404)
    assert [stat.key for stat in await asyncio.to_thread(lambda: list(services.bucket.list()))] == []


@pytest.mark.gen_test
async def test_an_object_that_is_replaced_while_it_is_copied_is_copied_again(
    api: ApiClient, keys: Keys, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(services.bucket.put, NAME, FIRST, mime="image/png")
    copy, puts = type(services.bucket).copy, [SECOND]

    def replace_and_copy(bucket: object, source_key: str, key: str) -> object:
        if puts:
            services.bucket.put(NAME, puts.pop(), mime="image/png")
        return copy(bucket, source_key, key)  # type: ignore[arg-type]

    monkeypatch.setattr(type(services.bucket), "copy", replace_and_copy)
    answer = await call_back(api, keys, SECOND)

    assert (answer["code"], await read(services, answer["url"])) == (1, SECOND)
    keys = {stat.key for stat in await asyncio.to_thread(lambda: list(services.bucket.list()))}
    assert {key for key in keys if not key.startswith(THUMBNAILS)} == {NAME, services.bucket.key_of(answer["url"])}


@pytest.mark.gen_test
async def test_a_file_name_that_is_a_key_of_ours_is_refused_and_completes_no_upload(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    ada = await api.sign_up("ada")
    pending = (await ada.post("/api/image/token/", filename="a.png"))["key"]
    for name in (pending, "mosaic/0123.png", "map/x.json", "thumbnail/1/256"):
        await asyncio.to_thread(services.bucket.put, name, FIRST, mime="image/png")

        answer = await call_back(api, keys, FIRST, name)

        assert (answer.status, answer["error"]) == (404, "not_found")
        assert (await asyncio.to_thread(services.bucket.stat, name)).size_bytes == len(FIRST)
    assert (await services.uploads.get(pending)).owner.id == ada.user_id


@pytest.mark.gen_test
async def test_an_object_that_was_registered_under_its_file_name_is_not_copied(
    api: ApiClient, keys: Keys, services: Services
) -> None:
    """By a server that made no copies yet."""
    stat = await asyncio.to_thread(services.bucket.put, NAME, FIRST, mime="image/png")
    old = NewImage(
        ImageKind.SOURCE, ANONYMOUS, key=NAME, url=services.bucket.url(NAME), filename=NAME, filesize=len(FIRST),
        param="mosaic", etag=stat.etag, visibility=UNSTATED,
    )  # fmt: skip
    registered = await services.images.add(old)

    answer = await call_back(api, keys, FIRST)

    stored = await asyncio.to_thread(lambda: [stat.key for stat in services.bucket.list()])
    assert (answer["code"], answer["id"]) == (1, registered.id)
    assert [key for key in stored if not key.startswith(THUMBNAILS)] == [NAME]
