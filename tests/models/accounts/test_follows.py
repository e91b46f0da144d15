"""The follow graph: names travel on the edges; lists are in order of the edges, and end at a limit."""

from __future__ import annotations

import asyncio

import pytest
from tornado.ioloop import IOLoop

from models import errors
from models.accounts import follows
from models.accounts.follows import FOLLOWERS, FollowList, Follows, Member
from models.accounts.users import Users
from models.database import Database


@pytest.fixture
def graph(database: Database, io_loop: IOLoop) -> Follows:
    collection = Follows(database)
    io_loop.run_sync(lambda: database.create_indexes({"follows": collection.indexes}))
    return collection


async def people(database: Database, *names: str) -> list[Member]:
    users = Users(database)
    ids = [await users.add(username=name, email=f"{name}@b.cn", password_hash="x") for name in names]
    return [Member(user_id, name) for user_id, name in zip(ids, names, strict=True)]


async def names_of(graph: Follows, person: Member) -> tuple[list[str], list[str]]:
    followed, followers = await graph.followed_and_followers(person.id)
    assert (followed.count, followers.count) == (len(followed.names), len(followers.names))
    return followed.names, followers.names


@pytest.mark.gen_test
async def test_lists_are_in_order_of_their_edges(database: Database, graph: Follows) -> None:
    ada, bea, cy, dan = await people(database, "ada", "bea", "cy", "dan")
    for start, end in ((ada, dan), (bea, ada), (ada, bea), (cy, ada), (ada, dan)):
        await graph.follow(start, end)

    lists = await asyncio.gather(*(names_of(graph, person) for person in (ada, dan, ada, Member(12345, "nobody"))))

    assert lists == [(["dan", "bea"], ["bea", "cy"]), ([], ["ada"]), (["dan", "bea"], ["bea", "cy"]), ([], [])]


@pytest.mark.gen_test
async def test_a_long_list_ends_at_the_newest_names_and_counts_all(
    database: Database, graph: Follows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follows, "MAX_NAMES", 3)
    monkeypatch.setattr(follows, "NAMES_PER_CALL", 4)
    ada, *others = await people(database, "ada", "bea", "cy", "dan", "eve", "fay")
    for person in others:
        await graph.follow(person, ada)

    (followed, followers), (beas, _) = await asyncio.gather(
        graph.followed_and_followers(ada.id), graph.followed_and_followers(others[0].id)
    )

    assert followed == FollowList([], 0)
    assert followers == FollowList(["dan", "eve", "fay"], 5)
    assert beas == FollowList(["ada"], 1)
    assert [name async for name in graph.iterate_names(ada.id, FOLLOWERS)] == ["bea", "cy", "dan", "eve", "fay"]


@pytest.mark.gen_test
async def test_edges_of_an_earlier_version_get_their_names(database: Database, graph: Follows) -> None:
    ada, bea = await people(database, "ada", "bea")
    edges = [
        {"from_id": ada.id, "to_id": bea.id},
        {"from_id": bea.id, "to_id": ada.id},
        {"from_id": 7, "to_id": ada.id},
    ]
    await database.collection("follows").insert_many(edges)

    assert await names_of(graph, ada) == (["bea"], ["bea"])
    assert await names_of(graph, bea) == (["ada"], ["ada"])
    assert await database.collection("follows").count_documents({}) == 2, "the edge of a user who is gone is deleted"


@pytest.mark.gen_test
async def test_an_edge_that_is_added_while_an_account_is_deleted_does_not_stay(
    database: Database, graph: Follows
) -> None:
    ada, bea = await people(database, "ada", "bea")
    await Users(database).mark_deleting(bea.id)

    with pytest.raises(errors.NotFound):
        await graph.follow(ada, bea)

    assert await names_of(graph, ada) == ([], [])
