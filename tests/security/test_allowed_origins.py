"""Requirement 61: pages of other origins call the API where the operator lists them, and never with cookies."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from settings import BadSetting, Settings
from tests.support.client import PASSWORD, ApiClient
from tests.support.pictures import png

LISTED, OTHER = "https://app.example.com", "https://evil.example.com"


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(allowed_origins=(LISTED,))


def from_page_of(origin: str, **more: str) -> dict[str, str]:
    """What a browser sends with a request of a script."""
    return {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", **more}


@pytest.mark.requirement(61)
@pytest.mark.gen_test
async def test_a_page_of_a_listed_origin_acts_with_a_bearer_token(api: ApiClient) -> None:
    await api.sign_up("ada")
    page = api.new_client()
    values = {"username": "ada", "password": PASSWORD}

    signed_in = await page.post("/api/user/query/", headers=from_page_of(LISTED), **values)
    headers = from_page_of(LISTED, Authorization=f"Bearer {signed_in['token']}")
    token = await page.post("/api/image/token/", headers=headers, filename="a.png")
    wrong = await page.post("/api/tasks/add/", headers=headers, url="x")

    assert "Set-Cookie" not in signed_in.headers
    assert (token.status, token["code"]) == (200, 1)
    for answer in (signed_in, token, wrong):
        assert answer.headers["Access-Control-Allow-Origin"] == LISTED
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.requirement(61)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.gen_test
async def test_a_cookie_does_not_count_for_a_page_of_a_listed_origin(api: ApiClient, method: str) -> None:
    """As from another port of this host, to which browsers send SameSite=Strict cookies."""
    ada = await api.sign_up("ada")
    url = (await ada.upload(png()))["url"]
    headers = from_page_of(LISTED, **{"Sec-Fetch-Site": "same-site"})

    ask = ada.get if method == "GET" else ada.post
    added = await ask("/api/tasks/add/", headers=headers, url=url)
    session = await ada.get("/api/session/", headers=headers)

    assert (added.status, added["error"]) == (401, "no_session")
    assert session["user"] is None


@pytest.mark.requirement(61)
@pytest.mark.gen_test
async def test_other_origins_are_refused_and_may_read_nothing(api: ApiClient) -> None:
    refused = await api.post("/api/user/query/", headers=from_page_of(OTHER), username="ada", password=PASSWORD)
    preflight = await api.request("OPTIONS", "/api/tasks/add/", headers=from_page_of(OTHER))

    assert (refused.status, refused["error"]) == (403, "cross_site")
    assert preflight.status == 405
    assert "Origin" in refused.headers["Vary"]  # a cache keeps the answers apart
    assert {"Access-Control-Allow-Origin"}.isdisjoint({*refused.headers, *preflight.headers})


@pytest.mark.gen_test
async def test_browsers_may_ask_first_and_follow_the_events(api: ApiClient) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = await api.request("OPTIONS", "/api/tasks/add/", headers=from_page_of(LISTED, **wanted))
    events = await api.request("HEAD", "/tasks/events/", headers=from_page_of(LISTED))

    assert (preflight.status, preflight.body) == (204, b"")
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert (events.status, events.headers["Access-Control-Allow-Origin"]) == (200, LISTED)


@pytest.mark.parametrize("value", ["*", "app.example.com", "https://app.example.com/", "https://APP.example.com"])
def test_what_is_no_origin_is_refused_at_the_start(value: str, settings_of: Callable[..., Settings]) -> None:
    with pytest.raises((BadSetting, ValueError), match="origins as browsers send them"):
        settings_of(allowed_origins=(value,))
