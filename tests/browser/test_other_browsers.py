"""What WebKit does otherwise, imitated in Chromium: canvases that stay empty, formats it cannot write, pinches."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from unittest.mock import ANY

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, image_file, until
from tests.support.pictures import png

CANVAS_PX = 1_500_000
"""More than previews need, as in Safari; its 16.7 million are more than the server under test reads."""
SMALL_CANVASES = f"""() => {{
    const getContext = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (...chosen) {{
        const context = getContext.apply(this, chosen);
        if (this.width * this.height > {CANVAS_PX}) context.fillRect = context.drawImage = () => {{}};
        return context;
    }};
}}"""
PNG_ONLY = """() => {
    const toBlob = HTMLCanvasElement.prototype.toBlob;
    HTMLCanvasElement.prototype.toBlob = function (receive, type, quality) {
        toBlob.call(this, receive, type === "image/webp" ? "image/png" : type, quality);
    };
}"""
PINCH = """(frame) => {
    const box = frame.getBoundingClientRect();
    const send = (type, scale) => {
        const place = { scale, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
        const event = Object.assign(new Event(type, { bubbles: true, cancelable: true }), place);
        return frame.dispatchEvent(event);
    };
    return [send("gesturestart", 1), send("gesturechange", 1.5), send("gesturechange", 2.5), send("gestureend", 2.5)];
}"""
RED = """(image) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    canvas.getContext("2d").drawImage(image, 0, 0, 1, 1);
    return [...canvas.getContext("2d").getImageData(0, 0, 1, 1).data];
}"""


def flat(colour: str, size: tuple[int, int], format: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, format)
    return file.getvalue()


def test_what_is_larger_than_a_canvas_is_made_smaller_and_never_empty(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    """A format that the server does not read is converted by the browser; a result is converted only if it can be."""
    user.page.add_init_script(f"({SMALL_CANVASES})()")
    user.go("/")
    user.open_files(image_file(flat("red", (2000, 1500), "BMP"), "red.bmp", "image/bmp"))
    sides = re.compile(r"([\d,]+) × ([\d,]+)")
    expect(user.part("stage-name")).to_have_text(sides)
    size = sides.search(user.part("stage-name").inner_text())
    assert size is not None
    width, height = (int(side.replace(",", "")) for side in size.groups())
    assert 0.4 * CANVAS_PX < width * height <= CANVAS_PX
    red = [pytest.approx(255, abs=15), pytest.approx(0, abs=15), ANY, 255]
    until(user.page, lambda: user.part("before").evaluate(RED), red)

    user.open_files(image_file(flat("white", (1600, 1200), "PNG"), "large.png"))
    user.part("filmstrip").get_by_role("button", name="large.png", exact=True).click()
    user.select_style("mosaic")
    user.sign_up(unique_name("wek"))
    user.make()
    user.wait_for_job("done")
    user.part("job-card").get_by_role("button", name="Download as JPEG").click()
    expect(user.toast("too large for this browser to convert it to JPEG")).to_be_visible()
    with user.page.expect_download() as download:
        user.part("job-card").get_by_role("button", name="Download as PNG").click()
    assert Image.open(io.BytesIO(download.value.path().read_bytes())).size == (1600, 1200)


def test_a_format_that_the_browser_cannot_write_is_not_saved_as_another(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.page.add_init_script(f"({PNG_ONLY})()")
    user.go("/")
    user.open_files(image_file(png(64, 48), "small.png"))
    user.sign_up(unique_name("wes"))
    user.make()
    user.wait_for_job("done")

    user.part("job-card").get_by_role("button", name="Download as WEBP").click()
    expect(user.toast("This browser cannot write WEBP.")).to_be_visible()
    with user.page.expect_download() as download:
        user.part("job-card").get_by_role("button", name="Download as JPEG").click()

    assert Image.open(io.BytesIO(download.value.path().read_bytes())).format == "JPEG"


def test_a_pinch_on_the_trackpad_of_safari_zooms_the_picture_and_not_the_page(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48)))
    expect(user.part("scale")).to_have_text("100%")

    passed_on = user.part("compare").evaluate(PINCH)

    expect(user.part("scale")).to_have_text("250%")
    assert passed_on == [False, False, False, True]
