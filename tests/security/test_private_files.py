"""Requirement 46: the file of a private image needs a signed address; caches and a shared source follow its owner."""

from __future__ import annotations

import pytest

from handlers.services import Services
from models.bucket.read_signature import sign_read
from tests.security.image_routes import make_world
from tests.support.client import ApiClient
from tests.support.waiting import finished

pytestmark = pytest.mark.requirement(46)


@pytest.mark.gen_test
async def test_the_file_of_a_private_image_is_read_by_a_signed_address_until_its_end(
    api: ApiClient, services: Services
) -> None:
    ada = await api.sign_up("ada")
    world, stranger = await make_world(ada, "private"), api.new_client()
    bucket = services.embedded_bucket
    assert bucket is not None

    signed = [world.result["readable_url"], world.result["map_url"], world.task["result_url"]]
    opened = [await stranger.get(url) for url in signed]
    late = sign_read(bucket.keys, world.urls[1], 1_700_000_000)
    expired = await stranger.get(late)
    altered = [
        signed[0].replace(world.urls[1], world.urls[0]),
        signed[0].replace("?e=", "?e=9"),
        signed[0][:-4] + "AAA=",
        signed[0].partition("&token")[0],
        late + "&e=99999999999",
    ]
    refused = [await stranger.get(url) for url in altered]
    named = await stranger.get(sign_read(bucket.keys, world.urls[1] + "?attname=a.png", 2**33))

    assert [response.status for response in opened] == [200, 200, 200]
    lifetimes = [int(response.headers["Cache-Control"].split("max-age=")[1].split(",")[0]) for response in opened]
    assert all(3500 < lifetime <= 4200 for lifetime in lifetimes)
    assert {response.headers["Cache-Control"].split(",")[0] for response in opened} == {"private"}
    assert (expired.status, expired.json) == (401, {"error": "token out of date"})
    assert {response.status for response in refused} == {404}
    assert {response.body for response in refused} == {b'{"error": "Document not found"}'}
    assert named.headers["Content-Disposition"].startswith("attachment")
    assert "token=" not in world.result["url"] + world.task["url"]


@pytest.mark.gen_test
async def test_caches_keep_no_private_thumbnail_and_shared_ones_none_at_all(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    for visibility, expected in (("private", "private, no-cache"), ("public", "private, max-age=31536000, immutable")):
        world = await make_world(ada, visibility)
        response = await ada.get(f"/thumbnail/{world.result['id']}/320/")

        assert response.headers["Cache-Control"] == expected


@pytest.mark.gen_test
async def test_an_object_made_by_two_users_is_open_if_one_of_them_lets_it_be(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    source, stranger = (await ada.upload())["url"], api.new_client()
    own = await finished(ada, (await ada.add_task(source, visibility="private"))["id"])
    plain = own["result_url"].partition("?")[0]
    before = await stranger.get(plain)

    shared = await finished(bob, (await bob.add_task(source, visibility="public"))["id"])
    after = await stranger.get(plain)
    images = [(await stranger.get("/api/image/query/", id=each["result_id"]))["code"] for each in (own, shared)]

    assert (before.status, after.status) == (404, 200)
    assert shared["result_url"] == plain
    assert images == [-1, 1]


@pytest.mark.gen_test
async def test_the_source_of_a_result_is_shown_with_it_though_it_is_private(api: ApiClient) -> None:
    ada, stranger = await api.sign_up("ada"), api.new_client()
    world = await make_world(ada, "private")
    await ada.post("/api/image/visibility/", ids=[world.result["id"]], visibility="public")
    before = (await stranger.get("/api/image/query/", id=world.result["id"]))["source_url"]

    await ada.post("/api/image/change/", id=world.result["id"], show_source=True)
    shown_url = (await stranger.get("/api/image/query/", id=world.result["id"]))["source_url"]

    assert before is None
    assert (await stranger.get(shown_url)).status == 200
    assert (await stranger.get(world.urls[0])).status == 404
