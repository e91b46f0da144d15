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
from tests.support.client import PASSWORD, Api


@pytest.fixture
def many_at_once(api: Api) -> Iterator[AsyncHTTPClient]:
    """A client that really sends hundreds of requests at the same time."""
    client = SimpleAsyncHTTPClient(force_instance=True, max_clients=300)
    yield client
    client.close()


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_user_is_added(api: Api, how: str, slash: str) -> None:
    added = await ask(api, how, f"/api/user/add{slash}", **ADD_USER)

    assert (added.status, added.json) == (200, {"code": 1})
    assert added.headers["Content-Type"] == "application/json; charset=UTF-8"


@pytest.mark.gen_test
async def test_a_multipart_form_is_read_too(api: Api) -> None:
    lines = [f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in ADD_USER.items()]
    body = ("".join(lines) + "--x--\r\n").encode()

    added = await api.ask(
        "POST", "/api/user/add/", body=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert added["code"] == 1


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"username": "ada"}, "username_taken"),
        ({"username": "  ADA "}, "username_taken"),
        ({"username": "ａｄａ"}, "username_taken"),
        ({"username": ""}, "bad_parameter"),
        ({"username": "a\u202eb"}, "bad_parameter"),
        ({"username": 7}, "bad_parameter"),
        ({"username": {"$ne": ""}}, "bad_parameter"),
        ({"email": "nobody"}, "bad_parameter"),
        ({"password": "short"}, "weak_password"),
        ({"password": "password"}, "weak_password"),
        ({"password": "x" * 2000}, "bad_parameter"),
    ],
)
@pytest.mark.gen_test
async def test_a_user_is_refused_with_minus_two(api: Api, change: dict[str, Any], slug: str) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    refused = await api.post("/api/user/add/", **{**ADD_USER, "username": "bea", **change})

    assert (refused.status, refused["code"], refused["error"]) == (200, -2, slug)
    assert refused["message"]


@pytest.mark.parametrize("missing", ["email", "username", "password"])
@pytest.mark.gen_test
async def test_a_missing_parameter_is_named(api: Api, missing: str) -> None:
    given = {name: value for name, value in ADD_USER.items() if name != missing}

    refused = await api.post("/api/user/add/", **given)

    assert (refused.status, refused["code"], refused["field"]) == (200, -2, missing)
    assert missing in refused["message"]


@pytest.mark.gen_test
async def test_messages_are_in_the_language_that_is_asked_for(api: Api) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    english = await api.post("/api/user/add/", headers={"Accept-Language": "en-GB,en;q=0.9,zh;q=0.1"}, **ADD_USER)
    chinese = await api.post("/api/user/add/", headers={"Accept-Language": "zh-CN,zh;q=0.9"}, **ADD_USER)

    assert english["message"] == "The name ada is taken. Please choose another."
    assert chinese["message"] == "用户名 ada 已被使用，请换一个。"


@pytest.mark.gen_test
async def test_of_two_hundred_sign_ups_for_one_name_exactly_one_wins(api: Api, many_at_once: AsyncHTTPClient) -> None:
    crowd = [Api(many_at_once, api.base_url) for _ in range(200)]

    answers = await asyncio.gather(*(one.post("/api/user/add/", **ADD_USER) for one in crowd))

    outcomes = Counter((answer.status, answer["code"], answer.json.get("error")) for answer in answers)
    assert outcomes[(200, 1, None)] == 1
    assert outcomes.keys() <= {(200, 1, None), (200, -2, "username_taken"), (429, -2, "too_many_requests")}


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_user_is_looked_up_without_a_password(api: Api, how: str, slash: str) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    found = await ask(api, how, f"/api/user/query{slash}", username="ada")

    assert (found.status, found.json) == (
        200,
        {
            "code": 1,
            "username": "ada",
            "email": "ada@example.com",
            "login": False,
            "follow_user": [],
            "followed_user": [],
        },
    )


@EVERY_WAY
@pytest.mark.gen_test
async def test_the_right_password_signs_in(api: Api, how: str) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    found = await ask(api, how, "/api/user/query/", username="ada", password=PASSWORD)

    assert (found["code"], found["login"], type(found["id"])) == (1, True, int)
    bearer = await api.newcomer().get("/api/session/", headers={"Authorization": f"Bearer {found['token']}"})
    assert bearer["user"]["id"] == found["id"]


@pytest.mark.gen_test
async def test_a_wrong_password_is_a_success_without_login_and_id(api: Api) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    found = await api.post("/api/user/query/", username="ada", password="something else")

    assert (found.status, found["code"], found["login"]) == (200, 1, False)
    assert "id" not in found
    assert "token" not in found
    assert "Set-Cookie" not in found.headers


@pytest.mark.gen_test
async def test_an_unknown_user_is_refused(api: Api) -> None:
    found = await api.get("/api/user/query/", username="nobody")

    assert (found.status, found["code"] < 1, found["error"]) == (200, True, "not_found")


@pytest.mark.gen_test(timeout=60)
async def test_req_26_twenty_wrong_passwords_are_429_and_the_owner_elsewhere_still_gets_in(api: Api) -> None:
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
