"""What mosaics are built from: one's own pictures, bricks with a parts list, shapes of an SVG."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Locator, Position, expect

from tests.browser.test_studio import preview_shown
from tests.browser.user import Visitor, picture
from tests.support.pictures import encoded, png

ENOUGH = 20

UPLOAD = """async files => {
    for (const [name, bytes] of files) {
        const asked = { method: "POST", headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ filename: name, filesize: bytes.length }) };
        const given = await (await fetch("/api/image/token/", asked)).json();
        const form = new FormData();
        form.append("token", given.token);
        form.append("key", given.key);
        form.append("file", new Blob([new Uint8Array(bytes)], { type: "image/png" }), name);
        const answer = await fetch(given.upload_url, { method: "POST", body: form });
        if (!answer.ok) throw new Error(await answer.text());
    }
}"""

HOLD_LISTS = """() => {
    const real = window.fetch;
    const gate = new Promise(resolve => { window.letGo = resolve; });
    window.fetch = async (...asked) => {
        if (String(asked[0]?.url ?? asked[0]).includes("/api/feed/")) await gate;
        return real(...asked);
    };
}"""


def plain(number: int) -> bytes:
    """A small picture in a colour of its own."""
    colour = (number * 97 % 256, number * 57 % 256, number * 31 % 256)
    return encoded(Image.new("RGB", (24, 24), colour), "PNG")


def with_pictures(visitor: Visitor, name: str, count: int) -> None:
    """Somebody who has so many pictures here."""
    visitor.go("/")
    visitor.sign_up(name)
    visitor.page.evaluate(UPLOAD, [[f"tile {number}.png", list(plain(number))] for number in range(count)])
    visitor.go("/")


def set_cell(visitor: Visitor, pixels: int) -> None:
    cell = visitor.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill(str(pixels))
    cell.press("Enter")


def see_result(visitor: Visitor) -> None:
    visitor.make()
    visitor.wait_for_work("done")
    visitor.part("work").get_by_role("link", name="See it").click()
    expect(visitor.part("by")).to_have_text(f"by {visitor.name}")


def chosen(visitor: Visitor) -> Locator:
    return visitor.page.locator(".tiles__tile input:checked")


def test_a_photomosaic_is_built_from_all_of_ones_pictures_unless_told_otherwise(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    with_pictures(visitor, unique_name("una"), ENOUGH + 1)
    visitor.choose(picture(png(160, 120), "target.png"))

    visitor.pick("photomosaic")

    expect(visitor.part("tiles-count")).to_have_text("21 of your 21 pictures")
    expect(chosen(visitor)).to_have_count(ENOUGH + 1)
    expect(visitor.part("tiles-few")).to_have_count(0)
    visitor.page.get_by_role("button", name="None", exact=True).click()
    expect(visitor.part("tiles-count")).to_have_text("The picture's own pieces; you have 21 pictures here.")
    visitor.page.get_by_label("tile 3.png").check(force=True)
    expect(visitor.part("tiles-count")).to_have_text("1 of your 21 pictures")
    expect(visitor.part("tiles-few")).to_contain_text("fewer than 20")


def test_with_few_pictures_one_is_told_so_and_adds_some(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.go("/")
    visitor.sign_up(unique_name("ugo"))
    visitor.choose(picture(png(160, 120), "target.png"))
    visitor.pick("photomosaic")
    expect(visitor.part("tiles-few")).to_contain_text("fewer than 20")

    added = [picture(plain(number), f"new {number}.png") for number in range(ENOUGH)]
    visitor.page.locator('[data-part="tiles-file"]').set_input_files(added)

    expect(visitor.part("tiles-count")).to_have_text("20 of your 20 pictures", timeout=20_000)


def test_all_of_them_cannot_be_asked_for_before_they_are_known(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    with_pictures(visitor, unique_name("uwe"), 2)
    visitor.choose(picture(png(160, 120), "target.png"))
    visitor.page.evaluate(HOLD_LISTS)
    visitor.pick("photomosaic")
    everything = visitor.page.get_by_role("button", name="All", exact=True)
    expect(visitor.part("tiles-count")).to_have_text("Looking at your pictures …")
    expect(everything).to_be_disabled()

    visitor.page.evaluate("letGo()")
    everything.click()

    expect(chosen(visitor)).to_have_count(2)


def test_a_stranger_is_asked_in_to_build_from_own_pictures(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.go("/")
    visitor.choose(picture(png(160, 120), "target.png"))
    visitor.pick("photomosaic")

    visitor.part("tiles-stranger").get_by_role("button", name="Sign in").click()
    visitor.part("sign-switch").click()
    visitor.sign_up(unique_name("ulf"))

    expect(visitor.part("tiles-own")).to_be_visible()
    expect(visitor.part("stage-name")).to_contain_text("target.png")


def test_the_preview_is_built_from_the_chosen_pictures(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    with_pictures(visitor, unique_name("ute"), 3)
    visitor.choose(picture(png(160, 120), "target.png"))
    visitor.pick("photomosaic")
    before = preview_shown(visitor.page)

    visitor.page.get_by_role("button", name="All", exact=True).click()

    after = visitor.page.locator('[data-part="bench"] [data-part="after"]')
    expect(after).not_to_have_attribute("src", before)


def test_every_piece_names_the_picture_it_is_and_leads_to_it(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    with_pictures(visitor, unique_name("uwe"), ENOUGH)
    visitor.choose(picture(png(160, 120), "target.png"))
    visitor.pick("photomosaic")
    expect(chosen(visitor)).to_have_count(ENOUGH)
    set_cell(visitor, 20)
    see_result(visitor)
    named, sheet = visitor.part("piece-link"), visitor.part("cells")

    sheet.focus()
    expect(visitor.part("cells-mark")).to_be_visible()
    sheet.press("ArrowDown")
    sheet.press("ArrowRight")
    expect(visitor.part("piece-where")).to_have_text("Row 2, column 2")
    by_key = named.inner_text()
    box = sheet.bounding_box()
    assert box is not None
    visitor.page.mouse.move(box["x"] + box["width"] * 1.5 / 8, box["y"] + box["height"] * 1.5 / 6)

    expect(visitor.part("piece-where")).to_have_text("Row 2, column 2")
    assert re.fullmatch(r"tile [0-9]+\.png", by_key)
    assert named.inner_text() == by_key
    address = named.get_attribute("href")
    sheet.click(position={"x": box["width"] * 1.5 / 8, "y": box["height"] * 1.5 / 6})
    expect(visitor.page).to_have_url(re.compile(f"{address}$"))
    expect(visitor.part("cells")).to_have_count(0)


def test_others_are_not_told_which_pictures_it_is_built_from(
    visitor: Visitor, visitor_of: Callable[..., Visitor], unique_name: Callable[[str], str]
) -> None:
    with_pictures(visitor, unique_name("uta"), ENOUGH)
    visitor.choose(picture(png(160, 120), "target.png"))
    visitor.pick("photomosaic")
    expect(chosen(visitor)).to_have_count(ENOUGH)
    see_result(visitor)
    expect(visitor.part("piece")).to_be_visible()

    stranger = visitor_of()
    stranger.go(urlsplit(visitor.page.url).path)

    expect(stranger.part("recipe")).to_contain_text("Photomosaic")
    expect(stranger.part("cells")).to_have_count(0)
    expect(stranger.part("piece")).to_have_count(0)


def test_a_finger_names_a_piece_before_it_opens_it(
    visitor_of: Callable[..., Visitor], unique_name: Callable[[str], str]
) -> None:
    visitor = visitor_of(has_touch=True, viewport={"width": 390, "height": 844})
    with_pictures(visitor, unique_name("udo"), ENOUGH)
    visitor.choose(picture(png(160, 120), "target.png"))
    visitor.pick("photomosaic")
    expect(chosen(visitor)).to_have_count(ENOUGH)
    set_cell(visitor, 20)
    see_result(visitor)
    here = visitor.page.url
    expect(visitor.part("cells")).to_have_attribute("aria-busy", "false")
    place: Position = {"x": 100, "y": 100}

    visitor.part("cells").tap(position=place)
    expect(visitor.part("piece-link")).to_be_visible()
    assert visitor.page.url == here
    visitor.part("cells").tap(position=place)

    expect(visitor.page).not_to_have_url(here)


def test_bricks_come_with_a_parts_list_to_take_along(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.go("/")
    visitor.sign_up(unique_name("uli"))
    visitor.choose(picture(png(160, 120), "castle.png"))
    visitor.pick("brick")
    set_cell(visitor, 10)
    see_result(visitor)
    bricks = visitor.part("bricks")
    expect(bricks).to_contain_text("for a plate of 16 × 12 studs")

    with visitor.page.expect_download() as download:
        bricks.get_by_role("button", name="Download as CSV").click()

    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    studs = sum(int(row["count"]) * int(row["size"][0]) * int(row["size"][2]) for row in rows)
    assert studs == 16 * 12
    assert all(re.fullmatch("#[0-9a-f]{6}", row["rgb"]) for row in rows)
    colours = {row["colour"] for row in rows}
    assert set(bricks.locator("tbody th").all_inner_texts()) == colours


def test_bricks_in_colours_that_nobody_sells_are_counted_together(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    visitor.go("/")
    visitor.sign_up(unique_name("uwe"))
    visitor.choose(picture(png(160, 120), "cloud.png"))
    visitor.pick("brick")
    visitor.page.locator('[data-parameter="colours"] select').select_option("free")
    see_result(visitor)

    expect(visitor.part("bricks")).to_contain_text(re.compile("300 pieces in (29[0-9]|300) colours"))
    rows = visitor.part("bricks").locator("tbody th")
    expect(rows).to_have_text(["Any colour"])
    visitor.page.keyboard.press("l")
    expect(rows).to_have_text(["任意颜色"])


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_an_svg_is_shown_in_pixels_and_downloaded_as_it_is(
    kind: str, visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    visitor.go("/")
    visitor.sign_up(unique_name("ulla"))
    visitor.choose(picture(png(320, 240), "flat.png"))
    visitor.page.locator('[data-parameter="format"] select').select_option("svg")
    visitor.make()
    visitor.wait_for_work("done")
    expect(visitor.part("stage-note")).to_have_text("Full size")
    on_bench = visitor.page.locator('[data-part="bench"] [data-part="after"]')
    assert on_bench.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320
    visitor.part("work").get_by_role("link", name="See it").click()
    expect(visitor.part("by")).to_have_text(f"by {visitor.name}")
    shown = visitor.page.locator('[data-page="picture"] [data-part="after"]')
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320

    visitor.part("download-menu").locator("summary").click()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name=f"Download as {kind.upper()}").click()

    data = download.value.path().read_bytes()
    assert download.value.suggested_filename.endswith(f"-mosaic.{kind}")
    if kind == "svg":
        assert data.lstrip().startswith(b"<svg") or data.startswith(b"<?xml")
    else:
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.size) == ("PNG", (320, 240))
