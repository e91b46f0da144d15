"""Clients of the original document: forms and GET, no cookies, names of the first implementation."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import PIL.Image
import pytest

from handlers.services import Services
from models.bucket.signature import qbox
from settings import Settings
from tests.support.client import PASSWORD, ApiClient, ApiResponse
from tests.support.pictures import png
from tests.support.waiting import until

CALLBACK = "/api/image/upload"


async def call_back(api: ApiClient, services: Services, body: str) -> ApiResponse:
    """A callback as the documented policy asks for: the file name, and no key."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": qbox(services.bucket.keys, CALLBACK, body.encode()),
    }
    return await api.request("POST", CALLBACK, body=body.encode(), headers=headers)


async def store(services: Services, key: str) -> str:
    """An object that another client of the bucket has uploaded. Returns its URL."""
    await asyncio.to_thread(services.bucket.put, key, png(), mime="image/png")
    return services.bucket.url(key)


@pytest.mark.gen_test
async def test_a_callback_without_a_key_registers_the_object_of_that_name(api: ApiClient, services: Services) -> None:
    await store(services, "cat.png")

    first, again = [await call_back(api, services, "filename:cat.png&filesize:5&param:mosaic") for _ in range(2)]

    assert (first.status, first["code"], first["filename"], first["param"]) == (200, 1, "cat.png", "mosaic")
    assert (await api.get(first["url"])).body == png()
    assert again.json == first.json


@pytest.mark.gen_test
async def test_a_callback_without_a_key_is_refused_where_no_object_has_that_name(
    api: ApiClient, services: Services
) -> None:
    """The URL of a success would lead nowhere: Kodo has stored the file under another key."""
    refused = await call_back(api, services, "filename:hashed.png&filesize:5&param:mosaic")

    assert (refused.status, refused["code"] < 1, refused["error"]) == (404, True, "not_found")


@pytest.mark.gen_test
async def test_a_picture_of_nobody_is_claimed_and_a_second_registration_changes_its_param(
    api: ApiClient, services: Services
) -> None:
    url = await store(services, "dog.png")
    await call_back(api, services, "filename:dog.png&filesize:5&param:old")
    ada = await api.new_client().sign_up("ada")
    values = {"url": url, "filename": "dog.png", "user_id": ada.user_id}

    first = await ada.form("/api/image/addinfo/", **values, param="one")
    second = await ada.form("/api/image/addinfo/", **values, param="two")
    unchanged = await ada.form("/api/image/addinfo/", **values)

    assert [answer["code"] for answer in (first, second, unchanged)] == [1, 1, 1]
    assert first["id"] == second["id"] == unchanged["id"]
    assert (await ada.get("/api/image/query/", id=first["id"]))["param"] == "two"
    assert (await ada.add_task(url))["state"] == "queued"


@pytest.mark.gen_test
async def test_an_object_of_somebody_else_or_without_a_record_is_not_claimed(
    api: ApiClient, services: Services
) -> None:
    ada, bea = await api.sign_up("ada"), await api.new_client().sign_up("bea")
    taken, unknown = (await ada.upload())["url"], await store(services, "unknown.png")
    values = {"filename": "x.png", "user_id": bea.user_id}

    answers = [await bea.form("/api/image/addinfo/", url=url, **values) for url in (taken, unknown)]

    assert [(answer.status, answer["code"], answer["error"]) for answer in answers] == [
        (403, -1, "not_yours"),
        (200, -1, "not_found"),
    ]


class TestOpenAccess:
    """With open access the trip of the original document ends: nobody signs in, everybody reads."""

    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        return settings_of(access="open")

    @pytest.fixture(autouse=True)
    def _log(self, expect_log: Callable[[str], None]) -> None:
        expect_log("access is open")

    @pytest.mark.gen_test
    async def test_from_an_upload_to_the_mosaic_without_cookies(self, api: ApiClient) -> None:
        url = (await api.upload(png()))["url"]

        added = await api.new_client().get("/api/tasks/add", url=url, type="model", model="mosaic")

        async def done() -> Any:
            tasks = (await api.new_client().get("/tasks/query/"))["done"]
            return next((task for task in tasks if task["id"] == added["task"]["id"]), None)

        task = await until(done)
        result = await api.new_client().get(task["result_url"])
        assert (task["state"], task["url"]) == ("done", url)
        assert PIL.Image.open(io.BytesIO(result.body)).size == PIL.Image.open(io.BytesIO(png())).size

    @pytest.mark.gen_test
    async def test_tasks_of_users_and_private_results_stay_hidden(self, api: ApiClient) -> None:
        ada = await api.new_client().sign_up("ada")
        url = (await ada.upload(png()))["url"]

        task = await ada.add_task(url)

        queue = (await api.new_client().get("/tasks/query/", id=task["id"])).json
        (seen,) = [*queue["tasks"], *queue["done"]]
        assert "url" not in seen
        assert "result_url" not in seen

    @pytest.mark.gen_test
    async def test_an_object_without_a_token_of_ours_is_registered_for_any_user(
        self, api: ApiClient, services: Services
    ) -> None:
        url = await store(services, "legacy.png")
        added = await api.form("/api/user/add", email="ada@example.com", username="ada", password=PASSWORD)
        query = urlencode({"username": "ada", "password": PASSWORD})
        user_id = (await api.new_client().get(f"/api/user/query?{query}"))["id"]

        registered = await api.new_client().form(
            "/api/image/addinfo", url=url, filename="legacy.png", param="wall", user_id=user_id
        )

        assert (added["code"], registered["code"]) == (1, 1)
        image = await api.new_client().get("/api/image/query", id=registered["id"])
        assert (image["url"], image["param"]) == (url, "wall")
