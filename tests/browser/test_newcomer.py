"""A newcomer opens the page, drops a photo, presses one button, and has a mosaic; signing up keeps it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.user import BrowserUser, box_of, image_file, until
from tests.support.pictures import png


def test_a_photo_becomes_a_mosaic_without_an_account_and_is_kept_by_signing_up(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48), "holiday.png"))
    expect(user.part("make-note")).to_contain_text("No account needed.")
    user.make()

    user.wait_for_job("done")
    expect(user.part("stage-note")).to_have_text("Full size")
    with user.page.expect_download() as download:
        user.part("job-card").get_by_role("button", name="Download as PNG").click()
    user.page.set_viewport_size({"width": 390, "height": 844})
    keep = user.part("job-card").get_by_role("button", name="Keep it")
    see = user.part("job-card").get_by_role("link", name="Open")
    expect(see).to_be_in_viewport(ratio=0.99)
    until(user.page, lambda: box_of(keep)["height"] < 50)  # one line on a phone
    until(user.page, lambda: box_of(see)["y"] + box_of(see)["height"] <= box_of(keep)["y"] + 1)
    user.page.set_viewport_size({"width": 1280, "height": 800})
    user.part("job-card").get_by_role("link", name="Open").click()
    expect(user.part("by")).to_have_text("Only you, for a day")
    user.page.get_by_role("button", name="Share").click()
    expect(user.page.locator('dialog[data-part="sign-in"]')).to_contain_text("To publish it")
    user.page.keyboard.press("Escape")
    user.page.get_by_role("button", name="Keep it").click()
    user.sign_up(unique_name("ada"))
    expect(user.part("by")).to_have_text(f"by {user.name}")
    user.page.get_by_role("link", name="Gallery", exact=True).click()
    expect(user.page.locator(".image-card", has_text=user.name)).to_have_count(0)
    user.page.get_by_role("link", name="My pictures", exact=True).first.click()

    expect(user.page.locator(".image-card")).to_have_count(1)
    expect(user.page.locator(".image-card")).to_contain_text("Only you")
    assert download.value.suggested_filename == "holiday-mosaic.png"
    expect(user.page).to_have_url(re.compile(r"/gallery\?view=mine$"))


def test_a_recipe_survives_signing_in_on_the_way_and_the_page_of_the_picture_says_it(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48), "holiday.png"))
    cell = user.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill("40")
    cell.press("Tab")

    user.make()
    user.sign_up(unique_name("cia"))
    user.wait_for_job("done")
    user.part("job-card").get_by_role("link", name="Open").click()

    expect(user.part("by")).to_have_text(f"by {user.name}")
    expect(user.part("recipe")).to_contain_text("Roman mosaic")
    expect(user.part("recipe")).to_contain_text("40")
    drawn = user.page.locator('[data-page="image"] [data-part="after"]')
    expect(drawn).to_have_js_property("naturalWidth", 64)


def test_publishing_asks_to_sign_up_and_pictures_leave_the_screen_with_the_session(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48), "holiday.png"))
    user.visibility.select_option("In the gallery")
    user.make()
    expect(user.page.locator('dialog[data-part="sign-in"]')).to_contain_text("To publish it")
    user.sign_up(unique_name("abe"))

    user.wait_for_job("done")
    user.page.get_by_role("link", name="Gallery", exact=True).click()

    expect(user.page.locator(".image-card").first).to_contain_text(user.name)
    user.go("/gallery?view=mine")
    expect(user.page.locator(".image-card")).to_have_count(1)

    user.part("user-menu").click()
    user.page.get_by_role("button", name="Sign out").click()

    expect(user.part("welcome")).to_be_visible()
    user.page.go_back()
    expect(user.page.get_by_role("dialog")).to_be_visible()
    expect(user.page.locator(".image-card")).to_have_count(0)


def test_a_guest_leaves_nothing_to_the_next_user_of_the_browser(user: BrowserUser) -> None:
    user.expect_console("status of 404")
    user.go("/")
    user.part("activity").click()
    expect(user.part("clear")).to_have_count(0)
    user.page.keyboard.press("Escape")
    user.open_files(image_file(png(64, 48), "holiday.png"))
    user.make()
    user.wait_for_job("done")
    user.part("job-card").get_by_role("link", name="Open").click()
    expect(user.part("by")).to_have_text("Only you, for a day")
    result_url = user.page.url
    other = BrowserUser(user.page.context.new_page())
    other.go("/")
    expect(other.part("stage-name")).to_contain_text("holiday.png")

    user.part("activity").click()
    user.page.get_by_role("button", name="Clear this browser").click()
    dialog = user.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Download what you want to keep first.")
    dialog.get_by_role("button", name="Clear this browser").click()

    expect(user.toast("Nothing of yours is left")).to_be_visible()
    expect(user.page.get_by_role("heading", name="Page not found")).to_be_visible()
    expect(user.page.locator('[data-page="image"] [data-part="after"][src]')).to_have_count(0)
    expect(other.part("welcome")).to_be_visible()
    user.go(result_url)
    expect(user.page.get_by_role("heading", name="Page not found")).to_be_visible()
    user.go("/")
    expect(user.part("welcome")).to_be_visible()
    user.part("activity").click()
    expect(user.page.locator(".job")).to_have_count(0)
