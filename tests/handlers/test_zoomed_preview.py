"""Zoomed previews: the pixels of the result in a region, from a source that is sent once."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handlers.services import Services
from models import errors
from processing import mosaic
from processing.images import preview_sources, previews
from processing.images.preview_sources import GEOMETRY_LIMIT, LIFETIME_S, PreviewSources
from tests.support.client import ApiClient, ApiResponse
from tests.support.pictures import encoded, jpeg, png

BINARY = {"Content-Type": "application/octet-stream"}
REGION = {"left": "0.25", "top": "0.5", "right": "0.5", "bottom": "0.75"}
RECIPE = {"style": "hexagon", "material": "stone", "size": 1600, "format": "png"}


async def send_source(api: ApiClient, data: bytes) -> ApiResponse:
    return await api.request("POST", "/api/preview/source/", body=data, headers=BINARY)


async def zoomed(api: ApiClient, source: str, param: dict[str, Any] = RECIPE, **fields: str) -> ApiResponse:
    form = {"param": json.dumps(param), "source": source, **REGION, **fields}
    return await api.post_form("/api/preview/", form, "preview.jpg", b"")


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.gen_test
async def test_a_zoomed_preview_has_the_pixels_of_the_result(api: ApiClient) -> None:
    picture = jpeg(2400, 1600)  # more than a preview's own copy may have
    source = (await send_source(api, picture))["source"]
    whole = pixels(mosaic.render(picture, mosaic.parse(RECIPE)).data)

    answers = [await zoomed(api, source) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    region = json.loads(answers[0].headers["X-Preview-Region"])
    left, top, right, bottom = region["box"]
    assert region == {"box": [400, 533, 800, 801], "size": [1600, 1067]}
    for answer in answers:
        assert answer.headers["Content-Type"] == "image/png"
        assert np.array_equal(pixels(answer.body), whole[top:bottom, left:right])


@pytest.mark.gen_test
async def test_a_zoomed_preview_may_be_reduced(api: ApiClient) -> None:
    source = (await send_source(api, png(300, 200)))["source"]

    answer = await zoomed(api, source, reduction="4")

    left, top, right, bottom = json.loads(answer.headers["X-Preview-Region"])["box"]
    assert pixels(answer.body).shape[:2] == ((bottom - top) // 4, (right - left) // 4)


@pytest.mark.gen_test
async def test_a_region_of_a_poster_in_svg_is_a_png(api: ApiClient) -> None:
    source = (await send_source(api, png(300, 200)))["source"]

    answer = await zoomed(api, source, {"style": "mosaic", "size": 900, "format": "svg"})

    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")


@pytest.mark.gen_test
async def test_a_region_of_one_s_own_pictures_has_the_tiles_of_the_result(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    colours = ("red", "lime", "blue")
    tiles = [(await ada.upload(encoded(Image.new("RGB", (90, 60), colour), "PNG")))["id"] for colour in colours]
    source = (await send_source(ada, png(300, 200)))["source"]

    answer = await zoomed(ada, source, {"style": "photomosaic", "cell": 40, "size": 1600, "tint": 0, "tiles": tiles})

    assert answer.status == 200
    nearest = np.abs(pixels(answer.body)[:, :, None] - 255 * np.eye(3)).max(axis=-1).min(axis=-1)
    assert nearest.max() < 12  # read from thumbnails, which are WebP


@pytest.mark.gen_test
async def test_errors_name_the_region_and_the_source(api: ApiClient) -> None:
    source = (await send_source(api, png(300, 200)))["source"]
    broken = (await send_source(api, b"not a picture"))["source"]

    answers = {
        "all of a poster": await zoomed(api, source, {"size": 9000}, left="0", top="0", right="1", bottom="1"),
        "beside the result": await zoomed(api, source, left="1.5"),
        "no such source": await zoomed(api, "made-up"),
        "no picture": await zoomed(api, broken),
        "nothing sent": await send_source(api, b""),
    }

    assert {name: (answer.status, answer["error"], answer.json.get("field")) for name, answer in answers.items()} == {
        "all of a poster": (422, "recipe_impossible", "region"),
        "beside the result": (400, "bad_parameter", "left"),
        "no such source": (404, "not_found", None),
        "no picture": (422, "not_a_picture", None),
        "nothing sent": (400, "bad_parameter", "file"),
    }


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_a_region_that_costs_too_much_is_stopped(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (await send_source(api, jpeg(640, 480)))["source"]
    monkeypatch.setattr(previews, "MAX_CPU_S", 0.0)

    answer = await zoomed(api, source)

    assert (answer.status, answer["error"]) == (422, "timed_out")


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_more_files_at_a_time_are_refused(api: ApiClient, services: Services) -> None:
    for _ in range(preview_sources.PER_CLIENT_LIMIT):
        services.previews.sources.acquire("127.0.0.1")

    refused = await send_source(api, png())
    services.previews.sources.release("127.0.0.1")
    accepted = [await send_source(api, png()) for _ in range(3)]

    assert (refused.status, refused["error"]) == (429, "too_many_requests")
    assert [answer.status for answer in accepted] == [200] * 3


@pytest.mark.gen_test
async def test_two_sources_of_an_address_stay() -> None:
    sources = PreviewSources()
    names = [sources.add(b"x", "ada") for _ in range(3)] + [sources.add(b"y", "bob")]

    assert [is_there(sources, name) for name in names] == [False, True, True, True]


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_the_address_with_the_most_loses_its_sources_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_sources, "LIMIT_BYTES", 100)
    sources = PreviewSources()
    bob = sources.add(b"x" * 10, "bob")
    ada = [sources.add(b"x" * 40, "ada") for _ in range(2)]

    newcomer = sources.add(b"x" * 30, "eve")

    assert [is_there(sources, name) for name in (bob, *ada, newcomer)] == [True, False, True, True]
    assert sources.size_bytes <= 100


@pytest.mark.gen_test
async def test_a_source_that_nobody_uses_is_forgotten() -> None:
    now = [0.0]
    sources = PreviewSources(clock=lambda: now[0])
    used, unused = sources.add(b"x", "ada"), sources.add(b"x", "bob")
    now[0] = LIFETIME_S - 1
    sources.get(used)
    now[0] = LIFETIME_S + 1

    sources.drop_unused()

    assert [is_there(sources, name) for name in (used, unused)] == [True, False]


@pytest.mark.requirement(66)
@pytest.mark.gen_test
async def test_sources_that_are_used_often_need_no_more_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may use one as often as they like, also where the preview is refused."""
    now, timers = [0.0], list[Callable[[], None]]()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda _, timer: timers.append(timer) or timer)
    sources = PreviewSources(clock=lambda: now[0])

    names = [sources.add(b"x", str(number)) for number in range(20)]
    for name in names * 5:
        sources.get(name)
    now[0] = LIFETIME_S + 1
    for timer in timers:
        timer()

    assert len(timers) == 1
    assert sources.size_bytes == 0


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_geometry_stays_for_the_sources_that_were_used_last() -> None:
    now, recipe = [0.0], mosaic.parse("hexagon")
    sources = PreviewSources(clock=lambda: now[0])
    names = [sources.add(b"tiny", f"192.0.2.{number}") for number in range(GEOMETRY_LIMIT + 2)]
    for name in names:
        now[0] += 1
        sources.get(name).geometry_for(recipe)["cells"] = name

    used = [sources.get(name) for name in names[-GEOMETRY_LIMIT:]]
    assert [source.geometry_for(recipe) for source in used] == [{"cells": name} for name in names[-GEOMETRY_LIMIT:]]
    assert [sources.get(name).geometry_for(recipe) for name in names[:2]] == [{}, {}]


def is_there(sources: PreviewSources, name: str) -> bool:
    try:
        sources.get(name)
    except errors.NotFound:
        return False
    return True
