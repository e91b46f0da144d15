"""Users: the unique index on `username_key` decides who gets a name."""

from __future__ import annotations

import asyncio

import pytest
from tornado.ioloop import IOLoop

from models import errors
from models.accounts.usernames import username_key
from models.accounts.users import Users
from models.database import Database


@pytest.fixture
def users(database: Database, io_loop: IOLoop) -> Users:
    collection = Users(database)
    io_loop.run_sync(lambda: database.create_indexes({"users": collection.indexes}))
    return collection


async def add(users: Users, username: str) -> int:
    return await users.add(username=username, email=f"{username}@example.com", password_hash="$argon2id$made-up")


@pytest.mark.requirement(29)
@pytest.mark.gen_test
async def test_of_two_hundred_concurrent_sign_ups_one_gets_the_name(users: Users) -> None:
    results = await asyncio.gather(*(add(users, "ada") for _ in range(200)), return_exceptions=True)

    ids = [result for result in results if isinstance(result, int)]
    assert len(ids) == 1
    assert all(isinstance(other, errors.UsernameTaken) for other in results if other not in ids)
    assert (await users.by_name("ada")).id == ids[0]


@pytest.mark.requirement(29)
@pytest.mark.parametrize("other", ["Admin", "ADMIN", " admin ", "ａｄｍｉｎ", "ⓐdmin", "admin\u3000"])
@pytest.mark.gen_test
async def test_names_that_look_alike_are_the_same_name(users: Users, other: str) -> None:
    await add(users, "admin")

    with pytest.raises(errors.UsernameTaken):
        await add(users, other)
    assert (await users.by_name(other)).username == "admin"


@pytest.mark.parametrize("name", ["Straße", "ﬁne", "ΌΣΟΣ", "İstanbul", "名字"])
def test_the_key_of_a_key_is_the_key(name: str) -> None:
    assert username_key(username_key(name)) == username_key(name)


@pytest.mark.gen_test
async def test_an_unknown_user_is_not_found(users: Users) -> None:
    with pytest.raises(errors.NotFound):
        await users.by_name("unknown")
    with pytest.raises(errors.NotFound):
        await users.by_id(1)
