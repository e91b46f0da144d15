"""The ways to ask that every row of the contract allows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import PASSWORD, ApiClient, ApiResponse

ADD_USER = {"email": "ada@example.com", "username": "ada", "password": PASSWORD}
EVERY_WAY = pytest.mark.parametrize("how", ["query string", "form", "json"])
WITH_AND_WITHOUT_SLASH = pytest.mark.parametrize("slash", ["", "/"])


async def ask(api: ApiClient, how: str, path: str, **values: Any) -> ApiResponse:
    """A GET with the cookie names the page that it comes from, as browsers do: a link of another site may not act."""
    if how == "query string":
        return await api.get(path, headers={"Referer": f"{api.base_url}/"}, **values)
    if how == "form":
        return await api.form(path, **values)
    return await api.post(path, **values)


async def set_follow(api: ApiClient, start: str, end: str, follow: int) -> ApiResponse:
    return await api.post("/api/user/follow/", from_user_name=start, to_user_name=end, follow_bool=follow)
