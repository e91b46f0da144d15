"""Photomosaics are built from the user's own pictures and from published mosaics only."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from handlers.services import Services
from models.images.image import ImageKind
from models.images.visibility import SERVER
from processing.mosaic import FEATURES_VERSION
from settings import Settings
from tests.handlers.sse_client import open_event_stream
from tests.support.client import ApiClient
from tests.support.pictures import encoded, png
from tests.support.upkeep import filler_of, reconciler_of
from tests.support.waiting import finished, until

COLOURS = ("red", "green", "blue", "white")


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(max_pool_pictures=6)


async def pool_of(person: ApiClient) -> list[int]:
    """Four pictures of one colour each."""
    return [(await person.upload(encoded(Image.new("RGB", (30, 30), colour), "PNG")))["id"] for colour in COLOURS]


def recipe(tiles: list[int], **more: Any) -> dict[str, Any]:
    return {"style": "photomosaic", "cell": 10, "tint": 0, "tiles": tiles, **more}


async def photomosaic(person: ApiClient, tiles: list[int], **more: Any) -> dict[str, Any]:
    """The image document of a photomosaic of a picture that is uploaded for it."""
    task = await person.add_task((await person.upload(png(60, 40)))["url"], recipe(tiles, **more))
    done = await finished(person, task["id"])
    assert done["state"] == "done", done
    return (await person.get("/api/image/query/", id=done["result_id"])).json


@pytest.mark.gen_test
async def test_a_photomosaic_is_built_from_the_named_pictures_and_its_map_says_which(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    tiles = await pool_of(ada)

    image = await photomosaic(ada, tiles)
    cell_map = json.loads((await ada.get(image["map_url"])).body)
    result = await ada.get(image["url"])

    assert (cell_map["rows"], cell_map["columns"], cell_map["cell"]) == (4, 6, 10)
    assert set(cell_map["tiles"]) <= set(range(len(tiles))), (
        "places in the recipe's list, which only the owner is shown"
    )
    assert len(set(cell_map["tiles"])) > 1
    assert (len(cell_map["mirrored"]), len(cell_map["cell_crops"])) == (24, 24)
    assert {len(crop) for crop in cell_map["crops"]} == {3}, "left, top, size"
    assert image["recipe"]["tiles"] == tiles
    pure = np.array([(255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)])
    assert np.abs(colours(result.body)[:, None] - pure).max(axis=-1).min(axis=1).max() < 8, "a thumbnail is near them"


def colours(picture: bytes) -> NDArray[np.int_]:
    with Image.open(io.BytesIO(picture)) as image:
        return np.array([colour for _, colour in image.convert("RGB").getcolors() or []])


@pytest.mark.gen_test
async def test_pictures_of_others_and_unknown_ones_are_refused_and_their_mosaics_are_not(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    own = await pool_of(ada)
    theirs = await bob.upload(png())
    mosaic = await finished(bob, (await bob.add_task(theirs["url"]))["id"])
    source = (await ada.upload(png()))["url"]

    refused = [
        await ada.post("/api/tasks/add/", url=source, param=recipe([*own, tile])) for tile in (theirs["id"], 2**40)
    ]
    image = await photomosaic(ada, [*own, mosaic["result_id"]])

    assert [(answer["error"], answer["field"]) for answer in refused] == [("bad_parameter", "tiles")] * 2
    assert image["kind"] == "result"


@pytest.mark.gen_test
async def test_too_many_pictures_are_refused(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    source = (await ada.upload(png()))["url"]

    too_many = recipe(list(range(1, 8)))
    refused = await ada.post("/api/tasks/add/", url=source, param=too_many)
    beyond = await ada.post("/api/tasks/add/", url=source, param=recipe(list(range(1, 20_002))))

    assert [(answer["error"], answer["field"]) for answer in (refused, beyond)] == [("bad_parameter", "tiles")] * 2
    assert "at most 6 pictures" in refused["message"]
    assert "1 to 20000 picture ids" in beyond["message"]


@pytest.mark.gen_test
async def test_the_same_pool_is_rendered_once_and_another_one_again(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    tiles = await pool_of(ada)
    source = (await ada.upload(png(60, 40)))["url"]

    tasks = [await ada.add_task(source, recipe(chosen)) for chosen in (tiles, tiles[:3], tiles)]
    first, other, same = [(await finished(ada, task["id"]))["result_id"] for task in tasks]

    assert first == same != other
    assert len(list(services.bucket.list("mosaic/"))) == 2


@pytest.mark.gen_test
async def test_lists_and_events_of_tasks_come_without_the_ids_of_tiles(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    tiles = await pool_of(ada)
    async with open_event_stream(ada) as stream:
        task = await ada.add_task((await ada.upload(png(60, 40)))["url"], recipe(tiles))
        done = await finished(ada, task["id"])
        event = (await stream.state(task["id"], "done")).data

    (listed,) = (await ada.get("/api/tasks/query/"))["done"]

    assert task["recipe"]["tiles"] == done["recipe"]["tiles"] == tiles
    assert not any("tiles" in each["recipe"] for each in (listed, event))
    assert done["recipe"] == {**listed["recipe"], "tiles": tiles} == {**event["recipe"], "tiles": tiles}


@pytest.mark.gen_test
async def test_a_picture_that_is_gone_when_the_task_runs_is_named(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    tile = (await pool_of(ada))[2]
    source = (await ada.upload(png()))["url"]
    image = await services.images.by_id(tile, SERVER)
    assert image.key is not None
    await measured(services, tile)
    for key in (image.key, f"thumbnail/{tile}/320.webp"):
        services.bucket.delete(key)

    done = await finished(ada, (await ada.add_task(source, recipe([tile])))["id"])

    assert (done["state"], done["error"]) == ("failed", "recipe_impossible")
    assert f"tiles: {tile}" in done["message"]


async def measured(services: Services, image_id: int) -> bytes:
    """The features of an image that has arrived."""

    async def stored() -> bool:
        return image_id in await services.images.features.of([image_id], FEATURES_VERSION)

    await until(stored, timeout_s=10)
    return (await services.images.features.of([image_id], FEATURES_VERSION))[image_id]


@pytest.mark.gen_test
async def test_every_picture_is_measured_when_it_arrives_and_forgotten_with_it(
    api: ApiClient, services: Services
) -> None:
    ada = await api.sign_up("ada")
    tile = (await pool_of(ada))[0]

    features = await measured(services, tile)
    await ada.post("/api/image/delete/", id=tile)

    assert 0 < len(features) < 1000
    assert await services.images.features.of([tile], FEATURES_VERSION) == {}


@pytest.mark.gen_test
async def test_pictures_of_an_earlier_version_are_measured_by_their_first_mosaic_and_by_upkeep(
    api: ApiClient, services: Services
) -> None:
    ada = await api.sign_up("ada")
    tiles = await pool_of(ada)
    features = [await measured(services, tile) for tile in tiles]
    damaged = (await ada.upload(png()[:-20]))["id"]
    for tile in tiles:
        await services.images.features.delete(tile)

    await photomosaic(ada, tiles[:2])
    by_mosaic = await services.images.features.of([*tiles, damaged], FEATURES_VERSION)
    await filler_of(services).fill()
    by_upkeep = await services.images.features.of([*tiles, damaged], FEATURES_VERSION)

    assert sorted(by_mosaic) == sorted(tiles[:2])
    assert by_upkeep == {**by_mosaic, tiles[2]: features[2], tiles[3]: features[3], damaged: b""}
    assert await filler_of(services).fill() == 0


@pytest.mark.gen_test
async def test_a_mosaic_that_its_owner_withdraws_serves_nobody_else_whatever_is_stored_of_it(
    api: ApiClient, services: Services
) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    mosaic = await finished(bob, (await bob.add_task((await bob.upload(png()))["url"]))["id"])
    source = (await ada.upload(png()))["url"]
    await filler_of(services).fill()
    tiles = [mosaic["result_id"]]

    while_public = await ada.add_task(source, recipe(tiles))
    await bob.post("/api/image/visibility/", ids=tiles, visibility="private")
    afterwards = await ada.post("/api/tasks/add/", url=source, param=recipe(tiles))

    assert while_public["id"]
    assert (afterwards["error"], afterwards["field"]) == ("bad_parameter", "tiles")
    assert tiles[0] in await services.images.features.of(tiles, FEATURES_VERSION), "for its owner"


@pytest.mark.gen_test
async def test_a_cell_map_is_deleted_with_its_result(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    image = await photomosaic(ada, await pool_of(ada))
    plain = (await ada.upload(png()))["id"]
    orphan = services.bucket.put("map/mosaic/nobody.png.json", b"{}", mime="application/json").key
    before_sweep = keys(services)

    await reconciler_of(services).reconcile(orphan_age_s=-1)
    swept = keys(services)
    await ada.post("/api/image/delete/", id=image["id"])

    assert before_sweep - swept == {orphan}
    assert [len(remaining) for remaining in (before_sweep, swept, keys(services))] == [2, 1, 0]
    assert (await ada.get("/api/image/query/", id=plain))["map_url"] is None


def keys(services: Services) -> set[str]:
    return {stat.key for stat in services.bucket.list("map/")}


@pytest.mark.gen_test
async def test_bricks_keep_their_parts_list(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    done = await finished(ada, (await ada.add_task((await ada.upload(png()))["url"], "brick"))["id"])

    image = await services.images.by_id(done["result_id"], SERVER)
    map_url = (await ada.get("/api/image/query/", id=image.id))["map_url"]

    assert image.kind is ImageKind.RESULT
    assert json.loads((await ada.get(map_url)).body)["parts"]
