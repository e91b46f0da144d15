"""Zoomed in, the studio shows the pixels that the result has there."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Route

from processing import mosaic
from tests.browser.user import BrowserUser, fingers, image_file, until
from tests.processing.mosaic.pictures import encoded, scene

PHOTO = encoded(scene(1800, 1350), "JPEG", quality=92)
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844}, "device_scale_factor": 3, "has_touch": True, "is_mobile": True,
}  # fmt: skip
LAID = """() => {
    const region = document.querySelector('[data-part="region"]');
    if (!region || region.hidden || !region.complete) return null;
    const [box, frame] = [region, region.closest('[data-part="compare"]')].map((each) => each.getBoundingClientRect());
    return {
        box: [box.left, box.top, box.right, box.bottom], frame: [frame.left, frame.top, frame.right, frame.bottom],
        pixels: [region.naturalWidth, region.naturalHeight], src: region.src,
    };
}"""
REGIONS = "/api/preview/"


@pytest.fixture
def sent(new_user: Callable[..., BrowserUser]) -> Callable[..., tuple[BrowserUser, list[str], list[dict[str, Any]]]]:
    """Opens a photo in a style; the requests of regions, and what they answered."""

    def open_photo(style: str, **chosen: Any) -> tuple[BrowserUser, list[str], list[dict[str, Any]]]:
        user, requests, regions = new_user(**chosen), list[str](), list[dict[str, Any]]()

        def watch(route: Route) -> None:
            body = route.request.post_data_buffer or b""
            if b'name="source"' in body:
                requests.append(body.decode("latin-1"))
            route.continue_()

        user.page.route(f"**{REGIONS}", watch)
        user.page.on("response", lambda response: regions.append(dict(response.headers)) if "x-preview-region" in
                     response.headers else None)  # fmt: skip
        user.go()
        user.open_files(image_file(PHOTO, "photo.jpg", "image/jpeg"))
        user.select_style(style)
        return user, requests, regions

    return open_photo


def screenshot(user: BrowserUser) -> np.ndarray:
    image = Image.open(io.BytesIO(user.page.screenshot(scale="device")))
    return np.asarray(image.convert("RGB")).astype(int)


def zoom_to_pixels(user: BrowserUser) -> dict[str, Any]:
    """One screen pixel for each pixel of the result, before the handle is moved to the left."""
    user.page.evaluate("document.querySelector('.workspace [data-zoom=actual]').click()")
    until(user.page, lambda: user.page.evaluate(LAID) is not None)
    user.page.locator('[data-part="workspace"] .compare__handle').press("Home")
    laid: dict[str, Any] = user.page.evaluate(LAID)
    return laid


@pytest.mark.parametrize(
    ("style", "device"),
    [("hexagon", DESKTOP), ("tesserae", DESKTOP), ("hexagon", PHONE)],
    ids=["hexagon-desktop", "tesserae-desktop", "hexagon-phone"],
)
def test_zoomed_to_its_pixels_the_preview_equals_the_result(sent: Any, style: str, device: dict[str, Any]) -> None:
    user, requests, regions = sent(style, **device)
    user.wait_for_preview()

    laid = zoom_to_pixels(user)

    left, top, right, bottom = json.loads(regions[-1]["x-preview-region"])["box"]
    result = mosaic.render(PHOTO, mosaic.parse({"style": style, "format": "png"}))
    expected = np.asarray(Image.open(io.BytesIO(result.data)).convert("RGB")).astype(int)[top:bottom, left:right]
    scale = device.get("device_scale_factor", 1)
    x, y, frame = round(laid["box"][0] * scale), round(laid["box"][1] * scale), [e * scale for e in laid["frame"]]
    across = slice(round(frame[0] + frame[2]) // 2 - 90, round(frame[0] + frame[2]) // 2 + 90)
    down = slice(round(frame[1] + frame[3]) // 2 - 90, round(frame[1] + frame[3]) // 2 + 90)
    seen = screenshot(user)[down, across]
    there = expected[down.start - y : down.stop - y, across.start - x : across.stop - x]
    assert laid["pixels"] == [right - left, bottom - top]
    assert seen.shape == there.shape
    assert np.array_equal(seen, there), f"mean difference {np.abs(seen - there).mean():.2f}"
    assert len(requests) >= 1


def test_a_result_of_a_chosen_size_is_prepared_once_before_anyone_zooms(sent: Any) -> None:
    user, requests, regions = sent("hexagon", **DESKTOP)
    user.wait_for_preview()

    user.page.get_by_label("Size", exact=True).select_option("A4-150")
    until(user.page, lambda: len(regions), 1)
    before = len(requests)
    zoom_to_pixels(user)

    assert before == 1
    left, top, right, bottom = json.loads(regions[0]["x-preview-region"])["box"]
    assert (right - left, bottom - top) == (1, 1)
    assert len(requests) == 2


def test_an_old_part_moves_along_while_one_pans_and_goes_with_a_new_setting(sent: Any) -> None:
    user, requests, _ = sent("hexagon", **DESKTOP)
    user.wait_for_preview()
    before = zoom_to_pixels(user)
    count = len(requests)

    middle = [sum(before["frame"][::2]) / 2, sum(before["frame"][1::2]) / 2]
    user.page.mouse.move(*middle)
    user.page.mouse.down()
    user.page.mouse.move(middle[0] - 120, middle[1] - 80)
    moved = np.array(before["box"]) - [120, 80, 120, 80]
    until(user.page, lambda: np.allclose(user.page.evaluate(LAID)["box"], moved, atol=1))
    assert user.page.evaluate(LAID)["src"] == before["src"]
    user.page.mouse.up()

    until(user.page, lambda: user.page.evaluate(LAID)["src"] != before["src"])
    after = user.page.evaluate(LAID)
    assert after["box"][2] >= after["frame"][2] - 1
    assert len(requests) == count + 1

    user.select_style("triangle")
    until(user.page, lambda: (user.page.evaluate(LAID) or after)["src"] != after["src"])
    assert '"triangle"' in requests[-1]


def test_a_refused_part_leaves_the_stretched_preview_without_a_word(sent: Any) -> None:
    user, _, _ = sent("hexagon", **DESKTOP)
    user.wait_for_preview()
    user.expect_console("429|422|503")
    answers = {"hexagon": 429, "triangle": 422, "diamond": 503}
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(style)
        route.fulfill(status=answers[style], json={"code": -1, "error": "too_many_requests", "message": "no"})

    user.page.route("**/api/preview/source/", refuse)
    for style in answers:
        user.select_style(style)
        user.wait_for_preview()
        user.page.evaluate("document.querySelector('.workspace [data-zoom=actual]').click()")
        until(user.page, lambda style=style: style in refused)
        user.page.locator('[data-part="workspace"] .compare__handle').press("Home")

        assert user.page.evaluate(LAID) is None
        assert user.page.locator(".toast").count() == 0
        user.page.evaluate("document.querySelector('.workspace [data-zoom=fit]').click()")


def test_a_part_without_its_place_leaves_the_stretched_preview(sent: Any) -> None:
    user, _, _ = sent("hexagon", **DESKTOP)
    user.wait_for_preview()
    answered: list[str] = []

    def drop_header(route: Route) -> None:
        if b'name="source"' not in (route.request.post_data_buffer or b""):
            return route.fallback()
        answered.append(route.request.url)
        return route.fulfill(status=200, content_type="image/png", body=encoded(scene(64, 64), "PNG"))

    user.page.route(f"**{REGIONS}", drop_header)
    user.page.evaluate("document.querySelector('.workspace [data-zoom=actual]').click()")
    until(user.page, lambda: len(answered) > 0)
    frame = user.page.locator('[data-part="workspace"] [data-part="compare"]').bounding_box()
    assert frame is not None
    user.page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    for turn in (-120, 120, -120, 120):  # the first answer may be that of a preparation
        answers = len(answered)
        user.page.mouse.wheel(0, turn)
        until(user.page, lambda answers=answers: len(answered) > answers)

    assert user.page.evaluate(LAID) is None


def test_a_source_that_the_server_has_forgotten_is_sent_again(sent: Any) -> None:
    user, _, _ = sent("hexagon", **DESKTOP)
    user.wait_for_preview()
    user.expect_console("404")
    forgotten: list[str] = []

    def forget(route: Route) -> None:
        if b'name="source"' in (route.request.post_data_buffer or b"") and not forgotten:
            forgotten.append(route.request.url)
            route.fulfill(status=404, json={"code": -1, "error": "not_found", "message": "no"})
        else:
            route.fallback()

    before = zoom_to_pixels(user)
    user.page.route(f"**{REGIONS}", forget)
    user.page.mouse.move(sum(before["frame"][::2]) / 2, sum(before["frame"][1::2]) / 2)
    user.page.mouse.wheel(0, -120)

    until(user.page, lambda: user.page.evaluate(LAID)["src"] != before["src"])
    assert len(forgotten) == 1


def test_redacted_parts_are_hidden_in_the_pixels_too(sent: Any) -> None:
    user, requests, _ = sent("redact", **DESKTOP)
    sheet = user.page.locator('[data-part="regions-sheet"]').bounding_box()
    assert sheet
    user.page.mouse.move(sheet["x"] + sheet["width"] * 0.4, sheet["y"] + sheet["height"] * 0.4)
    user.page.mouse.down()
    user.page.mouse.move(sheet["x"] + sheet["width"] * 0.6, sheet["y"] + sheet["height"] * 0.6, steps=4)
    user.page.mouse.up()
    user.wait_for_preview()

    user.page.evaluate("document.querySelector('.workspace [data-zoom=actual]').click()")
    until(user.page, lambda: user.page.evaluate(LAID) is not None)

    assert '"regions":[[' in requests[-1]


def test_two_fingers_on_a_phone_bring_the_pixels(sent: Any) -> None:
    user, requests, _ = sent("hexagon", **PHONE)
    user.page.locator('[data-part="workspace"] [data-part="after"]').evaluate("(image) => image.decode()")
    until(
        user.page,
        lambda: "blob:" in user.page.locator('[data-part="workspace"] [data-part="after"]').get_attribute("src"),
    )
    box = user.page.locator('[data-part="workspace"] [data-part="compare"]').bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    touch = fingers(user)

    touch("touchStart", (x - 20, y), (x + 20, y))
    for spread in (40, 70, 100, 130):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")

    until(user.page, lambda: user.page.evaluate(LAID) is not None)
    assert len(requests) >= 1


def test_the_file_is_sent_once_although_one_moves_on_meanwhile(sent: Any) -> None:
    user, requests, _ = sent("hexagon", **DESKTOP)
    user.wait_for_preview()
    waiting: list[Route] = []
    user.page.route("**/api/preview/source/", lambda route: waiting.append(route))
    user.page.evaluate("document.querySelector('.workspace [data-zoom=actual]').click()")
    until(user.page, lambda: len(waiting), 1)

    user.page.evaluate("document.querySelector('.workspace [data-zoom=out]').click()")
    user.page.evaluate("document.querySelector('.workspace [data-zoom=actual]').click()")
    waiting[0].continue_()
    until(user.page, lambda: user.page.evaluate(LAID) is not None)

    assert len(waiting) == 1
    assert '"hexagon"' in requests[-1]
