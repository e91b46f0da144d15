"""What holds on every path, and on a server that is open to all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.calls import set_follow
from tests.support.client import PASSWORD, ApiClient
from tests.support.waiting import finished


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
    api: ApiClient, method: str, path: str, status: int, slug: str
) -> None:
    refused = await api.request(method, path, body=b"" if method in ("POST", "PUT") else None)

    assert (refused.status, refused["code"] < 1, refused["error"]) == (status, True, slug)
    assert refused["message"]


NO_JSON = [
    b"{",
    b"[]",
    b"7",
    b"null",
    b"\xff",
    b'{"username": "a", "username": "b"}',
    b'{"username": NaN}',
    b'{"username": "\\ud800"}',
    b'{"username": ' + b"9" * 5000 + b"}",
    b'{"username": "ada", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"username": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
    b"[" * 5000,
]


@pytest.mark.requirement(39)
@pytest.mark.gen_test
async def test_a_body_that_is_not_json_is_400(api: ApiClient) -> None:
    for body in NO_JSON:
        refused = await api.request("POST", "/api/user/query/", body=body, headers={"Content-Type": "application/json"})

        assert (refused.status, refused["code"] < 1, refused["error"]) == (400, True, "malformed_body"), body[:24]


@pytest.mark.requirement(39)
@pytest.mark.gen_test
async def test_json_may_be_nested_a_little_and_not_too_large(api: ApiClient) -> None:
    headers = {"Content-Type": "application/json"}
    nested = b'{"username": "nobody", "x": ' + b"[" * 30 + b"]" * 30 + b"}"
    large = b'{"username": "' + b"a" * 5_000_000 + b'"}'

    accepted = await api.request("POST", "/api/user/query/", body=nested, headers=headers)
    refused = await api.request("POST", "/api/user/query/", body=large, headers=headers)

    assert (accepted.status, accepted["error"]) == (200, "not_found")
    assert (refused.status, refused["error"]) == (413, "too_large")


@pytest.mark.gen_test
async def test_the_body_wins_over_the_query_string_and_the_last_value_counts(api: ApiClient) -> None:
    await api.sign_up("ada")

    answer = await api.request("POST", "/api/user/query/?username=bea", body=b"username=carl&username=ada")

    assert answer["username"] == "ada"


class TestOpenAccess:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Any]) -> Any:
        return settings_of(access="open")

    @pytest.mark.gen_test
    async def test_everything_works_without_a_session(self, api: ApiClient) -> None:
        for name in ("ada", "bea"):
            await api.post("/api/user/add/", username=name, email=f"{name}@example.com", password=PASSWORD)
        user_id = (await api.new_client().post("/api/user/query/", username="ada", password=PASSWORD))["id"]
        stranger = api.new_client()

        followed = await set_follow(stranger, "ada", "bea", 1)
        registered = await stranger.post(
            "/api/image/addinfo/", url="http://example.com/a.png", filename="a.png", user_id=user_id
        )
        uploaded = await stranger.upload()
        task = await stranger.add_task(uploaded["url"])

        assert followed.json == {"code": 1}
        assert registered["code"] == 1
        assert (await finished(stranger, task["id"]))["state"] == "done"
        assert json.loads((await stranger.get("/api/session/")).body)["access"] == "open"
