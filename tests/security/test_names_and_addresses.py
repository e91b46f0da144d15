"""Names, roles and e-mail addresses belong to accounts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handlers.services import Services
from models.database import Database
from settings import Settings
from tests.support.accounts import add_account
from tests.support.client import PASSWORD, ApiClient, ApiResponse


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(sign_up_burst=1000)


class TestRoles:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        return settings_of(developers=("Boss",))

    @pytest.mark.requirement(59)
    @pytest.mark.gen_test
    async def test_nobody_signs_up_as_a_developer(self, api: ApiClient, services: Services) -> None:
        spellings = ("Boss", "boss", "\uff22oss", " BOSS ", "\U0001d401oss")

        refused = [await sign_up(api.new_client(), name) for name in spellings]
        await add_account(services.database, "Boss")
        boss = await api.sign_in("boss")

        assert {(answer["code"], answer["error"]) for answer in refused} == {(-2, "username_taken")}
        assert (await boss.get("/api/session/"))["user"]["developer"] is True

    @pytest.mark.requirement(59)
    @pytest.mark.gen_test
    async def test_the_name_of_a_deleted_account_is_not_given_out_again(self, api: ApiClient) -> None:
        zoe = await api.new_client().sign_up("Zoë")
        assert (await zoe.post("/api/user/delete/", password=PASSWORD))["finished"] is True

        again = [await sign_up(api.new_client(), name) for name in ("Zoë", "ZOE\u0308", "zoë ")]
        same_address = await sign_up(api.new_client(), "another", email="Zoë@example.com")

        assert {(answer["code"], answer["error"]) for answer in again} == {(-2, "username_taken")}
        assert same_address["code"] == 1


async def sign_up(client: ApiClient, name: str, email: str = "somebody@example.com") -> ApiResponse:
    return await client.post("/api/user/add/", username=name, email=email, password=PASSWORD)


@pytest.mark.requirement(60)
@pytest.mark.gen_test
async def test_an_email_address_belongs_to_one_account(api: ApiClient) -> None:
    ada, bob = await api.new_client().sign_up("ada"), await api.new_client().sign_up("bob")
    spellings = ("ada@example.com", "ADA@Example.COM", "\uff21da@example.com", "ada@\uff45xample.com")

    refused = [await sign_up(api.new_client(), "eve", email) for email in spellings]
    changed = await bob.post("/api/user/change/", password=PASSWORD, email="Ada@example.com")
    own = await ada.post("/api/user/change/", password=PASSWORD, email="Ada@example.com")
    moved = await ada.post("/api/user/change/", password=PASSWORD, email="ada@example.cn")
    free = await sign_up(api.new_client(), "eve", "ada@example.com")

    assert {(answer.status, answer["code"], answer["error"], answer["field"]) for answer in refused} == {
        (200, -2, "email_taken", "email")
    }
    assert (changed.status, changed["error"]) == (400, "email_taken")
    assert [own["code"], moved["code"], free["code"]] == [1, 1, 1]


@pytest.mark.requirement(60)
@pytest.mark.gen_test
async def test_email_addresses_are_checked(api: ApiClient) -> None:
    wrong = (
        "a", "a@", "@b.cn", "a@b@c.cn", "a b@c.cn", "a@-b.cn", "a@b-.cn", "a@b..cn", "a@.cn", "a@b_c.cn", ".a@b.cn",
        "a..b@c.cn", f"{'a' * 65}@b.cn", f"a@{'b' * 64}.cn", "a\u202eb@c.cn", "a\u200bb@c.cn", "a@b\u200d.cn",
        "a\u3164@b.cn", "a\ufe0f@b.cn", "a\x00@b.cn", "a@b.cn\r\nBcc: c@d.cn", "Ada <a@b.cn>",
    )  # fmt: skip
    good = ("a@b.cn", "a+b@localhost", "张三@例子.中国", "zoë@example.com", "o'brien@a-b.example")

    refused = {email: await sign_up(api.new_client(), "eve", email) for email in wrong}
    accepted = {email: await sign_up(api.new_client(), f"eve {at}", email) for at, email in enumerate(good)}

    errors = {email: (answer["code"], answer.json.get("field")) for email, answer in refused.items()}
    assert {email for email, error in errors.items() if error != (-2, "email")} == set()
    assert {email for email, answer in accepted.items() if answer["code"] != 1} == set()


@pytest.mark.requirement(60)
@pytest.mark.gen_test
async def test_equal_addresses_of_an_earlier_version_stay_with_their_accounts(
    api: ApiClient, services: Services, database: Database
) -> None:
    ada, bob = await api.new_client().sign_up("ada"), await api.new_client().sign_up("bob")
    users = database.collection("users")
    for client in (ada, bob):
        change = {"$set": {"email": "Same@example.com"}, "$unset": {"email_key": ""}}
        await users.update_one({"_id": client.user_id}, change)

    await services.users.add_email_keys()
    await services.users.add_email_keys()

    keys = [(await users.find_one({"_id": client.user_id}) or {})["email_key"] for client in (ada, bob)]
    assert keys == ["same@example.com", ""]
    assert (await sign_up(api.new_client(), "eve", "same@example.com"))["error"] == "email_taken"
    await bob.new_client().sign_in("bob")
