"""The studio: ways in, previews that follow, before and after, zoom, downloads."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.user import Visitor, picture
from tests.support.pictures import jpeg, png

DROP = """async ([bytes, type]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
    const target = document.body;
    for (const name of type === "paste" ? [] : ["dragenter", "dragover", "drop"]) {
        target.dispatchEvent(new DragEvent(name, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
    if (type === "paste") {
        const given = { clipboardData: transfer, bubbles: true, cancelable: true };
        document.dispatchEvent(new ClipboardEvent("paste", given));
    }
}"""


HOLD_ONE_PREVIEW = """() => {
    const real = window.fetch;
    window.fetch = (url, options) => {
        if (!url.includes("/api/preview/")) return real(url, options);
        window.fetch = real;
        const answer = real(url, { ...options, signal: undefined });
        return new Promise(resolve => {
            window.answerLate = async () => { resolve(await answer); await new Promise(done => setTimeout(done)); };
        });
    };
}"""


def preview_shown(page: Page) -> str:
    """The address of the drawn preview, once there is one."""
    page.wait_for_function(
        """() => document.querySelector('[data-part="stage-note"]').textContent.startsWith("Preview")"""
    )
    return str(page.locator('[data-part="bench"] [data-part="after"]').get_attribute("src"))


def set_cell(visitor: Visitor, pixels: int) -> None:
    cell = visitor.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill(str(pixels))
    cell.press("Enter")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_comes_in_by(way: str, visitor: Visitor) -> None:
    visitor.go("/")

    visitor.page.evaluate(DROP, [list(png(64, 48)), way])

    expect(visitor.part("stage-name")).to_have_text("dropped.png · 64 × 48 px")


def test_a_picture_dropped_on_another_page_opens_in_the_studio(visitor: Visitor) -> None:
    visitor.go("/gallery")

    visitor.page.evaluate(DROP, [list(png(64, 48)), "drop"])

    expect(visitor.part("stage-name")).to_have_text("dropped.png · 64 × 48 px")
    assert visitor.page.url.endswith("/")


def test_where_a_picture_may_be_let_go_is_shown_while_it_is_dragged(visitor: Visitor) -> None:
    visitor.go("/")
    dragged = """type => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["x"], "x.png"));
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }"""

    visitor.page.evaluate(dragged, "dragenter")
    expect(visitor.page.get_by_text("Let go: it opens here")).to_be_visible()
    visitor.page.evaluate(dragged, "dragleave")

    expect(visitor.page.get_by_text("Let go: it opens here")).to_be_hidden()


def test_a_phone_takes_a_photo_with_its_camera(visitor_of: Callable[..., Visitor]) -> None:
    phone = visitor_of(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.go("/")

    with phone.page.expect_file_chooser() as chooser:
        phone.page.get_by_role("button", name="Take a photo").tap()
    asked = chooser.value.element.evaluate("input => [input.accept, input.getAttribute('capture')]")
    chooser.value.set_files(picture(jpeg(320, 240), "camera.jpg", "image/jpeg"))

    assert asked == ["image/*", "environment"]
    expect(phone.part("stage-name")).to_contain_text("camera.jpg")


def test_a_desk_is_not_offered_a_camera(visitor: Visitor) -> None:
    visitor.go("/")

    expect(visitor.page.get_by_role("button", name="Choose a picture")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Take a photo")).to_be_hidden()


def test_a_sample_picture_needs_no_account_and_no_file(visitor: Visitor) -> None:
    visitor.go("/")

    visitor.page.get_by_role("button", name="Koi pond").click()

    expect(visitor.part("stage-name")).to_contain_text("Koi pond.jpg")
    preview_shown(visitor.page)


def test_every_style_shows_a_preview_of_the_visitors_own_picture(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480)))

    expect(visitor.page.locator(".style__image--waiting")).to_have_count(0)
    drawn = visitor.page.locator(".style__image").evaluate_all("images => images.map(image => image.src)")

    assert len(drawn) == len(set(drawn)) == visitor.page.locator(".style").count()


def test_the_preview_follows_the_slider(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480)))
    first = preview_shown(visitor.page)

    visitor.page.locator('[data-parameter="cell"] input[type="range"]').press("ArrowRight")

    after = visitor.page.locator('[data-part="bench"] [data-part="after"]')
    expect(after).not_to_have_attribute("src", first)


def test_a_late_answer_is_dropped(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480)))
    first = preview_shown(visitor.page)
    visitor.page.evaluate(HOLD_ONE_PREVIEW)
    set_cell(visitor, 50)
    visitor.page.wait_for_function("() => window.answerLate")
    shown = visitor.page.locator('[data-part="bench"] [data-part="after"]')

    set_cell(visitor, 160)
    expect(shown).not_to_have_attribute("src", first)
    newest = shown.get_attribute("src")
    visitor.page.evaluate("window.answerLate()")

    assert shown.get_attribute("src") == newest


def test_the_handle_between_before_and_after_moves_by_key_and_by_mouse(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480)))
    handle = visitor.part("bench").get_by_role("slider", name="Before and after")
    handle.focus()

    handle.press("Home")
    expect(handle).to_have_attribute("aria-valuenow", "0")
    handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "2")
    frame = visitor.part("compare").bounding_box()
    assert frame is not None
    grip = handle.bounding_box()
    assert grip is not None
    visitor.page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    visitor.page.mouse.down()
    visitor.page.mouse.move(frame["x"] + frame["width"] * 0.75, frame["y"] + 40, steps=3)
    visitor.page.mouse.up()

    expect(handle).to_have_attribute("aria-valuenow", "75")


def test_zoom_by_button_wheel_and_key_and_back_to_fit(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480)))
    scale = visitor.part("scale")

    visitor.page.get_by_role("button", name="Zoom in").click()
    expect(scale).to_have_text("150%")
    visitor.part("compare").hover(position={"x": 60, "y": 60})
    visitor.page.mouse.wheel(0, -400)
    expect(scale).not_to_have_text("150%")
    visitor.page.keyboard.press("0")

    expect(scale).to_have_text("100%")


def fingers(visitor: Visitor) -> Callable[..., None]:
    """Touches the screen: `touch("touchStart", (x, y), ...)`. One session, as it remembers which fingers are down."""
    session = visitor.page.context.new_cdp_session(visitor.page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return touch


def test_two_fingers_zoom_and_one_moves_the_picture(visitor_of: Callable[..., Visitor]) -> None:
    tablet = visitor_of(viewport={"width": 820, "height": 1180}, has_touch=True)
    tablet.go("/")
    tablet.choose(picture(png(640, 480)))
    frame = tablet.part("compare").bounding_box()
    assert frame is not None
    x, y = frame["x"] + frame["width"] * 0.7, frame["y"] + frame["height"] / 2
    placed = "image => new DOMMatrix(getComputedStyle(image).transform).e"
    drawn = tablet.page.locator('[data-part="bench"] [data-part="before"]')
    touch = fingers(tablet)

    touch("touchStart", (x - 40, y), (x + 40, y))
    for spread in (60, 80, 100):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    expect(tablet.part("scale")).to_have_text("250%")
    before = drawn.evaluate(placed)
    touch("touchStart", (x, y))
    touch("touchMove", (x + 50, y))
    touch("touchEnd")

    assert drawn.evaluate(placed) == pytest.approx(before + 50, abs=1)


def test_a_finger_moves_the_handle_between_before_and_after(visitor_of: Callable[..., Visitor]) -> None:
    phone = visitor_of(viewport={"width": 390, "height": 844}, has_touch=True)
    phone.go("/")
    phone.choose(picture(png(640, 480)))
    handle = phone.part("bench").get_by_role("slider", name="Before and after")
    frame, grip = phone.part("compare").bounding_box(), handle.bounding_box()
    assert frame is not None
    assert grip is not None
    start = (grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    touch = fingers(phone)

    touch("touchStart", start)
    touch("touchMove", (frame["x"] + frame["width"] * 0.8, start[1]))
    touch("touchEnd")

    expect(handle).to_have_attribute("aria-valuenow", "80")


def test_the_dice_roll_another_seed_and_reset_brings_the_default_back(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480)))
    seed = visitor.page.locator('[data-parameter="seed"] input')

    visitor.page.get_by_role("button", name="Roll the dice").click()
    expect(seed).not_to_have_value("0")
    visitor.page.get_by_role("button", name="Reset: Seed").click()

    expect(seed).to_have_value("0")


def test_palettes_are_swatches(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480)))
    first = preview_shown(visitor.page)

    visitor.page.locator(".swatch", has=visitor.page.locator(".swatch__strip i")).first.click()

    expect(visitor.page.locator('[data-part="bench"] [data-part="after"]')).not_to_have_attribute("src", first)


def test_what_is_no_picture_is_told_with_the_remedy(visitor: Visitor) -> None:
    visitor.go("/")

    visitor.hand_over(picture(b"not a picture", "letter.png"))

    expect(visitor.toast("letter.png cannot be read as a picture. JPEG, PNG and WebP always work.")).to_be_visible()


def test_a_picture_that_is_too_large_can_be_scaled_down_at_once(visitor: Visitor) -> None:
    visitor.go("/")
    huge = io.BytesIO()
    Image.new("RGB", (3000, 3000), "navy").save(huge, "PNG")

    visitor.hand_over(picture(huge.getvalue(), "poster.png"))
    visitor.toast("poster.png has 9 megapixels; the limit is 8").get_by_role("button", name="Scale it down").click()

    expect(visitor.part("stage-name")).to_contain_text("poster.png", timeout=20_000)


def test_a_reload_brings_picture_and_recipe_back(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480), "kept.png"))
    set_cell(visitor, 33)
    preview_shown(visitor.page)

    visitor.go("/")

    expect(visitor.part("stage-name")).to_contain_text("kept.png")
    expect(visitor.page.locator('[data-parameter="cell"] input[type="number"]')).to_have_value("33")


def test_the_result_is_downloaded_in_every_format(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.go("/")
    visitor.choose(picture(jpeg(640, 480), "beach.jpg", "image/jpeg"))
    visitor.make()
    visitor.sign_up(unique_name("dan"))
    visitor.wait_for_work("done")
    got = {}

    for form in ("PNG", "JPEG", "WEBP", "SVG"):
        with visitor.page.expect_download() as download:
            visitor.part("work").get_by_role("button", name=f"Download as {form}").click()
        got[form] = (download.value.suggested_filename, download.value.path().read_bytes())

    assert [name for name, _ in got.values()] == [f"beach-mosaic.{end}" for end in ("png", "jpg", "webp", "svg")]
    assert got["SVG"][1].lstrip().startswith(b"<")
    for form in ("PNG", "JPEG", "WEBP"):
        with Image.open(io.BytesIO(got[form][1])) as image:
            assert (image.format, image.size) == (form, (640, 480))


def test_a_part_is_hidden_by_dragging_over_it(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480)))
    visitor.pick("redact")
    expect(visitor.part("make")).to_be_disabled()
    sheet = visitor.part("regions-sheet").bounding_box()
    assert sheet is not None

    visitor.page.mouse.move(sheet["x"] + sheet["width"] * 0.5, sheet["y"] + sheet["height"] * 0.25)
    visitor.page.mouse.down()
    visitor.page.mouse.move(sheet["x"] + sheet["width"] * 0.75, sheet["y"] + sheet["height"] * 0.5, steps=3)
    visitor.page.mouse.up()

    expect(visitor.page.locator(".region")).to_have_count(1)
    expect(visitor.part("make")).to_be_enabled()
    preview_shown(visitor.page)


def test_a_part_is_hidden_by_keys_alone(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480)))
    visitor.pick("redact")

    visitor.page.get_by_role("button", name="Cover a part").press("Enter")
    region = visitor.page.locator(".region")
    before = region.bounding_box()
    region.press("ArrowRight")
    region.press("Shift+ArrowDown")
    after = region.bounding_box()

    assert before is not None
    assert after is not None
    assert after["x"] > before["x"]
    assert after["height"] > before["height"]
    region.press("Delete")
    expect(region).to_have_count(0)
