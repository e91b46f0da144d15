"""Ways in: how a picture comes into the studio, and what is said of one that cannot."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, image_file
from tests.support.pictures import jpeg, png

DROP = """async ([bytes, type]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
    const target = document.body;
    for (const name of type === "paste" ? [] : ["dragenter", "dragover", "drop"]) {
        target.dispatchEvent(new DragEvent(name, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
    if (type === "paste") {
        const init = { clipboardData: transfer, bubbles: true, cancelable: true };
        document.dispatchEvent(new ClipboardEvent("paste", init));
    }
}"""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_comes_in_by(way: str, user: BrowserUser) -> None:
    user.go("/")

    user.page.evaluate(DROP, [list(png(64, 48)), way])

    expect(user.part("stage-name")).to_have_text("dropped.png · 64 × 48 px")


def test_a_picture_dropped_on_another_page_opens_in_the_studio(user: BrowserUser) -> None:
    user.go("/gallery")

    user.page.evaluate(DROP, [list(png(64, 48)), "drop"])

    expect(user.part("stage-name")).to_have_text("dropped.png · 64 × 48 px")
    expect(user.page).to_have_url(re.compile("[0-9]/$"))


def test_where_a_picture_may_be_let_go_is_shown_while_it_is_dragged(user: BrowserUser) -> None:
    user.go("/")
    dragged = """type => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["x"], "x.png"));
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }"""

    user.page.evaluate(dragged, "dragenter")
    expect(user.page.get_by_text("Drop the picture to open it")).to_be_visible()
    user.page.evaluate(dragged, "dragleave")

    expect(user.page.get_by_text("Drop the picture to open it")).to_be_hidden()


def test_a_phone_takes_a_photo_with_its_camera(new_user: Callable[..., BrowserUser]) -> None:
    phone = new_user(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.go("/")

    with phone.page.expect_file_chooser() as chooser:
        phone.page.get_by_role("button", name="Take a photo").tap()
    attributes = chooser.value.element.evaluate("input => [input.accept, input.getAttribute('capture')]")
    chooser.value.set_files(image_file(jpeg(320, 240), "camera.jpg", "image/jpeg"))

    assert attributes == ["image/*", "environment"]
    expect(phone.part("stage-name")).to_contain_text("camera.jpg")


def test_a_desktop_is_not_offered_a_camera(user: BrowserUser) -> None:
    user.go("/")

    expect(user.page.get_by_role("button", name="Choose a picture")).to_be_visible()
    expect(user.page.get_by_role("button", name="Take a photo")).to_be_hidden()


def test_what_is_no_picture_is_told_with_the_remedy(user: BrowserUser) -> None:
    user.go("/")

    user.select_files(image_file(b"not a picture", "letter.png"))

    remedy = "Use JPEG, PNG, WebP, GIF, HEIC or AVIF."
    expect(user.toast(f"letter.png cannot be read as a picture. {remedy}")).to_be_visible()


def test_a_picture_that_is_too_large_can_be_scaled_down_at_once(user: BrowserUser) -> None:
    user.go("/")
    huge = io.BytesIO()
    Image.new("RGB", (3000, 3000), "navy").save(huge, "PNG")

    user.select_files(image_file(huge.getvalue(), "poster.png"))
    user.toast("poster.png has 9 megapixels; the limit is 8").get_by_role("button", name="Scale it down").click()

    expect(user.part("stage-name")).to_contain_text("poster.png")
