"""Previews by the real engine: open to all, refused at once when too many wait, cancelled with their connection."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from PIL import Image
from tornado.httpclient import AsyncHTTPClient

from handlers.services import Services
from models import errors
from models.images.visibility import SERVER
from processing import mosaic
from processing.executors import Executors
from processing.images import previews
from processing.images.preview_slots import CLIENT_LIMIT, THREADS, PreviewSlots
from processing.images.previews import PreviewRequest, Previews
from processing.rendering import Cancelled
from tests.processing.mosaic.samples import sample
from tests.support.client import ApiClient, ApiResponse, multipart
from tests.support.pictures import encoded, jpeg, png
from tests.support.waiting import LIMIT_S, until

MOSAIC = mosaic.parse("mosaic")


async def preview(
    api: ApiClient, picture: bytes | None, param: str | dict[str, Any] = "mosaic", **fields: str
) -> ApiResponse:
    form = {"param": param if isinstance(param, str) else json.dumps(param), **fields}
    return await api.post_form("/api/preview/", form, "preview.jpg", b"" if picture is None else picture)


@pytest.mark.gen_test
async def test_a_preview_is_what_the_engine_renders(api: ApiClient) -> None:
    picture, recipe = jpeg(320, 240), {"style": "mosaic", "cell": 10, "format": "png"}

    answer = await preview(api, picture, recipe)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body == mosaic.render(picture, mosaic.parse(recipe)).data


@pytest.mark.gen_test
async def test_a_recipe_for_the_full_picture_is_scaled_to_the_small_one(api: ApiClient) -> None:
    picture = png(300, 200)

    answer = await preview(api, picture, {"cell": 100}, scale="0.1")

    assert answer.body == mosaic.render(picture, mosaic.parse({"cell": 10})).data


def test_only_what_counts_pixels_is_scaled_and_stays_in_its_range() -> None:
    recipe = mosaic.parse({"cell": 100, "size": 4000, "quality": 80, "seed": 9})

    small = recipe.scaled(0.05, (50, 40)).to_dict()

    assert (small["cell"], small["size"]) == (2, 50)
    assert {**small, "cell": 100, "size": 4000} == recipe.to_dict()


@pytest.mark.parametrize("name", sorted(mosaic.STYLES))
def test_every_style_can_be_scaled(name: str) -> None:
    recipe = mosaic.parse(sample(name))

    assert recipe.scaled(0.25, (100, 80)).style == name
    assert recipe.scaled(1.0, (8000, 6000)) == recipe


REFUSED: dict[str, tuple[bytes | None, str, str, int, str, str | None]] = {
    "no file": (None, "mosaic", "1", 400, "bad_parameter", "file"),
    "unknown style": (png(), "no such style", "1", 400, "bad_parameter", "style"),
    "cell out of range": (png(), '{"cell": 1}', "1", 400, "bad_parameter", "cell"),
    "scale 0": (png(), "mosaic", "0", 400, "bad_parameter", "scale"),
    "scale above 1": (png(), "mosaic", "1.5", 400, "bad_parameter", "scale"),
    "scale that is no number": (png(), "mosaic", "nan", 400, "bad_parameter", "scale"),
    "no picture": (b"not a picture", "mosaic", "1", 422, "not_a_picture", None),
    "too many pixels": (encoded(Image.new("RGB", (2000, 1001)), "PNG"), "mosaic", "1", 422, "too_many_pixels", None),
    "too many bytes": (b"x" * 2_000_001, "mosaic", "1", 413, "too_large", None),
}


@pytest.mark.gen_test
async def test_an_error_is_json_and_names_the_field(api: ApiClient) -> None:
    answers = {
        name: await preview(api, picture, param, scale=scale) for name, (picture, param, scale, *_) in REFUSED.items()
    }

    message = {name: (answer.status, answer["error"], answer.json.get("field")) for name, answer in answers.items()}
    assert message == {name: case[3:] for name, case in REFUSED.items()}
    assert all(answer["code"] == -1 and answer["message"] for answer in answers.values())


@pytest.mark.gen_test
async def test_an_svg_preview_is_sandboxed(api: ApiClient) -> None:
    answer = await preview(api, png(), {"format": "svg"})

    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def unlimited() -> PreviewSlots:
    return PreviewSlots(THREADS, per_client=THREADS, waiting_limit=100, client_limit=100)


@asynccontextmanager
async def blocked(threads: Executors) -> AsyncIterator[threading.Event]:
    """Every preview thread is busy until this is set."""
    gate = threading.Event()
    busy = [asyncio.create_task(threads.preview(gate.wait, LIMIT_S)) for _ in range(THREADS)]
    await asyncio.sleep(0)
    try:
        yield gate
    finally:
        gate.set()
        await asyncio.gather(*busy)


@pytest.fixture
def threads(io_loop: Any) -> Iterator[Executors]:
    executors = Executors(THREADS)
    yield executors
    io_loop.run_sync(executors.close)


class Watched(threading.Event):
    """What a preview asks before it begins, and while it is drawn."""

    polled = 0

    def is_set(self) -> bool:
        self.polled += 1
        return super().is_set()


@pytest.mark.gen_test
async def test_too_many_waiting_previews_are_refused_with_retry_after(api: ApiClient, services: Services) -> None:
    with contextlib.closing(AsyncHTTPClient(force_instance=True, max_clients=CLIENT_LIMIT + 1)) as client:
        page = ApiClient(client, api.base_url)
        async with blocked(services.executors) as gate:
            waiting = [asyncio.create_task(preview(page, png())) for _ in range(CLIENT_LIMIT + 1)]
            refused = await next(iter(asyncio.as_completed(waiting, timeout=LIMIT_S)))
            gate.set()
            answers = await asyncio.gather(*waiting)

    assert (refused.status, refused["error"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert sorted(answer.status for answer in answers) == [200] * CLIENT_LIMIT + [429]


@pytest.mark.gen_test
async def test_waiting_previews_are_limited_for_all_clients_together(threads: Executors) -> None:
    previews = Previews(
        threads,
        PreviewSlots(2, per_client=2, waiting_limit=3, client_limit=2),
        max_megapixels=50,
        max_result_megapixels=150,
    )
    left = threading.Event()

    async with blocked(threads):
        waiting = [asyncio.create_task(previews.render(png(), PreviewRequest(MOSAIC, who, left))) for who in "aaabbc"]
        await until(lambda: ended(waiting, 3))
    results = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(result) for result in results] == [*[mosaic.Result] * 2, errors.TooManyRequests, mosaic.Result] + [
        errors.TooManyRequests
    ] * 2
    assert previews.waiting == 0


@pytest.mark.gen_test
async def test_a_closed_connection_frees_its_place_at_once(api: ApiClient, services: Services) -> None:
    body, content_type = multipart({"param": "mosaic"}, "preview.jpg", png())
    host, port = api.base_url.removeprefix("http://").split(":")
    head = f"POST /api/preview/ HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n"

    async with blocked(services.executors):
        _, page = await asyncio.open_connection(host, int(port))
        page.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await until(lambda: waits(services.previews, 1))
        page.close()

        await until(lambda: waits(services.previews, 0))


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_a_preview_that_costs_too_much_is_stopped(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "MAX_CPU_S", 0.0)

    answer = await preview(api, jpeg(640, 480))

    assert (answer.status, answer["error"]) == (422, "timed_out")


@pytest.mark.gen_test
async def test_a_cancelled_preview_is_not_started(threads: Executors) -> None:
    previews, left = Previews(threads, unlimited(), max_megapixels=50, max_result_megapixels=150), Watched()

    async with blocked(threads):
        drawing = asyncio.create_task(previews.render(png(), PreviewRequest(MOSAIC, "x", left)))
        await until(lambda: waits(previews, 1))
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)
    await previews.render(png(), PreviewRequest(MOSAIC, "x", threading.Event()))

    assert left.polled == 0


@pytest.mark.gen_test
async def test_a_running_preview_stops_when_it_is_cancelled(threads: Executors) -> None:
    left = threading.Event()
    left.set()

    with pytest.raises(Cancelled):
        await Previews(threads, unlimited(), max_megapixels=50, max_result_megapixels=150).render(
            png(), PreviewRequest(MOSAIC, "x", left)
        )


async def waits(previews: Previews, count: int) -> bool:
    return previews.waiting == count


async def ended(tasks: list[asyncio.Task[mosaic.Result]], count: int) -> bool:
    return sum(task.done() for task in tasks) == count


async def pool_of(person: ApiClient) -> list[int]:
    """Three pictures of one colour each."""
    colours = ("red", "lime", "blue")
    return [(await person.upload(encoded(Image.new("RGB", (90, 60), colour), "PNG")))["id"] for colour in colours]


@pytest.mark.gen_test
async def test_a_preview_of_a_photomosaic_uses_its_own_pictures(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    tiles = await pool_of(ada)

    answers = [
        await preview(ada, png(160, 120), {"style": "photomosaic", "cell": 16, "tint": 0, "tiles": tiles[:count]})
        for count in (3, 3, 1)
    ]

    assert [answer.status for answer in answers] == [200] * 3
    assert answers[0].body == answers[1].body
    with Image.open(io.BytesIO(answers[2].body)) as red:
        strongest = red.convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert strongest[0] > 200 > 60 > max(strongest[1:])


@pytest.mark.gen_test
async def test_pictures_of_others_are_no_tiles_of_a_preview(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    tiles = await pool_of(ada)

    for stranger in (bob, api.new_client()):
        refused = await preview(stranger, png(), {"style": "photomosaic", "tiles": tiles})

        assert (refused.status, refused["error"], refused["field"]) == (400, "bad_parameter", "tiles")


@pytest.mark.gen_test
async def test_a_tile_that_is_gone_is_named(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    tiles = await pool_of(ada)
    gone = await services.images.by_id(tiles[1], SERVER)
    assert gone.key is not None
    await until(lambda: is_stored(services, f"thumbnail/{tiles[1]}/320.webp"))
    for key in (gone.key, f"thumbnail/{tiles[1]}/320.webp"):
        services.bucket.delete(key)

    refused = await preview(ada, png(), {"style": "photomosaic", "cell": 32, "tiles": [tiles[1]]})

    assert (refused["error"], refused["field"]) == ("recipe_impossible", "tiles")
    assert str(tiles[1]) in refused["message"]


async def is_stored(services: Services, key: str) -> bool:
    return key in {one.key for one in services.bucket.list(key)}
