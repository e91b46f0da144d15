"""The ways to ask that every row of the contract allows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import PASSWORD, Answer, Api

ADD_USER = {"email": "ada@example.com", "username": "ada", "password": PASSWORD}
EVERY_WAY = pytest.mark.parametrize("how", ["query string", "form", "json"])
WITH_AND_WITHOUT_SLASH = pytest.mark.parametrize("slash", ["", "/"])


async def ask(api: Api, how: str, path: str, **values: Any) -> Answer:
    if how == "query string":
        return await api.get(path, **values)
    if how == "form":
        return await api.form(path, **values)
    return await api.post(path, **values)


async def set_follow(api: Api, start: str, end: str, follow: int) -> Answer:
    return await api.post("/api/user/follow/", from_user_name=start, to_user_name=end, follow_bool=follow)
