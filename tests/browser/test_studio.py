"""The studio: previews that follow, before and after, zoom, downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, box_of, fingers, image_file, until
from tests.support.pictures import png

HOLD_PREVIEW = """() => {
    const real = window.fetch;
    window.fetch = (url, options) => {
        if (!url.includes("/api/preview/")) return real(url, options);
        if (!options.body.get("param").includes('"cell":50')) return real(url, options);
        window.fetch = real;
        const answer = real(url, { ...options, signal: undefined });
        return new Promise(resolve => {
            window.answerLate = async () => { resolve(await answer); await new Promise(done => setTimeout(done)); };
        });
    };
}"""


MOVES = """window.moves = [];
for (const kind of ["transitionrun", "animationstart"]) {
    addEventListener(kind, ({ target, propertyName, animationName }) => {
        const lasting = target.getAnimations().map(({ effect }) => effect.getComputedTiming().activeDuration);
        window.moves.push([propertyName ?? animationName, Math.max(0, ...lasting)]);
    }, true);
}"""


def set_cell(user: BrowserUser, pixels: int) -> None:
    cell = user.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill(str(pixels))
    cell.press("Enter")


def test_a_sample_picture_needs_no_account_and_its_preview_follows_the_slider(user: BrowserUser) -> None:
    user.go("/")

    user.page.get_by_role("button", name="Koi pond").click()

    expect(user.part("stage-name")).to_contain_text("Koi pond.jpg")
    first = user.wait_for_preview()
    user.page.locator('[data-parameter="cell"] input[type="range"]').press("ArrowRight")
    after = user.page.locator('[data-part="workspace"] [data-part="after"]')
    expect(after).not_to_have_attribute("src", first)


def test_every_style_shows_a_preview_of_the_visitors_own_picture(new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(thumbnails=True)
    user.go("/")
    user.open_files(image_file(png(64, 48)))

    expect(user.page.locator(".style__image--waiting")).to_have_count(0)
    drawn = user.page.locator(".style__image").evaluate_all("images => images.map(image => image.src)")

    assert len(drawn) == len(set(drawn)) == user.page.locator(".style").count()


def test_the_looks_of_a_style_are_drawn_on_the_picture_and_set_its_recipe(
    new_user: Callable[..., BrowserUser],
) -> None:
    user = new_user(thumbnails=True)
    user.go("/")
    user.open_files(image_file(png(64, 48)))
    user.select_style("mosaic")
    looks = user.page.get_by_role("group", name="Looks")
    expect(looks.get_by_role("radio", name="Pixels")).to_be_checked()
    expect(looks.locator(".style__image--waiting")).to_have_count(0)
    sources = looks.locator("img").evaluate_all("images => images.map(image => image.src)")
    assert len(set(sources)) == len(sources) >= 3

    with user.page.expect_response("**/api/preview/"):
        looks.get_by_role("radio", name="Handheld console").check()

    expect(user.page.locator('[data-parameter="palette"] input:checked + * + *')).to_have_text("Handheld")
    expect(looks.get_by_role("radio", name="Handheld console")).to_be_checked()
    user.select_style("hexagon")
    expect(looks.get_by_role("radio", name="Flat colours")).to_be_visible()
    expect(looks.get_by_role("radio", checked=True)).to_have_count(0)  # the palette was carried over
    size = user.page.locator('[data-parameter="size"] select')
    expect(size).not_to_be_in_viewport()
    looks.get_by_role("button", name="Settings").click()
    expect(size).to_be_in_viewport(ratio=1)
    expect(user.page.locator('[data-parameter="cell"] input[type="number"]')).to_be_focused()
    expect(looks.get_by_role("button", name="Settings")).to_be_hidden()
    looks.locator(".style__name").first.evaluate("name => { name.textContent = 'Kaleidoscopically'; }")
    widths = [looks.locator(part).first.evaluate("one => one.offsetWidth") for part in (".style__image", ".style")]
    assert widths[0] == widths[1], "a long word does not push a look over the next one"


def test_a_sheet_of_paper_is_chosen_by_name_and_cells_grow_with_it(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(640, 480)))
    set_cell(user, 20)
    row = user.page.locator('[data-parameter="size"]')

    row.get_by_label("Size").select_option("A3, 300 dpi")

    expect(row).to_contain_text("4,677 × 3,508 px · 39.6 × 29.7 cm · about")
    expect(user.page.locator('[data-parameter="cell"] input[type="number"]')).to_have_value("146")
    row.get_by_label("Size").select_option("Custom size")
    row.get_by_label("Longer side, cm").fill("10")
    row.get_by_label("Longer side, cm").press("Enter")
    expect(row).to_contain_text("1,181 × 886 px · 10 × 7.5 cm")
    row.get_by_label("Dots per inch").fill("1")
    row.get_by_label("Dots per inch").press("Enter")
    expect(row.get_by_label("Dots per inch")).to_have_value("10")  # the least that the server takes
    row.get_by_label("Size").select_option("Same as the photo")
    expect(row).to_contain_text("640 × 480 px")


def test_a_late_answer_is_dropped(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48)))
    first = user.wait_for_preview()
    user.page.evaluate(HOLD_PREVIEW)
    set_cell(user, 50)
    user.page.wait_for_function("() => window.answerLate")
    after = user.page.locator('[data-part="workspace"] [data-part="after"]')

    set_cell(user, 160)
    expect(after).not_to_have_attribute("src", first)
    newest = after.get_attribute("src")
    user.page.evaluate("window.answerLate()")

    assert after.get_attribute("src") == newest


def test_the_handle_moves_and_the_picture_zooms_by_key_and_by_mouse(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48)))
    handle = user.part("workspace").get_by_role("slider", name="Before and after:")
    handle.focus()

    handle.press("Home")
    expect(handle).to_have_attribute("aria-valuenow", "0")
    handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "2")
    frame, grip = box_of(user.part("compare")), box_of(handle)
    user.page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    user.page.mouse.down()
    user.page.mouse.move(frame["x"] + frame["width"] * 0.75, frame["y"] + 40, steps=3)
    user.page.mouse.up()

    expect(handle).to_have_attribute("aria-valuenow", "75")
    scale = user.part("scale")
    user.page.get_by_role("button", name="Zoom in").click()
    expect(scale).to_have_text("150%")
    user.part("compare").hover(position={"x": 60, "y": 60})
    user.page.mouse.wheel(0, -400)
    expect(scale).not_to_have_text("150%")
    user.page.keyboard.press("0")
    expect(scale).to_have_text("100%")


def test_two_fingers_zoom_and_one_moves_the_picture(new_user: Callable[..., BrowserUser]) -> None:
    tablet = new_user(viewport={"width": 820, "height": 1180}, has_touch=True)
    tablet.go("/")
    tablet.open_files(image_file(png(64, 48)))
    tablet.wait_for_preview()
    frame = box_of(tablet.part("compare"))
    x, y = frame["x"] + frame["width"] * 0.7, frame["y"] + frame["height"] / 2
    drawn = tablet.page.locator('[data-part="workspace"] [data-part="before"]')

    def transform(element: Literal["a", "e"]) -> float:
        """The scale or the x of the picture."""
        return float(drawn.evaluate(f"image => new DOMMatrix(getComputedStyle(image).transform).{element}"))

    touch = fingers(tablet)

    touch("touchStart", (x - 40, y), (x + 40, y))
    for spread in (60, 80, 100):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    until(tablet.page, lambda: transform("a"), pytest.approx(2.5))
    before = transform("e")
    touch("touchStart", (x, y))
    touch("touchMove", (x + 50, y))
    touch("touchEnd")

    until(tablet.page, lambda: transform("e"), pytest.approx(before + 50, abs=1))


def test_a_finger_moves_the_handle_between_before_and_after(new_user: Callable[..., BrowserUser]) -> None:
    phone = new_user(viewport={"width": 390, "height": 844}, has_touch=True)
    phone.go("/")
    phone.open_files(image_file(png(64, 48)))
    handle = phone.part("workspace").get_by_role("slider", name="Before and after:")
    phone.wait_for_preview()
    frame, grip = box_of(phone.part("compare")), box_of(handle)
    start = (grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    touch = fingers(phone)

    touch("touchStart", start)
    touch("touchMove", (frame["x"] + frame["width"] * 0.8, start[1]))
    touch("touchEnd")

    expect(handle).to_have_attribute("aria-valuenow", "80")


def test_the_dice_roll_another_seed_and_reset_brings_the_default_back(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48)))
    seed = user.page.locator('[data-parameter="seed"]:visible input')
    user.select_style("mosaic")
    expect(seed).to_have_count(0)
    user.select_style("tesserae")

    user.page.get_by_role("button", name="Random seed").click()
    expect(seed).not_to_have_value("0")
    user.page.get_by_role("button", name="Reset: Seed").click()

    expect(seed).to_have_value("0")


def test_palettes_are_swatches(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48)))
    first = user.wait_for_preview()

    user.page.locator(".swatch", has=user.page.locator(".swatch__strip i")).first.click()

    expect(user.page.locator('[data-part="workspace"] [data-part="after"]')).not_to_have_attribute("src", first)


def test_a_reload_brings_picture_and_recipe_back(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48), "holiday.png"))
    set_cell(user, 33)
    user.wait_for_preview()

    user.go_when_stored()

    expect(user.part("stage-name")).to_contain_text("holiday.png")
    expect(user.page.locator('[data-parameter="cell"] input[type="number"]')).to_have_value("33")


def test_a_part_is_hidden_by_keys_alone_and_by_dragging_over_it(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48)))
    user.select_style("redact")
    user.page.get_by_role("button", name="Add an area").press("Enter")
    region = user.page.locator(".region")
    before = box_of(region)
    region.press("ArrowRight")
    region.press("Shift+ArrowDown")
    until(user.page, lambda: box_of(region)["x"] > before["x"])
    until(user.page, lambda: box_of(region)["height"] > before["height"])
    region.press("Delete")
    expect(region).to_have_count(0)

    expect(user.part("make")).to_be_disabled()
    sheet = box_of(user.part("regions-sheet"))

    user.page.mouse.move(sheet["x"] + sheet["width"] * 0.5, sheet["y"] + sheet["height"] * 0.25)
    user.page.mouse.down()
    user.page.mouse.move(sheet["x"] + sheet["width"] * 0.75, sheet["y"] + sheet["height"] * 0.5, steps=3)
    user.page.mouse.up()

    expect(region).to_have_count(1)
    expect(user.part("make")).to_be_enabled()
    user.wait_for_preview()


def test_a_page_beside_the_studio_draws_no_previews_until_one_returns(user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48)))
    user.wait_for_preview()
    expect(user.page.locator(".style__image--waiting")).to_have_count(0)
    previews: list[str] = []
    user.page.on("request", lambda request: previews.append(request.url) if "/api/preview/" in request.url else None)

    user.go_when_stored("/gallery")
    expect(user.page.locator(".style")).to_have_count(0)
    assert previews == []
    user.page.get_by_role("link", name="Studio").first.click()

    user.wait_for_preview()
    assert previews
    expect(user.page.locator(".style__image--waiting")).to_have_count(0)


def test_nothing_moves_for_those_who_ask_for_less_motion(user: BrowserUser) -> None:
    user.page.add_init_script(MOVES)
    user.go("/")
    user.open_files(image_file(png(64, 48)))

    user.make()
    user.wait_for_job("done")

    moves = user.page.evaluate("window.moves")
    assert len(moves) > 0, "which last a hundredth of a millisecond"
    assert [(name, milliseconds) for name, milliseconds in moves if milliseconds > 1] == []
