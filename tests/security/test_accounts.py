"""Requirements 23 to 28: accounts cannot be entered by injection or by guessing passwords."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pytest

from handlers.login_guard import LoginGuard
from handlers.services import Services
from handlers.transport.rate_limit import Rate, make_login_limits
from models import errors
from models.accounts.passwords import THREADS, WAITING_LIMIT, Passwords
from settings import Settings
from tests.support.accounts import LIGHT_HASHES
from tests.support.client import PASSWORD, ApiClient, ApiResponse
from tests.support.waiting import until

NOT_TEXT: tuple[Any, ...] = (
    {"$ne": ""}, {"$gt": ""}, {"$regex": ".*"}, {"$where": "sleep(9)"}, ["ada"], [{"$ne": ""}], 7, -1, 2**63, 1e308,
    True, {}, [],
)  # fmt: skip
TOO_LONG = "x" * 1_000_000
TEXTS = ("$ne", "a.b", "..", "507f1f77bcf86cd799439011")


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    """The tests act as a proxy and choose the client address of each request."""
    return settings_of(trusted_proxies=("127.0.0.1",))


@pytest.fixture
def profiled(services: Services, mongodb_uri: str, database_name: str) -> Iterator[Any]:
    """The database, whose profiler records every query of the test."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongodb_uri)
    client[database_name].command("profile", 2)
    yield client[database_name]
    client[database_name].command("profile", 0)
    client.close()


@pytest.mark.requirement(23)
@pytest.mark.gen_test
async def test_sign_in_and_sign_up_accept_nothing_but_text(api: ApiClient, profiled: Any) -> None:
    await api.sign_up("ada")
    valid: dict[str, Any] = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    paths, fields = ("/api/user/query/", "/api/user/add/"), ("username", "password")

    refused = [
        await api.new_client().post(path, **valid | {field: value})
        for path in paths
        for field in fields
        for value in (*NOT_TEXT, TOO_LONG)
    ]
    refused += [await api.new_client().post(path, **valid | {"username": "nul\x00"}) for path in paths]
    missing = [("/api/user/query/", "username"), *(("/api/user/add/", field) for field in valid)]
    for path, field in missing:
        for values in ({**valid, field: None}, {name: value for name, value in valid.items() if name != field}):
            refused.append(await api.new_client().post(path, **values))
    unknown = [await api.new_client().post("/api/user/query/", username=text) for text in TEXTS]

    assert {(response.status, response["error"]) for response in refused} == {(200, "bad_parameter")}
    assert {(response.status, response["error"]) for response in unknown} == {(200, "not_found")}
    queries = profiled["system.profile"].find({"op": "query", "ns": {"$regex": r"\.users$"}})
    names = [query["command"]["filter"].get("username_key", "") for query in queries]
    assert [name for name in names if not (isinstance(name, str) or is_batched_lookup(name))] == []


def is_batched_lookup(condition: Any) -> bool:
    """The only operator of our queries: concurrent lookups of names are sent as one `$in`."""
    if not isinstance(condition, dict) or condition.keys() != {"$in"}:
        return False
    return all(isinstance(name, str) for name in condition["$in"])


@pytest.mark.requirement(24)
@pytest.mark.gen_test
async def test_no_id_in_a_path_is_a_500(api: ApiClient) -> None:
    ids = ("0", "9" * 20, str(2**63), "..", "%00", "%ff", "x", "507f1f77bcf86cd799439011", "%7B%22%24gt%22%3A%22%22%7D")

    responses = [
        await api.get(path)
        for each in ids
        for path in (f"/i/{each}", f"/u/{each}", f"/thumbnail/{each}/320", f"/thumbnail/1/{each}", f"/bucket/{each}")
    ]

    assert {response.status for response in responses} == {404}


@pytest.mark.requirement(26)
@pytest.mark.parametrize("path", ["/api/user/change/", "/api/user/delete/"])
@pytest.mark.gen_test
async def test_wrong_passwords_count_where_an_account_is_changed_too(api: ApiClient, path: str) -> None:
    ada = await api.sign_up("ada")

    guesses = [await ada.post(path, password=f"wrong guess {number}") for number in range(12)]
    from_elsewhere = await api.new_client().post(
        "/api/user/query/", headers={"X-Forwarded-For": "198.51.100.7"}, username="ada", password=PASSWORD
    )

    assert [guess.status for guess in guesses] == [400] * 10 + [429] * 2
    assert int(guesses[-1].headers["Retry-After"]) > 0
    assert from_elsewhere["login"] is True


@pytest.mark.requirement(26)
@pytest.mark.parametrize(
    "forwarded_for", ["10.0.0.{}, 203.0.113.9", "2001:db8:1:2::{}"], ids=["forged proxy", "one /64"]
)
@pytest.mark.gen_test
async def test_other_spellings_and_addresses_of_one_client_do_not_allow_more_guesses(
    api: ApiClient, forwarded_for: str
) -> None:
    await api.new_client().sign_up("ada")
    spellings = ("ada", "ADA", " Ada ", "ａｄａ")

    guesses = [
        await api.new_client().post(
            "/api/user/query/",
            headers={"X-Forwarded-For": forwarded_for.format(number + 1)},
            username=spellings[number % 4],
            password=f"wrong guess {number}",
        )
        for number in range(14)
    ]

    assert [guess.status for guess in guesses] == [200] * 10 + [429] * 4


@pytest.mark.requirement(28)
@pytest.mark.gen_test
async def test_the_database_holds_passwords_as_argon2id_alone(api: ApiClient, services: Services) -> None:
    await api.new_client().sign_up("ada")
    await api.new_client().sign_up("ann")

    users = await services.database.collection("users").find({}, sort="_id", limit=9)

    hashes = {user["password_hash"] for user in users}
    assert len(hashes) == 2, "each has its own salt"
    assert all(each.startswith("$argon2id$v=19$") for each in hashes)
    assert not any(PASSWORD in str(user) for user in users)


@pytest.mark.requirement(50)
@pytest.mark.gen_test
async def test_an_email_address_is_shown_to_its_owner_alone(api: ApiClient) -> None:
    ada, bob = await api.new_client().sign_up("ada"), await api.new_client().sign_up("bob")
    whole, masked = "ada@example.com", "a***@example.com"

    async def email(client: ApiClient, **values: str) -> str:
        return str((await client.post("/api/user/query/", username="ada", **values))["email"])

    assert await email(api) == await email(bob) == masked
    assert await email(api.new_client(), password="not the right one") == masked
    assert await email(ada) == whole
    assert await email(api.new_client(), password=PASSWORD) == whole


class TestOpenAccess:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        return settings_of(access="open")

    @pytest.mark.requirement(50)
    @pytest.mark.gen_test
    async def test_an_open_server_shows_email_addresses_to_everybody(self, api: ApiClient) -> None:
        await api.new_client().sign_up("ada")

        assert (await api.get("/api/user/query/", username="ada"))["email"] == "ada@example.com"


class TestSignUps:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        return settings_of(sign_up_burst=3, trusted_proxies=("127.0.0.1",))

    @pytest.mark.requirement(51)
    @pytest.mark.gen_test
    async def test_one_address_opens_a_bounded_number_of_accounts(self, api: ApiClient) -> None:
        async def sign_up(name: str, address: str) -> ApiResponse:
            headers = {"X-Forwarded-For": address}
            values = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
            return await api.new_client().post("/api/user/add/", headers=headers, **values)

        answers = [await sign_up(f"a{number}", f"2001:db8::{number}") for number in range(5)]
        other = await sign_up("b", "2001:db8:0:1::1")

        assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
        assert int(answers[3].headers["Retry-After"]) > 0
        assert other["code"] == 1


def test_by_default_an_address_opens_thirty_accounts_and_then_one_a_minute(
    settings_of: Callable[..., Settings],
) -> None:
    settings = settings_of()

    assert (settings.sign_up_burst, settings.sign_up_interval_s) == (30, 60)


@pytest.mark.requirement(29)
@pytest.mark.gen_test
async def test_names_that_imitate_others_are_refused(api: ApiClient) -> None:
    async def sign_up(name: str) -> ApiResponse:
        values = {"username": name, "email": f"{secrets.token_hex(4)}@example.com", "password": PASSWORD}
        return await api.new_client().post("/api/user/add/", **values)

    invisible = ("\ufe0f", "\u3164", "\u115f", "\u2800", "\u034f", "\U000e0101", "\ue000", "\u200d")
    hidden = [f"a{character}da" for character in invisible]
    # Lisu, Cherokee, Cyrillic, Greek and Armenian letters among Latin ones
    mixed = ("\ua4d0oss", "b\u13a4ss", "\u0430da", "ad\u0430 lovelace", "\u0391da", "\u0561da")
    good = ("ада", "Αθηνά", "李雷 Lei", "みどり", "José", "a  b", "Zoë 2", "🐈 mo")

    refused = {name: await sign_up(name) for name in (*hidden, *mixed)}
    accepted = {name: await sign_up(name) for name in good}

    assert {(answer["code"], answer["error"], answer["field"]) for answer in refused.values()} == {
        (-2, "bad_parameter", "username")
    }
    assert {name: answer.json for name, answer in accepted.items() if answer["code"] != 1} == {}
    assert (await sign_up("a b"))["error"] == "username_taken", "inner blanks collapse"


class RecordedPasswords(Passwords):
    """started: the passwords whose hashes were begun, in their order; when each is done, the threads decide."""

    def __init__(self) -> None:
        super().__init__(LIGHT_HASHES)
        self.started: list[str] = []

    async def hash(self, password: str) -> str:
        self.started.append(password)
        return await super().hash(password)


@pytest.fixture
def recorded() -> Iterator[RecordedPasswords]:
    passwords = RecordedPasswords()
    yield passwords
    passwords.close()


@pytest.mark.requirement(66)
@pytest.mark.gen_test
async def test_sign_ins_of_one_address_let_others_sign_in(
    api: ApiClient, services: Services, recorded: RecordedPasswords
) -> None:
    """With the right password, which no limit counts; the threads are busy."""
    passwords, busy = recorded, threading.Event()
    guard = LoginGuard(services.users, passwords, make_login_limits(Rate(30, 60)))
    threads = [passwords.executor.submit(busy.wait) for _ in range(THREADS)]
    addresses = "198.51.100.1", "198.51.100.2"

    def hash_for(ip: str) -> asyncio.Task[str]:
        return asyncio.create_task(guard.hash(f"{PASSWORD} {ip}", ip=ip))

    crowd = [hash_for("203.0.113.9") for _ in range(WAITING_LIMIT)]
    await asyncio.sleep(0)
    with pytest.raises(errors.TooManyRequests):
        await guard.hash(PASSWORD, ip="203.0.113.9")
    others = [hash_for(ip) for ip in addresses]
    await until(lambda: passwords.waiting == THREADS)
    busy.set()
    await asyncio.gather(*others)
    answers = await asyncio.gather(*crowd, return_exceptions=True)

    assert max(passwords.started.index(f"{PASSWORD} {ip}") for ip in addresses) <= 3
    refused = [type(answer) for answer in answers if not isinstance(answer, str)]
    assert refused == [errors.TooManyRequests] * 2, "the newest gave way"
    assert all(thread.result() for thread in threads)
