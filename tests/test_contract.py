"""The contract, row by row: paths, parameters, fields and codes, letter for letter."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from tests.client import PASSWORD, Answer, Api
from tests.waiting import finished

ADD_USER = {"email": "ada@example.com", "username": "ada", "password": PASSWORD}


async def _ask(api: Api, how: str, path: str, **values: Any) -> Answer:
    if how == "query string":
        return await api.get(path, **values)
    if how == "form":
        return await api.form(path, **values)
    return await api.post(path, **values)


@pytest.fixture
def many_at_once(api: Api) -> Iterator[AsyncHTTPClient]:
    """A client that really sends hundreds of requests at the same time."""
    client = SimpleAsyncHTTPClient(force_instance=True, max_clients=300)
    yield client
    client.close()


EVERY_WAY = pytest.mark.parametrize("how", ["query string", "form", "json"])
WITH_AND_WITHOUT_SLASH = pytest.mark.parametrize("slash", ["", "/"])


# --- user/add -----------------------------------------------------------------------------------------------------


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_user_is_added(api: Api, how: str, slash: str) -> None:
    added = await _ask(api, how, f"/api/user/add{slash}", **ADD_USER)

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


# --- user/query ---------------------------------------------------------------------------------------------------


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_user_is_looked_up_without_a_password(api: Api, how: str, slash: str) -> None:
    await api.post("/api/user/add/", **ADD_USER)

    found = await _ask(api, how, f"/api/user/query{slash}", username="ada")

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

    found = await _ask(api, how, "/api/user/query/", username="ada", password=PASSWORD)

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


# --- user/follow --------------------------------------------------------------------------------------------------


async def _follow(api: Api, start: str, end: str, follow: int) -> Answer:
    return await api.post("/api/user/follow/", from_user_name=start, to_user_name=end, follow_bool=follow)


@pytest.mark.gen_test
async def test_following_and_unfollowing_shows_on_both_sides(api: Api) -> None:
    ada, bea = await api.sign_up("ada"), await api.newcomer().sign_up("bea")

    first, again = await _follow(ada, "ada", "bea", 1), await _follow(ada, "ada", "bea", 1)

    assert (first.json, again.json) == ({"code": 1}, {"code": 1})
    assert (await api.get("/api/user/query/", username="ada"))["follow_user"] == ["bea"]
    assert (await api.get("/api/user/query/", username="bea"))["followed_user"] == ["ada"]
    assert (await _follow(ada, "ada", "bea", 0)).json == {"code": 1}
    assert (await _follow(ada, "ada", "bea", 0)).json == {"code": 1}
    assert (await bea.get("/api/user/query/", username="bea"))["followed_user"] == []


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_following_works_in_every_way(api: Api, how: str, slash: str) -> None:
    await api.newcomer().sign_up("bea")
    ada = await api.sign_up("ada")

    followed = await _ask(
        ada, how, f"/api/user/follow{slash}", from_user_name="ada", to_user_name="bea", follow_bool="1"
    )

    assert (followed.status, followed.json) == (200, {"code": 1})


@pytest.mark.parametrize(("end", "follow"), [("nobody", 1), ("ada", 1), ("bea", 2), ("bea", "x")])
@pytest.mark.gen_test
async def test_following_is_refused_with_minus_one(api: Api, end: str, follow: Any) -> None:
    await api.newcomer().sign_up("bea")
    ada = await api.sign_up("ada")

    refused = await _follow(ada, "ada", end, follow)

    assert (refused.status, refused["code"]) == (200, -1)
    assert refused["error"]
    assert refused["message"]


@pytest.mark.gen_test
async def test_following_for_somebody_needs_their_session(api: Api) -> None:
    ada = await api.sign_up("ada")
    await api.newcomer().sign_up("bea")

    stranger, other = await _follow(api.newcomer(), "ada", "bea", 1), await _follow(ada, "bea", "ada", 1)

    assert (stranger.status, stranger["code"], stranger["error"]) == (401, -1, "no_session")
    assert (other.status, other["code"], other["error"]) == (403, -1, "not_yours")


# --- tasks --------------------------------------------------------------------------------------------------------


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_task_is_added_with_the_defaults(api: Api, how: str, slash: str) -> None:
    ada = await api.sign_up("ada")
    url = (await ada.upload())["url"]

    added = await _ask(ada, how, f"/api/tasks/add{slash}", url=url)

    task = added["task"]
    assert (added.status, added["code"], task["type"], task["style"]) == (200, 1, "model", "mosaic")
    done = await finished(ada, task["id"])
    assert (done["state"], done["percent"], done["attempts"]) == ("done", 100, 1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"param": "cubism"}, "style"),
        ({"param": '{"style": "mosaic", "cell": 1}'}, "cell"),
        ({"param": '{"style": "mosaic", "colour": "red"}'}, "colour"),
        ({"param": '{"style": "mosaic", "cell": NaN}'}, "cell"),
        ({"type": "painting"}, "type"),
        ({"url": ""}, "url"),
        ({"url": "ftp://example.com/a.png"}, "url"),
    ],
)
@pytest.mark.gen_test
async def test_a_task_is_refused_with_the_field_at_fault(api: Api, values: dict[str, Any], field: str) -> None:
    ada = await api.sign_up("ada")
    url = (await ada.upload())["url"]

    refused = await ada.post("/api/tasks/add/", **{"url": url, "type": "model", "param": "mosaic", **values})

    assert (refused.status, refused["code"] < 1, refused["field"]) == (200, True, field)
    assert (await ada.get("/tasks/query/"))["tasks"] == []


@pytest.mark.gen_test
async def test_a_source_elsewhere_is_refused(api: Api) -> None:
    ada = await api.sign_up("ada")

    refused = await ada.post("/api/tasks/add/", url="http://127.0.0.1:9/a.png")

    assert (refused.status, refused["code"] < 1, refused["error"]) == (200, True, "source_not_allowed")


@pytest.mark.gen_test
async def test_a_task_needs_a_session(api: Api) -> None:
    refused = await api.post("/api/tasks/add/", url="http://example.com/a.png")

    assert (refused.status, refused["code"] < 1, refused["error"]) == (401, True, "no_session")


@pytest.mark.parametrize("path", ["/tasks/query", "/tasks/query/", "/api/tasks/query", "/api/tasks/query/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.gen_test
async def test_the_queue_is_shown(api: Api, path: str, method: str) -> None:
    shown = await api.ask(method, path, body=b"" if method == "POST" else None)

    assert (shown.status, shown["code"], shown["tasks"], shown["done"]) == (200, 1, [], [])


@pytest.mark.gen_test
async def test_strangers_see_the_queue_without_addresses_and_owners(api: Api) -> None:
    ada = await api.sign_up("ada")
    task = await ada.make((await ada.upload())["url"])
    await finished(ada, task["id"])

    (own,) = (await ada.get("/tasks/query/"))["done"]
    (seen,) = (await api.newcomer().get("/tasks/query/"))["done"]

    assert own["owner"] == "ada"
    assert own["url"]
    assert own["result_url"]
    assert seen["id"] == own["id"]
    assert not {"owner", "url", "recipe", "result_url", "result_id", "source_id"} & seen.keys()


# --- images -------------------------------------------------------------------------------------------------------


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_picture_is_registered_without_a_callback(api: Api, how: str, slash: str) -> None:
    ada = await api.sign_up("ada")
    values = {"url": "http://example.com/a.png", "filename": "a.png", "param": "long " * 500, "user_id": ada.user_id}

    added = await _ask(ada, how, f"/api/image/addinfo{slash}", **values)

    assert (added.status, added["code"]) == (200, 1)
    image = await api.newcomer().get("/api/image/query/", id=added["id"])
    assert (image["url"], image["param"]) == (values["url"], values["param"])


@pytest.mark.parametrize(
    "change", [{"url": "javascript:alert(1)"}, {"url": ""}, {"user_id": "x"}, {"user_id": 2**60}, {"filename": ["a"]}]
)
@pytest.mark.gen_test
async def test_a_registration_is_refused_with_minus_one(api: Api, change: dict[str, Any]) -> None:
    ada = await api.sign_up("ada")
    values = {"url": "http://example.com/a.png", "filename": "a.png", "param": "", "user_id": ada.user_id, **change}

    refused = await ada.post("/api/image/addinfo/", **values)

    assert (refused.status, refused["code"]) == (200, -1)


@pytest.mark.gen_test
async def test_a_registration_for_somebody_needs_their_session(api: Api) -> None:
    ada, bea = await api.sign_up("ada"), await api.newcomer().sign_up("bea")
    values = {"url": "http://example.com/a.png", "filename": "a.png", "user_id": ada.user_id}

    stranger, other = (
        await api.newcomer().post("/api/image/addinfo/", **values),
        await bea.post("/api/image/addinfo/", **values),
    )

    assert (stranger.status, stranger["code"]) == (401, -1)
    assert (other.status, other["code"]) == (403, -1)


@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_picture_is_looked_up(api: Api, slash: str) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload(param="for the wall")

    found = await api.newcomer().get(f"/api/image/query{slash}", id=uploaded["id"])

    assert (found.status, found["code"], found["id"]) == (200, 1, uploaded["id"])
    assert (found["url"], found["param"]) == (uploaded["url"], "for the wall")


@pytest.mark.parametrize("number", ["1", "0", "-1", "x", str(2**63), "..", '{"$gt":""}', ""])
@pytest.mark.gen_test
async def test_an_unknown_picture_is_refused(api: Api, number: str) -> None:
    found = await api.get("/api/image/query/", id=number)

    assert (found.status, found["code"] < 1) == (200, True)


@pytest.mark.gen_test
async def test_a_picture_is_looked_up_by_get_alone(api: Api) -> None:
    refused = await api.post("/api/image/query/", id=1)

    assert (refused.status, refused["code"] < 1, refused["error"]) == (405, True, "wrong_method")


@pytest.mark.gen_test
async def test_the_uploads_answer_is_the_callbacks(api: Api) -> None:
    ada = await api.sign_up("ada")

    uploaded = await ada.upload(filename="sea side.png", param="hello")

    assert uploaded.keys() == {"code", "id", "filename", "url", "param"}
    assert (uploaded["code"], uploaded["filename"], uploaded["param"]) == (1, "sea side.png", "hello")


@pytest.mark.gen_test
async def test_a_missing_picture_is_404_with_kodos_words(api: Api) -> None:
    missing = await api.get("/bucket/source/nothing")

    assert (missing.status, missing.json) == (404, {"error": "Document not found"})


# --- everywhere ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/api/nothing/", 404, "no_such_path"),
        ("POST", "/nothing", 404, "no_such_path"),
        ("PUT", "/api/user/query/", 405, "wrong_method"),
        ("DELETE", "/api/tasks/add/", 405, "wrong_method"),
        ("GET", "/api/image/upload", 405, "wrong_method"),
    ],
)
@pytest.mark.gen_test
async def test_what_the_contract_does_not_know_has_its_own_status(
    api: Api, method: str, path: str, status: int, slug: str
) -> None:
    refused = await api.ask(method, path, body=b"" if method in ("POST", "PUT") else None)

    assert (refused.status, refused["code"] < 1, refused["error"]) == (status, True, slug)
    assert refused["message"]


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"7", b'{"username": "a", "username": "b"}', b'{"username": NaN}', b"\xff", b"[" * 5000]
)
@pytest.mark.gen_test
async def test_a_body_that_is_not_json_is_400(api: Api, body: bytes) -> None:
    refused = await api.ask("POST", "/api/user/query/", body=body, headers={"Content-Type": "application/json"})

    assert (refused.status, refused["code"] < 1, refused["error"]) == (400, True, "malformed_body")


@pytest.mark.gen_test
async def test_the_body_wins_over_the_query_string_and_the_last_value_counts(api: Api) -> None:
    await api.sign_up("ada")

    found = await api.ask("POST", "/api/user/query/?username=bea", body=b"username=carl&username=ada")

    assert found["username"] == "ada"


# --- an open server -----------------------------------------------------------------------------------------------


class TestOpenAccess:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Any]) -> Any:
        return settings_of(access="open")

    @pytest.mark.gen_test
    async def test_everything_works_without_a_session(self, api: Api) -> None:
        for name in ("ada", "bea"):
            await api.post("/api/user/add/", username=name, email=f"{name}@example.com", password=PASSWORD)
        user_id = (await api.newcomer().post("/api/user/query/", username="ada", password=PASSWORD))["id"]
        stranger = api.newcomer()

        followed = await _follow(stranger, "ada", "bea", 1)
        registered = await stranger.post(
            "/api/image/addinfo/", url="http://example.com/a.png", filename="a.png", user_id=user_id
        )
        uploaded = await stranger.upload()
        task = await stranger.make(uploaded["url"])

        assert followed.json == {"code": 1}
        assert registered["code"] == 1
        assert (await finished(stranger, task["id"]))["state"] == "done"
        assert json.loads((await stranger.get("/api/session/")).body)["access"] == "open"
