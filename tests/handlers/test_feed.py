"""Pages of the gallery: every picture once, nothing private of other users, read through an index."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pymongo import MongoClient

from handlers.services import Services
from models.cursor import write_cursor
from models.database import Database
from models.images.gallery import Gallery, after, public_query
from models.images.image import ImageKind, NewImage, Owner, to_document
from models.images.images import Images
from models.images.visibility import Visibility
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.waiting import finished

MOMENT = datetime(2026, 11, 22, 12, 0, 0, 129_000, tzinfo=UTC)


def result(number: int, owner: Owner, created: datetime, **fields: Any) -> dict[str, Any]:
    """A record as MongoDB holds it."""
    image = NewImage(
        fields.pop("kind", ImageKind.RESULT),
        owner,
        key=f"mosaic/{number}",
        url="",
        filename="x.png",
        filesize=1,
        param="",
        visibility=Visibility.PUBLIC,
    ).with_id(number)
    return to_document(image) | {"created": created, **fields}


Explain = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def explain(mongodb_uri: str, database_name: str) -> Iterator[Explain]:
    """How MongoDB executes a query for the first page of a view."""
    with MongoClient[dict[str, Any]](mongodb_uri) as client:

        def run(query: dict[str, Any]) -> dict[str, Any]:
            find = {"find": "images", "filter": query, "sort": {"created": -1, "_id": -1}, "limit": 30}
            return client[database_name].command({"explain": find, "verbosity": "executionStats"})

        yield run


async def fill(database: Database, records: list[dict[str, Any]]) -> None:
    for start in range(0, len(records), 2000):
        await database.collection("images", journaled=False).insert_many(records[start : start + 2000])


async def pages(api: ApiClient, limit: int, **query: Any) -> list[list[int]]:
    """The ids of every page."""
    images, cursor = [], ""
    while True:
        page = await api.get("/api/feed/", limit=limit, **query, **({"cursor": cursor} if cursor else {}))
        images.append([image["id"] for image in page["images"]])
        cursor = page["cursor"]
        if not cursor:
            return images


@pytest.mark.gen_test
async def test_pages_hold_every_picture_once_newest_first_also_of_one_moment(
    api: ApiClient, database: Database
) -> None:
    ada = Owner(1, "ada")
    records = [result(number, ada, MOMENT - timedelta(milliseconds=number // 7)) for number in range(1, 60)]
    await fill(database, records)

    images = list(itertools.chain(*await pages(api, 4)))

    assert images == [record["_id"] for record in sorted(records, key=lambda one: (one["created"], one["_id"]))][::-1]


@pytest.mark.gen_test
async def test_additions_and_deletions_between_pages_move_no_other_picture(api: ApiClient, database: Database) -> None:
    ada = Owner(1, "ada")
    await fill(database, [result(number, ada, MOMENT + timedelta(seconds=number)) for number in range(1, 11)])

    first = await api.get("/api/feed/", limit=4)
    await fill(database, [result(50, ada, MOMENT + timedelta(seconds=50))])
    await database.collection("images").delete_one({"_id": first["images"][-1]["id"]})
    second = await api.get("/api/feed/", limit=4, cursor=first["cursor"])

    assert [image["id"] for image in first["images"]] == [10, 9, 8, 7]
    assert [image["id"] for image in second["images"]] == [6, 5, 4, 3]


def test_a_cursor_keeps_every_millisecond() -> None:
    for step in range(2000):
        created = MOMENT + timedelta(milliseconds=step)

        query = public_query(None, write_cursor(created, 5))

        assert query["created"] == {"$lte": created}


@pytest.mark.gen_test
async def test_a_cursor_that_is_not_ours_is_refused(api: ApiClient) -> None:
    for cursor in ("x", "1", "-", "1-x", "9" * 30 + "-1", "1--", "é-1"):
        refused = await api.get("/api/feed/", cursor=cursor)

        assert (refused.status, refused["error"], refused["field"]) == (400, "bad_parameter", "cursor"), cursor


@pytest.mark.gen_test
async def test_each_view_shows_whose_pictures_it_says_and_no_sources(api: ApiClient, services: Services) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    cem = await api.new_client().sign_up("cem")
    results = {}
    for seed, person in enumerate((ada, bob, cem)):
        task = await person.add_task((await person.upload(png(seed=seed)))["url"])
        results[person.username] = (await finished(person, task["id"]))["result_id"]
    await ada.post("/api/user/follow/", from_user_name="ada", to_user_name="bob", follow_bool=1)

    view_ids = {
        "newest": await pages(api.new_client(), 10),
        "following": await pages(ada, 10, view="following"),
        "mine": await pages(ada, 10, view="mine"),
        "user": await pages(api.new_client(), 10, view="user", username="cem"),
        "nobody": await pages(cem, 10, view="following"),
    }

    assert view_ids == {
        "newest": [[results["cem"], results["bob"], results["ada"]]],
        "following": [[results["bob"]]],
        "mine": [[results["ada"]]],
        "user": [[results["cem"]]],
        "nobody": [[]],
    }


@pytest.mark.gen_test
async def test_only_the_owner_sees_uploads(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload(png())
    await finished(ada, (await ada.add_task(uploaded["url"]))["id"])

    mine = await pages(ada, 10, view="mine", kind="source")

    assert mine == [[uploaded["id"]]]
    for query in ({"view": "newest"}, {"view": "following"}, {"view": "user", "username": "ada"}):
        refused = await ada.get("/api/feed/", kind="source", **query)
        assert (refused.status, refused["field"]) == (400, "kind"), query


@pytest.mark.gen_test
async def test_a_feed_has_what_a_layout_needs_and_nothing_private(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload(png(60, 40), "my secret holiday.png", param="a private note")
    await finished(ada, (await ada.add_task(uploaded["url"]))["id"])

    feed = await api.new_client().get("/api/feed/")

    (image,) = feed["images"]
    assert (image["width"], image["height"]) == (60, 40)
    assert len(image["placeholder"]) == 7
    assert image["source_url"] is None
    text = feed.body.decode()
    assert [word for word in ("secret", "private", "example.com", "source/", str(uploaded["id"])) if word in text] == []


@pytest.mark.gen_test
async def test_a_picture_whose_shown_source_is_gone_is_still_there(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload(png())
    done = await finished(ada, (await ada.add_task(uploaded["url"]))["id"])
    image = await ada.post("/api/image/change/", id=done["result_id"], show_source=True)

    await ada.post("/api/image/delete/", id=uploaded["id"])
    after = await api.new_client().get("/api/image/query/", id=done["result_id"])

    assert image["source_url"] == uploaded["url"]
    assert (after["code"], after["source_url"]) == (1, None)


@pytest.mark.gen_test
async def test_views_that_need_a_user_are_refused_without_one(api: ApiClient) -> None:
    for view in ("mine", "following"):
        assert (await api.get("/api/feed/", view=view)).status == 401
    assert (await api.get("/api/feed/", view="user")).json["field"] == "username"
    assert (await api.get("/api/feed/", view="user", username="nobody")).status == 404
    assert (await api.get("/api/feed/", view="everything")).json["field"] == "view"


@pytest.mark.gen_test
async def test_every_view_is_found_by_an_index_and_reads_little_more_than_it_shows(
    database: Database, explain: Explain
) -> None:
    await database.create_indexes({"images": Images.indexes})
    people = range(1, 401)
    await fill(
        database,
        [
            result(
                number,
                Owner(1 + number % 400, "x"),
                MOMENT - timedelta(milliseconds=number // 3),
                kind=ImageKind.SOURCE if number % 2 else ImageKind.RESULT,
            )
            for number in range(1, 8001)
        ],
    )
    page = await Gallery(database).public(limit=30)
    views: dict[str, Callable[[str | None], dict[str, Any]]] = {
        "newest": partial(public_query, None),
        "one person": partial(public_query, [1]),
        "some people": partial(public_query, list(people[:60])),
        "many people": partial(public_query, list(people)),
        "mine": partial(after, {"owner_id": 1, "kind": "result"}),
    }

    for name, query_of in views.items():
        for cursor in (None, page.cursor):
            explained = explain(query_of(cursor))

            stages = set(stages_of(explained["queryPlanner"]["winningPlan"]))
            read = explained["executionStats"]["totalDocsExamined"]
            assert "IXSCAN" in stages, name
            assert not stages & {"COLLSCAN", "SORT"}, name
            assert read <= 90, f"{name}: {read} documents for 30"


@pytest.mark.gen_test
async def test_a_picture_is_found_by_its_key_or_its_dedup_key_through_an_index(
    database: Database, explain: Explain
) -> None:
    await database.create_indexes({"images": Images.indexes})
    ada = Owner(1, "ada")
    await fill(database, [result(number, ada, MOMENT, dedup_key=f"made of {number}") for number in range(1, 301)])

    for query in (
        {"key": "mosaic/5"},
        {"key": "mosaic/5", "_id": {"$ne": 5}},
        {"key": {"$in": ["mosaic/5", "mosaic/6"]}},
        {"dedup_key": "made of 5"},
        {"kind": "hidden"},
    ):
        explained = explain(query)

        assert explained["executionStats"]["totalDocsExamined"] <= 2, query
        assert "COLLSCAN" not in stages_of(explained["queryPlanner"]["winningPlan"]), query


def stages_of(plan: dict[str, Any]) -> list[str]:
    inner = plan.get("inputStages", [plan["inputStage"]] if "inputStage" in plan else [])
    return [plan["stage"], *itertools.chain(*(stages_of(one) for one in inner))]
