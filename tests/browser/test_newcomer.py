"""A newcomer opens the page, drops a photo, presses one button, and finds the mosaic in the gallery."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.user import BrowserUser, image_file
from tests.support.pictures import png


def test_a_photo_becomes_a_mosaic_in_the_gallery(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    user.go("/")
    user.open_files(image_file(png(640, 480), "holiday.png"))
    user.make()
    user.sign_up(unique_name("ada"))

    user.wait_for_job("done")
    expect(user.part("stage-note")).to_have_text("Full size")
    user.page.get_by_role("link", name="Gallery", exact=True).click()
    first = user.page.locator(".image-card").first

    expect(first).to_contain_text(user.name)
    assert user.page.url.endswith("/gallery")


def test_the_gallery_leads_to_a_page_that_says_how_it_was_made(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go("/")
    user.open_files(image_file(png(640, 480), "holiday.png"))
    user.make()
    user.sign_up(unique_name("bea"))
    user.wait_for_job("done")

    user.part("job-card").get_by_role("link", name="Open").click()

    expect(user.part("by")).to_have_text(f"by {user.name}")
    expect(user.part("recipe")).to_contain_text("Roman mosaic")
    drawn = user.page.locator('[data-page="image"] [data-part="after"]')
    assert drawn.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640


def test_nothing_is_lost_by_signing_in_on_the_way(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    user.go("/")
    user.open_files(image_file(png(640, 480), "holiday.png"))
    cell = user.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill("40")
    cell.press("Tab")

    user.make()
    user.sign_up(unique_name("cia"))
    user.wait_for_job("done")
    user.part("job-card").get_by_role("link", name="Open").click()

    expect(user.part("recipe")).to_contain_text("40")
