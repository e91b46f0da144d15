"""A newcomer opens the page, drops a photo, presses one button, and finds the mosaic in the gallery."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.user import Visitor, picture
from tests.support.pictures import png


def test_a_photo_becomes_a_mosaic_in_the_gallery(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480), "holiday.png"))
    visitor.make()
    visitor.sign_up(unique_name("ada"))

    visitor.wait_for_work("done")
    expect(visitor.part("stage-note")).to_have_text("Full size")
    visitor.page.get_by_role("link", name="Gallery", exact=True).click()
    first = visitor.page.locator(".tile").first

    expect(first).to_contain_text(visitor.name)
    assert visitor.page.url.endswith("/gallery")


def test_the_gallery_leads_to_a_page_that_says_how_it_was_made(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480), "holiday.png"))
    visitor.make()
    visitor.sign_up(unique_name("bea"))
    visitor.wait_for_work("done")

    visitor.part("work").get_by_role("link", name="See it").click()

    expect(visitor.part("by")).to_have_text(f"by {visitor.name}")
    expect(visitor.part("recipe")).to_contain_text("Square blocks")
    drawn = visitor.page.locator('[data-page="picture"] [data-part="after"]')
    assert drawn.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640


def test_nothing_is_lost_by_signing_in_on_the_way(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.go("/")
    visitor.choose(picture(png(640, 480), "holiday.png"))
    cell = visitor.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill("40")
    cell.press("Tab")

    visitor.make()
    visitor.sign_up(unique_name("cia"))
    visitor.wait_for_work("done")
    visitor.part("work").get_by_role("link", name="See it").click()

    expect(visitor.part("recipe")).to_contain_text("40")
