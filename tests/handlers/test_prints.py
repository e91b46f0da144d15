"""Documents to print from a result: the plan to build it, a page of its true size, and a poster."""

from __future__ import annotations

import asyncio
import io
import random
import threading
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from handlers.services import Services
from models.images.image import ImageKind, NewImage, Owner
from models.images.visibility import SERVER, Visibility
from processing.images import prints
from processing.mosaic import PlanOptions, jpeg_in_pdf
from processing.rendering import Cancelled
from tests.processing.mosaic.pdf.pages import page_pixels, page_sizes_mm, page_texts
from tests.support.client import ApiClient
from tests.support.pictures import encoded, png
from tests.support.waiting import finished, until


async def make_result(person: ApiClient, recipe: dict[str, Any], **options: Any) -> int:
    """The id of the result of a recipe."""
    uploaded = await person.upload(png(120, 90))
    task = await person.add_task(uploaded["url"], recipe, **options)
    image_id: int = (await finished(person, task["id"]))["result_id"]
    return image_id


@pytest.mark.gen_test
async def test_the_plan_of_bricks_is_a_pdf_in_sections(api: ApiClient) -> None:
    person = await api.sign_up()
    image_id = await make_result(person, {"style": "brick", "columns": 24, "size": 240})

    plan = await person.get("/api/image/plan/", id=image_id, section=12, title="Wall (1)", paper="letter")
    chinese = await person.get("/api/image/plan/", id=image_id, language="zh", mirrored=True)
    longest = (await person.get("/api/session/"))["limits"]["max_title_length"]
    lengths = [longest, longest + 1]
    titled = [await person.get("/api/image/plan/", id=image_id, title="W" * length) for length in lengths]

    assert plan.headers["Content-Type"] == "application/pdf"
    cover, *others = page_texts(plan.body)
    assert "Wall (1)" in cover
    assert "24 x 18" in cover
    assert sum(text.startswith("Section ") for text in others) == 4
    assert page_sizes_mm(plan.body)[0] == pytest.approx((215.9, 279.4))
    assert "积木" in page_texts(chinese.body)[0]
    assert "从背面看" in page_texts(chinese.body)[0]
    assert [answer.status for answer in titled] == [200, 400], "an image's title is a plan's title"


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
@pytest.mark.gen_test
async def test_a_result_is_a_page_of_its_true_size_and_a_poster(api: ApiClient, format: str) -> None:
    person = await api.sign_up()
    image_id = await make_result(person, {"style": "hexagon", "size": 600, "dpi": 60, "format": format})

    page = await person.get("/api/image/pdf/", id=image_id)
    poster = await person.get("/api/image/pdf/", id=image_id, dpi=30, poster="a4", overlap=0)

    assert page_sizes_mm(page.body) == [pytest.approx((254.0, 190.5), abs=0.01)]
    assert len(page_sizes_mm(poster.body)) == 6
    assert page.headers["Content-Disposition"] == f'attachment; filename="mosaic-{image_id}.pdf"'


@pytest.mark.parametrize("format", ["jpeg", "svg", "pdf"])
@pytest.mark.gen_test
async def test_cells_are_printed_as_shapes_whatever_the_format_of_the_result(api: ApiClient, format: str) -> None:
    person = await api.sign_up()
    image_id = await make_result(person, {"style": "hexagon", "size": 600, "dpi": 60, "format": format})

    page = await person.get("/api/image/pdf/", id=image_id)
    poster = await person.get("/api/image/pdf/", id=image_id, dpi=30, poster="a4", overlap=0)

    assert jpeg_in_pdf(page.body) is None
    assert jpeg_in_pdf(poster.body) is None
    assert page_sizes_mm(page.body) == [pytest.approx((254.0, 190.5), abs=0.01)]
    assert len(page_sizes_mm(poster.body)) == 6


@pytest.mark.gen_test
async def test_shapes_show_what_the_result_shows(api: ApiClient) -> None:
    person = await api.sign_up()
    recipe = {"style": "triangle", "size": 240, "dpi": 72, "palette": "auto-6", "cell": 24, "grout": 2}
    uploaded = await person.upload(png(120, 90))
    task = await finished(person, (await person.add_task(uploaded["url"], recipe))["id"])

    page = await person.get("/api/image/pdf/", id=task["result_id"])
    result = np.asarray(Image.open(io.BytesIO((await person.get(task["result_url"])).body)).convert("RGB"))

    difference = np.abs(page_pixels(page.body).astype(int) - result)
    assert jpeg_in_pdf(page.body) is None
    assert difference.mean() < 4


@pytest.mark.parametrize("recipe", [
    {"style": "beads", "size": 240},
    {"style": "hexagon", "size": 240, "material": "stone"},
    {"style": "photomosaic", "size": 240},
])  # fmt: skip
@pytest.mark.gen_test
async def test_light_materials_and_photos_are_printed_as_pixels(api: ApiClient, recipe: dict[str, Any]) -> None:
    person = await api.sign_up()
    image_id = await make_result(person, recipe)

    page = await person.get("/api/image/pdf/", id=image_id)

    assert jpeg_in_pdf(page.body) is not None


@pytest.mark.gen_test
async def test_a_result_whose_source_was_deleted_is_printed_as_pixels(api: ApiClient) -> None:
    person = await api.sign_up()
    uploaded = await person.upload(png(120, 90))
    ids = []
    for format in ("jpeg", "svg"):
        recipe = {"style": "hexagon", "size": 600, "format": format}
        task = await person.add_task(uploaded["url"], recipe)
        ids.append((await finished(person, task["id"]))["result_id"])
    await person.post("/api/image/delete/", id=uploaded["id"])

    page, shapes = [await person.get("/api/image/pdf/", id=image_id) for image_id in ids]

    assert jpeg_in_pdf(page.body) is not None
    assert (shapes["error"], shapes["field"]) == ("recipe_impossible", "id")


@pytest.mark.gen_test
async def test_what_cannot_be_printed_is_refused(api: ApiClient) -> None:
    person = await api.sign_up()
    image_id = await make_result(person, {"style": "mosaic", "format": "svg"})

    refusals = [
        await person.get("/api/image/plan/", id=image_id),
        await person.get("/api/image/pdf/", id=image_id, dpi=10, poster="a4", overlap=41),
        await person.get("/api/image/plan/", id=image_id, section=3),
        await person.get("/api/image/pdf/", id=image_id, poster="a3"),
    ]

    assert [(refusal["error"], refusal["field"]) for refusal in refusals] == [
        ("recipe_impossible", "style"),
        ("bad_parameter", "overlap"),
        ("bad_parameter", "section"),
        ("bad_parameter", "poster"),
    ]


@pytest.mark.gen_test
async def test_too_large_a_painting_has_no_plan(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await api.sign_up()
    image_id = await make_result(person, {"style": "numbers", "cell": 30})
    monkeypatch.setattr(prints, "COVER_MEGAPIXELS", 0.01)

    plan = await person.get("/api/image/plan/", id=image_id)

    assert (plan.status, plan["error"]) == (422, "too_many_pixels")


@pytest.mark.gen_test
async def test_a_private_result_is_printed_by_its_owner_alone(api: ApiClient) -> None:
    person, other = await api.new_client().sign_up("ada"), await api.new_client().sign_up("bob")
    image_id = await make_result(person, {"style": "beads", "size": 120}, visibility=str(Visibility.PRIVATE))

    for path in ("/api/image/plan/", "/api/image/pdf/"):
        assert (await person.get(path, id=image_id)).status == 200
        assert (await other.get(path, id=image_id))["error"] == "not_found"


@pytest.mark.requirement(55)
@pytest.mark.gen_test
async def test_documents_that_are_not_read_are_bounded_for_each_address(api: ApiClient) -> None:
    """They are in memory until they have arrived."""
    person = await api.sign_up()
    noise = Image.frombytes("RGB", (2400, 2400), random.Random(1).randbytes(3 * 2400 * 2400))
    image_id = (await person.upload(encoded(noise, "PNG"), "noise.png"))["id"]
    address = urlsplit(person.base_url)
    cookie = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    head = f"GET /api/image/pdf/?id={image_id} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n\r\n"

    writers = []
    for _ in range(prints.OPEN_PER_ADDRESS):
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1024)
        writer.write(head.encode())
        assert b"200" in await reader.readline()
        writers.append(writer)
    refused = await person.get("/api/image/pdf/", id=image_id)
    for writer in writers:
        writer.close()

    async def is_free() -> bool:
        return (await person.get("/api/image/pdf/", id=image_id)).status == 200

    assert (refused.status, refused["error"]) == (429, "too_many_requests")
    await until(is_free)


@pytest.mark.gen_test
async def test_a_document_that_is_read_too_slowly_is_cut_off_and_leaves_its_place(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await api.sign_up()
    noise = Image.frombytes("RGB", (2400, 2400), random.Random(1).randbytes(3 * 2400 * 2400))
    image_id = (await person.upload(encoded(noise, "PNG"), "noise.png"))["id"]
    whole = await person.get("/api/image/pdf/", id=image_id)
    address = urlsplit(person.base_url)
    cookie = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    head = f"GET /api/image/pdf/?id={image_id} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n\r\n"

    with monkeypatch.context() as at_once:
        at_once.setattr("handlers.prints.WRITE_TIMEOUT_S", 0.0)
        at_once.setattr("handlers.prints.MIN_RATE_BYTES_PER_S", float("inf"))
        for _ in range(prints.OPEN_PER_ADDRESS):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(head.encode())
            received = await reader.read(-1)
            writer.close()
            assert b"200 OK" in received[:20]
            assert len(received) < len(whole.body)

    assert (await person.get("/api/image/pdf/", id=image_id)).body == whole.body


@pytest.mark.parametrize("damage", ["is no picture", "is too large"])
@pytest.mark.gen_test
async def test_a_result_whose_source_cannot_be_drawn_any_more_is_printed_as_pixels(
    api: ApiClient, services: Services, damage: str
) -> None:
    person = await api.sign_up()
    uploaded = await person.upload(png(120, 90))
    task = await finished(person, (await person.add_task(uploaded["url"], {"style": "hexagon", "size": 600}))["id"])
    key = services.bucket.key_of(uploaded["url"])
    assert key is not None
    replacement = b"none" if damage == "is no picture" else encoded(Image.new("1", (9000, 9000)), "PNG")
    services.bucket.delete(key)
    services.bucket.put(key, replacement, mime="image/png")

    page = await person.get("/api/image/pdf/", id=task["result_id"])

    assert page.status == 200
    assert jpeg_in_pdf(page.body) is not None


@pytest.mark.gen_test
async def test_a_picture_at_another_host_is_not_printed(api: ApiClient, services: Services) -> None:
    new = NewImage(
        ImageKind.SOURCE, Owner(1, "x"), key=None, url="https://a.cn/x", filename="x", filesize=0, param="",
        visibility=Visibility.LINK,
    )  # fmt: skip
    image = await services.images.add(new)

    refused = await api.get("/api/image/pdf/", id=image.id)

    assert (refused.status, refused["error"]) == (404, "not_found")


@pytest.mark.gen_test
async def test_a_plan_that_nobody_waits_for_any_more_is_not_made(api: ApiClient, services: Services) -> None:
    person = await api.sign_up()
    image = await services.images.by_id(await make_result(person, {"style": "beads", "size": 120}), SERVER)
    disconnected = threading.Event()
    disconnected.set()

    with pytest.raises(Cancelled):
        await services.prints.plan(image, PlanOptions(), title="x", client="203.0.113.9", cancelled=disconnected)


@pytest.mark.gen_test
async def test_a_plan_is_given_up_with_its_connection(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await api.sign_up()
    image_id = await make_result(person, {"style": "beads", "size": 120})
    address = urlsplit(person.base_url)
    cookie = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    head = f"GET /api/image/plan/?id={image_id} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n\r\n"
    begun, plan, ends = asyncio.Event(), services.prints.plan, []

    async def plan_later(*arguments: Any, cancelled: threading.Event, **named: Any) -> bytes:
        begun.set()
        await until(cancelled.is_set)
        try:
            return await plan(*arguments, cancelled=cancelled, **named)
        except Cancelled as error:
            ends.append(error)
            raise

    monkeypatch.setattr(services.prints, "plan", plan_later)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(head.encode())
    await begun.wait()
    writer.close()

    await until(lambda: ends)
