"""The pictures in a photomosaic: who is told of them, and what happens when their owners withdraw them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from handlers.services import Services
from models import errors
from models.images.visibility import SERVER
from processing.upkeep.withdrawals import WithdrawalSweeper
from tests.support.client import ApiClient
from tests.support.pictures import encoded, png
from tests.support.waiting import finished

GRACE = timedelta(days=14)


async def private_photo(person: ApiClient, colour: str) -> int:
    photo = await person.upload(encoded(Image.new("RGB", (30, 20), colour), "PNG"), filename=f"{colour}.png")
    await person.post("/api/image/visibility/", ids=[photo["id"]], visibility="private")
    return int(photo["id"])


async def published(person: ApiClient, visibility: str = "public", seed: int = 1) -> int:
    source = await person.upload(png(40, 30, seed=seed))
    done = await finished(person, (await person.add_task(source["url"], visibility=visibility))["id"])
    return int(done["result_id"])


async def photomosaic(person: ApiClient, tiles: list[int], **recipe: Any) -> dict[str, Any]:
    source = await person.upload(png(60, 40, seed=9))
    values = {"style": "photomosaic", "cell": 10, "tiles": tiles, **recipe}
    done = await finished(person, (await person.add_task(source["url"], values))["id"])
    assert done["state"] == "done", done
    return (await person.get("/api/image/query/", id=done["result_id"])).json


async def ids_in(person: ApiClient, mosaic: dict[str, Any]) -> list[int | None]:
    tiles = (await person.get("/api/image/tiles/", id=mosaic["id"]))["tiles"]
    return [tile and tile["id"] for tile in tiles]


@pytest.mark.gen_test(timeout=30)
async def test_pictures_to_build_from_are_ones_own_and_public_mosaics_of_others(api: ApiClient) -> None:
    ada, bob, eve = (
        await api.sign_up("ada"),
        await api.new_client().sign_up("bob"),
        await api.new_client().sign_up("eve"),
    )
    photo, public, hidden = await private_photo(ada, "red"), await published(bob), await published(bob, "link", 2)
    other = await published(eve, seed=3)
    await ada.post("/api/user/follow/", from_user_name="ada", to_user_name="bob", follow_bool=1)

    pools = {of: (await ada.get("/api/image/pool/", of=of))["ids"] for of in ("own", "followed", "everybody")}
    stranger = [await api.new_client().get("/api/image/pool/", of=of) for of in ("own", "followed", "everybody")]

    mosaic = await photomosaic(ada, [photo])
    listed = (await ada.get("/api/feed/", view="mine"))["images"]

    assert [("tiles" in image["recipe"], image["id"]) for image in listed] == [(False, mosaic["id"])]
    assert pools == {"own": [photo], "followed": [public], "everybody": [other, public]}
    assert hidden not in pools["everybody"]
    assert [answer.status for answer in stranger] == [401, 401, 200]
    assert stranger[2]["ids"] == [other, public]


@pytest.mark.gen_test
async def test_own_pictures_are_found_by_what_their_params_begin_with(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    first, second = [await ada.upload(png(seed=seed), param=f"sha256:{seed}") for seed in (1, 2)]
    await ada.upload(png(seed=3), param="sha255:1")
    await bob.upload(png(seed=4), param="sha256:4")

    pool = (await ada.get("/api/image/pool/", param_prefix="sha256:")).json

    assert pool["by_param"] == {"sha256:1": first["id"], "sha256:2": second["id"]}
    assert "by_param" not in (await ada.get("/api/image/pool/")).json


@pytest.mark.requirement(64)
@pytest.mark.gen_test
async def test_others_are_told_of_public_pictures_and_their_own_alone(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    private, public, linked = await private_photo(ada, "red"), await published(bob), await published(bob, "link", 2)
    closed = await published(ada, "private", 3)
    mosaic = await photomosaic(ada, [private, public, linked, closed])

    documents = (await api.new_client().get("/api/image/tiles/", id=mosaic["id"])).json

    assert await ids_in(ada, mosaic) == [private, public, linked, closed]
    assert await ids_in(bob, mosaic) == [None, public, linked, None]
    assert await ids_in(api.new_client(), mosaic) == [None, public, None, None]
    assert (documents["tiles"][1]["username"], documents["tiles"][1]["own"]) == ("bob", False)
    assert (documents["withdrawn"], documents["made_of"]) == ([], None)
    own = (await ada.get("/api/image/tiles/", id=mosaic["id"])).json
    assert own["tiles"][0] | {"filename": "red.png", "width": 30, "own": True} == own["tiles"][0]


@pytest.mark.gen_test
async def test_the_tiles_of_a_private_mosaic_are_as_if_there_was_none(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    mosaic = await photomosaic(ada, [await published(bob)])
    await ada.post("/api/image/visibility/", ids=[mosaic["id"]], visibility="private")

    answer = await bob.get("/api/image/tiles/", id=mosaic["id"])

    assert (answer.status, answer["error"]) == (404, "not_found")


@pytest.mark.requirement(64)
@pytest.mark.parametrize("how", ["deleted", "private", "account"])
@pytest.mark.gen_test
async def test_a_withdrawn_picture_ends_the_mosaic_in_time_and_it_is_made_again_without(
    api: ApiClient, services: Services, how: str
) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    own, theirs = await private_photo(ada, "red"), await published(bob)
    mosaic = await photomosaic(ada, [own, theirs])
    assert (mosaic["withdrawn"], mosaic["ends"]) == (0, None)

    await withdraw(bob, theirs, how)

    marked = (await ada.get("/api/image/query/", id=mosaic["id"])).json
    assert marked["withdrawn"] == 1
    assert GRACE - timedelta(hours=1) < datetime.fromisoformat(marked["ends"]) - datetime.now(UTC) <= GRACE
    stranger = (await api.new_client().get("/api/image/query/", id=mosaic["id"])).json
    assert (stranger["withdrawn"], stranger["ends"]) == (0, None)
    tiles = (await ada.get("/api/image/tiles/", id=mosaic["id"])).json
    assert (tiles["withdrawn"], [tile and tile["id"] for tile in tiles["tiles"]]) == ([theirs], [own, None])
    rest = [tile for tile in mosaic["recipe"]["tiles"] if tile not in tiles["withdrawn"]]
    again = await finished(ada, (await ada.add_task(tiles["made_of"], mosaic["recipe"] | {"tiles": rest}))["id"])

    sweeper, now = WithdrawalSweeper(services.images, services.image_deletions), datetime.now(UTC)
    early, late = await sweeper.sweep(now + GRACE - timedelta(hours=1)), await sweeper.sweep(now + GRACE)

    assert (early, late, again["state"]) == (0, 1, "done")
    assert (await ada.get(mosaic["url"])).status == 404
    assert (await ada.get("/api/image/query/", id=mosaic["id"]))["error"] == "not_found"
    assert (await ada.get(again["result_url"])).status == 200


async def withdraw(owner: ApiClient, image_id: int, how: str) -> None:
    if how == "deleted":
        await owner.post("/api/image/delete/", id=image_id)
    elif how == "private":
        await owner.post("/api/image/visibility/", ids=[image_id], visibility="private")
    else:
        await owner.post("/api/user/delete/", password="a long enough password")


@pytest.mark.gen_test
async def test_a_picture_that_is_made_visible_again_takes_the_mark_away(api: ApiClient, services: Services) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    theirs, other = await published(bob), await published(bob, seed=2)
    mosaic = await photomosaic(ada, [theirs, other])
    for visibility in ("private", "link"):
        await bob.post("/api/image/visibility/", ids=[theirs, other], visibility=visibility)

    visible = (await ada.get("/api/image/query/", id=mosaic["id"])).json
    await services.images.withdrawals.mark([theirs], bob.user_id)  # as if a server had died before the change
    deleted = await WithdrawalSweeper(services.images, services.image_deletions).sweep(datetime.now(UTC) + 2 * GRACE)

    assert (visible["withdrawn"], visible["ends"], deleted) == (0, None, 0)
    assert (await services.images.by_id(mosaic["id"], SERVER)).ends is None


@pytest.mark.gen_test
async def test_what_people_do_with_their_own_pictures_ends_nothing(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    tiles = [await private_photo(ada, "red"), await published(ada)]
    mosaic = await photomosaic(ada, tiles)

    await ada.post("/api/image/visibility/", ids=tiles, visibility="private")
    await ada.post("/api/image/delete/", id=tiles[0])

    image = await services.images.by_id(mosaic["id"], SERVER)
    assert (image.withdrawn, image.ends) == ((), None)
    with pytest.raises(errors.NotFound):
        await services.images.by_id(tiles[0], SERVER)


@pytest.mark.parametrize("how", ["deleted", "elsewhere"])
@pytest.mark.gen_test
async def test_what_a_mosaic_was_made_of_is_named_as_long_as_it_is_here(
    api: ApiClient, services: Services, how: str
) -> None:
    ada = await api.sign_up("ada")
    mosaic = await photomosaic(ada, [await private_photo(ada, "red")])
    source_id = (await services.images.by_id(mosaic["id"], SERVER)).source_id
    assert source_id is not None
    source = await services.images.by_id(source_id, SERVER)
    before = (await ada.get("/api/image/tiles/", id=mosaic["id"])).json

    if how == "deleted":
        await ada.post("/api/image/delete/", id=source_id)
    else:  # as of a source at another host
        record = services.database.collection("images")
        await record.update_one({"_id": mosaic["id"]}, {"$set": {"source_id": None}})

    after = (await ada.get("/api/image/tiles/", id=mosaic["id"])).json
    assert (before["made_of"], after["made_of"]) == (source.url, None)
    assert after["tiles"] == before["tiles"]
