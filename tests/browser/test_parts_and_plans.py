"""What is built of pieces: the parts lists of bricks and beads, and the plan on paper."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from xml.etree import ElementTree

from playwright.sync_api import expect

from tests.browser.test_tiles import see_result, set_cell
from tests.browser.user import BrowserUser, image_file, until
from tests.processing.mosaic.pdf.pages import page_texts
from tests.support.pictures import png

IS_WHOLE = "({ scrollHeight, clientHeight }) => scrollHeight <= clientHeight"


def test_bricks_come_with_a_parts_list_to_take_along(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    user.go_signed_up(unique_name("uli"))
    user.open_files(image_file(png(160, 120), "castle.png"))
    user.select_style("brick")
    set_cell(user, 10)
    see_result(user)
    bricks = user.part("parts-list")
    expect(bricks).to_contain_text("for a plate of 16 × 12 studs")

    with user.page.expect_download() as download:
        bricks.get_by_role("button", name="Download as CSV").click()

    assert download.value.suggested_filename == "Bricks-parts.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    studs = sum(int(row["count"]) * int(row["size"][0]) * int(row["size"][2]) for row in rows)
    assert studs == 16 * 12
    assert all(re.fullmatch("#[0-9a-f]{6}", row["rgb"]) for row in rows)
    with user.page.expect_download() as download:
        bricks.get_by_role("button", name="Wanted list for BrickLink").click()
    wanted = ElementTree.parse(download.value.path()).findall("ITEM")
    assert [item.findtext("ITEMID") for item in wanted] == [row["part"] for row in rows]
    assert [item.findtext("MINQTY") for item in wanted] == [row["count"] for row in rows]
    assert all(int(item.findtext("COLOR", "")) > 0 for item in wanted)
    colours = {row["colour"] for row in rows}
    until(user.page, lambda: set(bricks.locator("tbody th").all_inner_texts()), colours)
    table = bricks.locator(".parts-list__scroll")
    assert not table.evaluate(IS_WHOLE)
    user.page.emulate_media(media="print")
    until(user.page, lambda: table.evaluate(IS_WHOLE))
    expect(user.page.locator(".header")).to_be_hidden()
    user.page.emulate_media(media="null")


def test_beads_come_with_a_plan_whose_codes_are_counted_in_the_list(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go_signed_up(unique_name("ulla"))
    user.open_files(image_file(png(160, 120), "flower.png"))
    user.select_style("beads")
    set_cell(user, 4)
    see_result(user)
    beads = user.part("parts-list")
    expect(beads).to_contain_text("1,200 beads in")
    expect(beads).to_contain_text("on 4 boards of 29 × 29 pegs")
    with user.page.expect_download() as download:
        beads.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    plans = []
    for name in ("Plan as PDF", "Mirrored plan"):
        with user.page.expect_download() as download:
            beads.get_by_role("button", name=name).click()
        assert download.value.suggested_filename == "Fuse beads-plan.pdf"
        plans.append(page_texts(download.value.path().read_bytes()))

    cover, *others = plans[0]
    sections = [text for text in others if text.startswith("Section ")]
    assert cover.startswith("Fuse beads")
    assert len(sections) == 4
    assert {row["colour"].split(" ")[0] for row in rows} <= set(re.findall(r"[A-Z]+\d+", " ".join(sections)))
    assert "Seen from the back" in plans[1][0]


def test_cross_stitch_takes_the_threads_of_a_file_and_prints_their_symbols(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go_signed_up(unique_name("uta"))
    user.open_files(image_file(png(160, 120), "flower.png"))
    user.select_style("stitch")
    threads = "code,name,hex\n310,Black,#000000\n666,Red,#e31d42\n700,Green,#07731b\n5200,White,#ffffff\n"
    control = user.page.locator('[data-parameter="threads"]')
    control.locator("input").set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": threads.encode()})
    expect(control.get_by_role("button", name="mine.csv")).to_be_visible()
    set_cell(user, 4)
    see_result(user)

    stitches = user.part("parts-list")
    expect(stitches).to_contain_text("1,200 stitches in")
    expect(stitches).to_contain_text("7.3 × 5.4 cm on 14-count aida")
    with user.page.expect_download() as download:
        stitches.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert {row["thread"] for row in rows} <= {"310 Black", "666 Red", "700 Green", "5200 White"}
    with user.page.expect_download() as download:
        stitches.get_by_role("button", name="Plan as PDF").click()
    cover, *others = page_texts(download.value.path().read_bytes())
    assert "Aida 14: 7.3 x 5.4 cm" in cover
    assert len([text for text in others if text.startswith("Section ")]) == 1
    expect(stitches.get_by_role("button", name="Mirrored plan")).to_be_hidden()


def test_a_painting_by_numbers_has_its_colours_by_number_beside_it_and_in_the_plan(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go_signed_up(unique_name("ute"))
    user.open_files(image_file(png(160, 120), "field.png"))
    user.select_style("numbers")
    see_result(user)

    legend = user.part("parts-list")
    expect(legend).to_contain_text("The numbers are those in the picture")
    numbered = legend.locator("tbody th").all_text_contents()
    assert [text.split()[0] for text in numbered] == [str(number) for number in range(1, len(numbered) + 1)]
    with user.page.expect_download() as download:
        legend.get_by_role("button", name="Plan as PDF").click()
    text = page_texts(download.value.path().read_bytes())[0]
    assert all(name.split()[1] in text for name in numbered)


def test_bricks_in_colours_that_nobody_sells_are_counted_together(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go_signed_up(unique_name("uwe"))
    user.open_files(image_file(png(160, 120), "cloud.png"))
    user.select_style("brick")
    user.page.locator('[data-parameter="colours"] select').select_option("free")
    see_result(user)

    expect(user.part("parts-list")).to_contain_text(re.compile("300 pieces in (29[0-9]|300) colours"))
    rows = user.part("parts-list").locator("tbody th")
    expect(rows).to_have_text(["Any colour"])
    user.page.keyboard.press("l")
    expect(rows).to_have_text(["任意颜色"])
