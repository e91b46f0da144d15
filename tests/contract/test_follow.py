"""user/follow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.calls import EVERY_WAY, WITH_AND_WITHOUT_SLASH, ask, set_follow
from tests.support.client import ApiClient


@pytest.mark.gen_test
async def test_following_and_unfollowing_shows_on_both_sides(api: ApiClient) -> None:
    ada, bea = await api.sign_up("ada"), await api.new_client().sign_up("bea")

    first, again = await set_follow(ada, "ada", "bea", 1), await set_follow(ada, "ada", "bea", 1)

    assert (first.json, again.json) == ({"code": 1}, {"code": 1})
    assert (await api.get("/api/user/query/", username="ada"))["follow_user"] == ["bea"]
    assert (await api.get("/api/user/query/", username="bea"))["followed_user"] == ["ada"]
    assert (await set_follow(ada, "ada", "bea", 0)).json == {"code": 1}
    assert (await set_follow(ada, "ada", "bea", 0)).json == {"code": 1}
    assert (await bea.get("/api/user/query/", username="bea"))["followed_user"] == []


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_following_works_in_every_way(api: ApiClient, how: str, slash: str) -> None:
    await api.new_client().sign_up("bea")
    ada = await api.sign_up("ada")

    followed = await ask(
        ada, how, f"/api/user/follow{slash}", from_user_name="ada", to_user_name="bea", follow_bool="1"
    )

    assert (followed.status, followed.json) == (200, {"code": 1})


@pytest.mark.parametrize(("end", "follow"), [("nobody", 1), ("ada", 1), ("bea", 2), ("bea", "x")])
@pytest.mark.gen_test
async def test_following_is_refused_with_minus_one(api: ApiClient, end: str, follow: Any) -> None:
    await api.new_client().sign_up("bea")
    ada = await api.sign_up("ada")

    refused = await set_follow(ada, "ada", end, follow)

    assert (refused.status, refused["code"]) == (200, -1)
    assert refused["error"]
    assert refused["message"]


@pytest.mark.gen_test
async def test_following_for_somebody_needs_their_session(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    await api.new_client().sign_up("bea")

    stranger, other = await set_follow(api.new_client(), "ada", "bea", 1), await set_follow(ada, "bea", "ada", 1)

    assert (stranger.status, stranger["code"], stranger["error"]) == (401, -1, "no_session")
    assert (other.status, other["code"], other["error"]) == (403, -1, "not_yours")
