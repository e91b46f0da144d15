"""Upload tokens, and new tokens for the same key: for the user who asked first, and only until the image is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handlers.services import Services
from models.bucket.policy import read_token
from settings import Settings
from tests.support.client import ApiClient
from tests.support.pictures import png

TOKEN = "/api/image/token/"


@pytest.mark.gen_test
async def test_another_token_is_for_the_same_key_and_the_same_upload(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    first = await ada.post(TOKEN, filename="slow.png", param="for the wall")

    again = await ada.form(TOKEN, key=first["key"], filename="another.png", param="other")

    assert (again["key"], again["url"], again["upload_url"]) == (first["key"], first["url"], first["upload_url"])
    assert again["expires"] >= first["expires"]
    policy = read_token(services.bucket.keys, again["token"], now=first["expires"])
    assert (policy.scoped_key, policy.endUser, policy.insertOnly) == (first["key"], str(ada.user_id), 1)
    expected = await services.uploads.get(first["key"])
    assert (expected.owner.id, expected.filename, expected.param) == (ada.user_id, "slow.png", "for the wall")


@pytest.mark.gen_test
async def test_the_key_of_another_user_is_refused(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    key = (await ada.post(TOKEN))["key"]

    by_another, by_nobody = await bob.post(TOKEN, key=key), await api.new_client().post(TOKEN, key=key)

    assert (by_another.status, by_another["error"]) == (403, "not_yours")
    assert (by_nobody.status, by_nobody["error"]) == (401, "no_session")
    assert "token" not in by_another


@pytest.mark.gen_test
async def test_the_key_of_an_arrived_picture_and_an_unknown_key_are_refused(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    arrived = services.bucket.key_of((await ada.upload(png()))["url"])

    for key in (arrived, "source/made-up", "..", "x" * 751):
        answer = await ada.post(TOKEN, key=key)
        assert answer["code"] < 1, key
        assert "token" not in answer
    assert (await ada.post(TOKEN, key=arrived))["error"] == "not_found"


@pytest.mark.gen_test
async def test_a_file_that_is_announced_as_too_large_gets_no_token(api: ApiClient, services: Services) -> None:
    ada, limit = await api.sign_up("ada"), services.upload_limit_bytes

    largest, larger = await ada.post(TOKEN, filesize=limit), await ada.post(TOKEN, filesize=limit + 1)

    assert (largest["code"], larger.status, larger["error"]) == (1, 413, "too_large")
    assert len(await services.uploads.of_owner(ada.user_id)) == 1


class TestOpenAccess:
    """With open access every client that has the key gets another token for it."""

    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        return settings_of(access="open")

    @pytest.mark.gen_test
    async def test_strangers_have_fresh_tokens_as_well(self, api: ApiClient, expect_log: Callable[[str], None]) -> None:
        expect_log("access is open")
        key = (await api.post(TOKEN))["key"]

        assert (await api.post(TOKEN, key=key))["key"] == key


@pytest.mark.gen_test
async def test_a_file_name_that_gets_a_token_arrives_whatever_its_script(api: ApiClient) -> None:
    ada = await api.sign_up("ada")

    for name in ("猫" * 350, "\U0001f408" * 1024):
        assert (await ada.upload(filename=name))["filename"] == name
    refused = await ada.post(TOKEN, filename="x" * 1025)
    assert (refused.status, refused["field"]) == (400, "filename")
