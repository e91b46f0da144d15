"""Results that were made together, as one entry of the gallery."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.database import Database
from models.images.gallery import Gallery
from models.images.image import Owner
from tests.handlers.test_feed import MOMENT, result
from tests.support.client import ApiClient
from tests.support.waiting import finished


@pytest.mark.gen_test
async def test_pictures_made_together_are_one_entry_of_the_gallery(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    stranger = api.new_client()
    source = (await ada.upload())["url"]

    async def make(person: ApiClient, cell: int, batch: str | None, visibility: str = "public") -> int:
        more = {} if batch is None else {"batch": batch}
        recipe = {"style": "mosaic", "cell": cell}
        task = await person.add_task(source, recipe, visibility=visibility, **more)
        return int((await finished(person, task["id"]))["result_id"])

    single = await make(ada, 4, None)
    batch = [await make(ada, cell, "x") for cell in range(5, 10)]
    private = await make(ada, 10, "x", "private")
    of_bob = await make(bob, 11, "x")

    pages, cursor = [], {}
    while True:
        feed = await stranger.get("/api/feed/", limit=1, **cursor)
        pages += [(image["id"], image["batch_size"]) for image in feed["images"]]
        if feed["cursor"] is None:
            break
        cursor = {"cursor": feed["cursor"]}
    made_together = (await stranger.get("/api/feed/", view="batch", id=batch[0]))["images"]
    seen_from_inside = (await ada.get("/api/image/query/", id=private))["batch_size"]
    await ada.post("/api/image/delete/", id=batch[-1])
    next_one = [(each["id"], each["batch_size"]) for each in (await stranger.get("/api/feed/"))["images"]]

    assert pages == [(of_bob, 1), (batch[-1], 5), (single, 1)]
    assert [image["id"] for image in made_together] == batch[::-1]
    assert seen_from_inside == 5
    assert next_one == [(of_bob, 1), (batch[-2], 4), (single, 1)]
    assert len((await ada.get("/api/feed/", view="mine"))["images"]) == 6


@pytest.mark.gen_test
async def test_a_picture_that_was_made_alone_has_no_others_and_a_batch_is_named_by_a_picture(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    alone = await finished(ada, (await ada.add_task((await ada.upload())["url"]))["id"])

    page = await ada.get("/api/feed/", view="batch", id=alone["result_id"])
    refused = await ada.get("/api/feed/", view="batch")

    assert (page["images"], page["cursor"]) == ([], None)
    assert (refused.status, refused["error"], refused["field"]) == (400, "bad_parameter", "id")


@pytest.mark.gen_test
async def test_a_page_that_ends_among_the_pictures_of_a_batch_is_continued(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request reads a bounded number of records, however many pictures stand behind one entry."""
    monkeypatch.setattr("models.images.gallery.SCAN_LIMIT", 4)
    ada, gallery = Owner(1, "ada"), Gallery(database)
    batches = [None, *["x"] * 13, None]
    records = [
        result(number, ada, MOMENT - timedelta(seconds=number), batch=batch) for number, batch in enumerate(batches, 1)
    ]
    await database.collection("images").insert_many(records)

    pages, cursor = [], None
    while not pages or cursor is not None:
        page = await gallery.public(limit=3, cursor=cursor)
        pages.append([image.id for image in page.images])
        cursor = page.cursor

    assert pages == [[1, 2], [], [15]]
