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
from tests.browser.user import BrowserUser, image_file, until
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


@pytest.mark.parametrize("style", ["hexagon", "tesserae", "dots"])
@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
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
