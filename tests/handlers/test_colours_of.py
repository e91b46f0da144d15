"""`colours_of`: a mosaic in the colours of another image that its maker may see."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from handlers.services import Services
from models import errors
from models.images.visibility import SERVER
from tests.handlers.test_preview import preview
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.waiting import finished


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, "PNG")
    return file.getvalue()


def mean_of(data: bytes) -> tuple[int, ...]:
    with Image.open(io.BytesIO(data)) as image:
        mean: Any = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return tuple(mean)


@pytest.mark.gen_test
async def test_a_mosaic_and_its_preview_get_the_colours_of_another_picture(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    blue = (await ada.upload(picture("#2040a0")))["id"]
    recipe = {"style": "mosaic", "cell": 8, "colours_of": blue}

    task = await ada.add_task((await ada.upload(png(64, 48)))["url"], recipe)
    done = await finished(ada, task["id"])
    image = (await ada.get("/api/image/query/", id=done["result_id"])).json
    drawn = await preview(ada, png(64, 48), recipe)

    for data in ((await ada.get(image["url"])).body, drawn.body):
        red, _, strongest = mean_of(data)
        assert strongest > red + 60
    assert image["recipe"]["colours_of"] == blue


@pytest.mark.gen_test
async def test_only_the_owner_sees_whose_colours_a_mosaic_has(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    blue = (await ada.upload(picture("#2040a0")))["id"]
    task = await ada.add_task((await ada.upload(png(64, 48)))["url"], {"style": "mosaic", "colours_of": blue})
    done = await finished(ada, task["id"])

    seen = (await bob.get("/api/image/query/", id=done["result_id"])).json

    assert "colours_of" not in seen["recipe"]


@pytest.mark.gen_test
async def test_an_image_that_one_may_not_see_is_refused_like_one_that_does_not_exist(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    private = (await ada.upload(picture("#2040a0")))["id"]
    await ada.post("/api/image/visibility/", ids=[private], visibility="private")
    source = (await bob.upload(png()))["url"]

    for image_id in (private, 2**40):
        recipe = {"style": "mosaic", "colours_of": image_id}
        for refused in (
            await bob.post("/api/tasks/add/", url=source, param=recipe),
            await preview(bob, png(), recipe),
        ):
            assert (refused["error"], refused["field"]) == ("bad_parameter", "colours_of")


@pytest.mark.gen_test
async def test_a_picture_that_is_gone_or_damaged_when_the_task_runs_is_named(
    api: ApiClient, services: Services
) -> None:
    ada = await api.sign_up("ada")
    for replacement, reason in ((None, "still there"), (b"\x89PNG\r\n\x1a\n, cut short", "JPEG")):
        blue = (await ada.upload(picture("#2040a0")))["id"]
        key = (await services.images.by_id(blue, SERVER)).key
        assert key is not None
        services.bucket.delete(key)
        if replacement is not None:
            services.bucket.put(key, replacement, mime="image/png")
        source = (await ada.upload(png(64, 48)))["url"]

        task = await ada.add_task(source, {"style": "mosaic", "colours_of": blue})
        done = await finished(ada, task["id"])

        assert (done["state"], done["error"]) == ("failed", "recipe_impossible")
        assert f"colours_of: {blue}" in done["message"]
        assert reason in done["message"]


@pytest.mark.gen_test
async def test_a_picture_that_is_deleted_before_its_colours_are_read_is_named(
    api: ApiClient, services: Services
) -> None:
    ada = await api.sign_up("ada")
    blue = (await ada.upload(picture("#2040a0")))["id"]
    await ada.post("/api/image/delete/", id=blue)

    with pytest.raises(errors.RecipeImpossible, match=rf"colours_of: {blue} .* still there"):
        await services.preview_tiles.colours(blue)
