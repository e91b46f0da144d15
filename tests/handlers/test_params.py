"""Parameters: what is wrong with one is said in the reader's language; filters take several values."""

from __future__ import annotations

import re

import pytest

from tests.support.client import PASSWORD, ApiClient
from tests.support.waiting import finished

WRONG = [
    ("/api/feed", {"limit": "0"}, "at least 1", "不小于 1"),
    ("/api/feed", {"limit": "x"}, "a whole number", "整数"),
    ("/api/feed", {"limit": "1000"}, "at most 100", "不大于 100"),
    ("/api/feed", {"view": "best"}, "'newest', 'following'", "'newest'、'following'"),
    ("/api/feed", {"view": "user"}, "the name of a user", "用户名"),
    ("/api/feed", {"kind": "source"}, "result, where view is not mine", "result（view 不是 mine 时）"),
    ("/api/tasks/query", {"state": "queued,slow"}, "'queued', 'running'", "'queued'、'running'"),
    ("/api/tasks/query", {"style": "x" * 50}, "at most 40 characters", "至多 40 个字符"),
    ("/api/image/query", {}, "this parameter is required", "必须提供此参数"),
    ("/api/user/add", {"username": "ada", "email": "none", "password": PASSWORD}, "an address such as", "形如"),
    ("/api/user/add", {"username": "", "email": "a@b.cn", "password": PASSWORD}, "one character", "至少一个字符"),
    ("/api/user/add", {"username": "\u200b", "email": "a@b.cn", "password": PASSWORD}, "invisible", "可见字符"),
]


@pytest.mark.gen_test
async def test_what_is_allowed_is_said_in_both_languages(api: ApiClient) -> None:
    for path, params, english, chinese in WRONG:
        in_english = await api.get(path, {"Accept-Language": "en"}, **params)
        in_chinese = await api.get(path, {"Accept-Language": "zh"}, **params)

        assert english in in_english["message"]
        assert chinese in in_chinese["message"]
        assert "Value error" not in in_english["message"], params
        names = r"'[^']*'|name@example\.com|result|view|mine|source"
        words = re.sub(names, "", in_chinese["message"]).removeprefix(in_chinese["field"])
        assert re.findall(r"[a-z]{3,}", words) == [], params


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "no parameter of this name, only id"), ("zh", "没有这个参数，只有 id")]
)
@pytest.mark.gen_test
async def test_an_unknown_parameter_is_refused_except_by_the_contract(
    api: ApiClient, language: str, sentence: str
) -> None:
    ada = await api.sign_up("Ada")
    image = await ada.upload()

    refused = await ada.post("/api/image/change/", {"Accept-Language": language}, id=image["id"], tilte="A cat")
    of_contract = await ada.get("/api/image/query/", id=image["id"], tilte="A cat", _="1")

    assert (refused.status, refused["error"], refused["field"]) == (400, "bad_parameter", "tilte")
    assert sentence in refused["message"]
    assert of_contract["code"] == 1


@pytest.mark.gen_test
async def test_no_refusal_repeats_a_password(api: ApiClient) -> None:
    ada = await api.sign_up("Ada")
    person = {"username": "bob", "email": "bob@example.com"}
    too_long = "rusty spoons " * 100

    refusals = [
        await api.post("/api/user/add/", **person, password=too_long),
        await api.post("/api/user/add/", **person, password=1234567),
        await api.post("/api/user/add/", **person, password=["rusty spoons"]),
        await ada.post("/api/user/change/", password=PASSWORD, new_password=too_long),
        await ada.post("/api/user/change/", password=PASSWORD, new_pasword="rusty spoons"),
    ]

    for refused in refusals:
        assert refused["error"] == "bad_parameter"
        assert "rusty" not in refused["message"]
        assert "1234567" not in refused["message"]


@pytest.mark.gen_test
async def test_a_url_that_is_none_is_refused_in_the_readers_language(api: ApiClient) -> None:
    values = {"url": "ftp://a.b/c", "filename": "c", "user_id": "1"}

    refused = await api.get("/api/image/addinfo/", {"Accept-Language": "zh"}, **values)

    assert "以 http:// 或 https:// 开头的地址" in refused["message"]


@pytest.mark.gen_test
async def test_tasks_are_filtered_by_several_states_and_by_a_name_in_any_case(api: ApiClient) -> None:
    ada = await api.sign_up("Ada")
    task = await ada.add_task((await ada.upload())["url"])
    await finished(ada, task["id"])

    for query in ({"state": "failed,done"}, {"state": "done"}, {"owner": "ADA"}, {"owner": "ada", "state": "done"}):
        assert [each["id"] for each in (await ada.get("/tasks/query/", **query))["done"]] == [task["id"]], query
    assert (await ada.get("/tasks/query/", state="failed,cancelled"))["done"] == []
