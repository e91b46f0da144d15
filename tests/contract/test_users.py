"""user/add and user/query."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from tests.contract.calls import ADD_USER, EVERY_WAY, WITH_AND_WITHOUT_SLASH, ask
from tests.support.client import PASSWORD, ApiClient


@pytest.fixture
def many_at_once(api: ApiClient) -> Iterator[AsyncHTTPClient]:
    """A client that really sends hundreds of requests at the same time."""
    client = SimpleAsyncHTTPClient(force_instance=True, max_clients=300)
    yield client
    client.close()


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_user_is_added(api: ApiClient, how: str, slash: str) -> None:
    added = await ask(api, how, f"/api/user/add{slash}", **ADD_USER)

    assert (added.status, added.json) == (200, {"code": 1})
    assert added.headers["Content-Type"] == "application/json; charset=UTF-8"


@pytest.mark.gen_test
async def test_a_multipart_form_is_read_too(api: ApiClient) -> None:
    lines = [f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in ADD_USER.items()]
    body = ("".join(lines) + "--x--\r\n").encode()

    added = await api.request(
        "POST", "/api/user/add/", body=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert added["code"] == 1


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"username": "ada"}, "username_taken"),
    ({"username": "  ADA "}, "username_taken"),
    ({"username": "ａｄａ"}, "username_taken"),
    ({"username": ""}, "bad_parameter"),
    ({"username": "a\u202eb"}, "bad_parameter"),
    ({"username": "ad\u200bmin"}, "bad_parameter"),
    ({"username": "ad\u00admin"}, "bad_parameter"),
    ({"username": "ad\x00min"}, "bad_parameter"),
    ({"username": "ad\nmin"}, "bad_parameter"),
    ({"username": 7}, "bad_parameter"),
    ({"username": {"$ne": ""}}, "bad_parameter"),
    ({"email": "nobody"}, "bad_parameter"),
    ({"password": "short"}, "weak_password"),
    ({"password": "password"}, "weak_password"),
    ({"password": "x" * 2000}, "bad_parameter"),
]


@pytest.mark.requirement(28, 29)
@pytest.mark.gen_test
async def test_a_user_is_refused_with_minus_two(api: ApiClient) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    for change, slug in REFUSED:
        refused = await api.post("/api/user/add/", **{**ADD_USER, "username": "bea", **change})

        assert (refused.status, refused["code"], refused["error"]) == (200, -2, slug), change
        assert refused["message"], change


@pytest.mark.parametrize("missing", ["email", "username", "password"])
@pytest.mark.gen_test
async def test_a_missing_parameter_is_named(api: ApiClient, missing: str) -> None:
    values = {name: value for name, value in ADD_USER.items() if name != missing}

    refused = await api.post("/api/user/add/", **values)

    assert (refused.status, refused["code"], refused["field"]) == (200, -2, missing)
    assert missing in refused["message"]


@pytest.mark.gen_test
async def test_messages_are_in_the_language_that_is_asked_for(api: ApiClient) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    english = await api.post("/api/user/add/", headers={"Accept-Language": "en-GB,en;q=0.9,zh;q=0.1"}, **ADD_USER)
    chinese = await api.post("/api/user/add/", headers={"Accept-Language": "zh-CN,zh;q=0.9"}, **ADD_USER)

    assert english["message"] == "The username ada is taken. Please choose another."
    assert chinese["message"] == "用户名 ada 已被使用，请换一个。"


@pytest.mark.requirement(29)
@pytest.mark.gen_test
async def test_of_two_hundred_sign_ups_for_one_name_exactly_one_wins(
    api: ApiClient, many_at_once: AsyncHTTPClient
) -> None:
    crowd = [ApiClient(many_at_once, api.base_url) for _ in range(200)]

    answers = await asyncio.gather(*(one.post("/api/user/add/", **ADD_USER) for one in crowd))

    outcomes = Counter((answer.status, answer["code"], answer.json.get("error")) for answer in answers)
    assert outcomes[(200, 1, None)] == 1
    assert outcomes.keys() <= {(200, 1, None), (200, -2, "username_taken"), (429, -2, "too_many_requests")}


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_user_is_looked_up_without_a_password(api: ApiClient, how: str, slash: str) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    answer = await ask(api, how, f"/api/user/query{slash}", username="ada")

    assert (answer.status, answer.json) == (
        200,
        {
            "code": 1,
            "username": "ada",
            "email": "a***@example.com",
            "login": False,
            "follow_user": [],
            "followed_user": [],
            "follow_count": 0,
            "followed_count": 0,
        },
    )


@EVERY_WAY
@pytest.mark.gen_test
async def test_the_right_password_signs_in(api: ApiClient, how: str) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    answer = await ask(api, how, "/api/user/query/", username="ada", password=PASSWORD)

    assert (answer["code"], answer["login"], type(answer["id"])) == (1, True, int)
    bearer = await api.new_client().get("/api/session/", headers={"Authorization": f"Bearer {answer['token']}"})
    assert bearer["user"]["id"] == answer["id"]


@pytest.mark.requirement(25)
@pytest.mark.gen_test
async def test_a_wrong_password_is_a_success_without_login_and_id(api: ApiClient) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    answer = await api.post("/api/user/query/", username="ada", password="something else")

    assert (answer.status, answer["code"], answer["login"]) == (200, 1, False)
    assert "id" not in answer
    assert "token" not in answer
    assert "Set-Cookie" not in answer.headers


@pytest.mark.gen_test
async def test_an_unknown_user_is_refused(api: ApiClient) -> None:
    answer = await api.get("/api/user/query/", username="nobody")

    assert (answer.status, answer["code"] < 1, answer["error"]) == (200, True, "not_found")


@pytest.mark.requirement(26)
@pytest.mark.gen_test
async def test_twenty_wrong_passwords_are_429_and_the_owner_elsewhere_still_gets_in(api: ApiClient) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    guesses = [
        await api.post(
            "/api/user/query/",
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
            username="ADA",
            password=f"wrong guess {number}",
        )
        for number in range(20)
    ]

    last = guesses[-1]
    assert (last.status, last["code"] < 1, last["error"]) == (429, True, "too_many_requests")
    assert int(last.headers["Retry-After"]) > 0
    assert (await api.get("/api/user/query/", username="ada"))["code"] == 1
    elsewhere = SimpleAsyncHTTPClient(force_instance=True)
    port = urlsplit(api.base_url).port
    answer = await elsewhere.fetch(
        f"http://127.0.0.1:{port}/api/user/query/",
        method="POST",
        body=urlencode({"username": "ada", "password": PASSWORD}),
        network_interface="127.0.0.2",
    )
    elsewhere.close()
    assert json.loads(answer.body)["login"] is True
