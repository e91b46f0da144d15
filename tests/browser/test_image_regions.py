"""Regions to redact: they belong to one image, and are moved, resized and removed with mouse, finger and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, box_of, fingers, image_file, until
from tests.support.pictures import png

TAPS = 12
"""Each after a swipe: a browser that sees a fling in that loses one of four."""


@pytest.fixture
def redacting(user: BrowserUser) -> BrowserUser:
    """A user with two opened images who has marked a region in the first."""
    user.go("/")
    user.open_files(image_file(png(64, 48, 1), "one.png"), image_file(png(64, 48, 2), "two.png"))
    expect(user.page.locator(".filmstrip__frame")).to_have_count(2)
    user.select_style("redact")
    user.page.get_by_role("button", name="Add an area").click()
    expect(user.page.locator(".region")).to_have_count(1)
    return user


def approx(*sides: float) -> Any:
    """Pixels of the screen and thousandths of the picture are rounded."""
    return pytest.approx(sides, abs=3)


def drag(user: BrowserUser, start: tuple[float, float], by: tuple[float, float]) -> None:
    user.page.mouse.move(*start)
    user.page.mouse.down()
    user.page.mouse.move(start[0] + by[0], start[1] + by[1], steps=4)
    user.page.mouse.up()


def test_regions_belong_to_one_image_over_a_reload_and_all_are_made_only_when_each_has_one(
    redacting: BrowserUser,
) -> None:
    user, regions = redacting, redacting.page.locator(".region")
    expect(user.part("make")).to_be_enabled()
    expect(user.part("make-all")).to_be_disabled()
    expect(user.part("make-note")).to_contain_text("1 still has none")

    user.go_when_stored()
    expect(regions).to_have_count(1)
    user.page.get_by_role("button", name="two.png", exact=True).click()
    expect(regions).to_have_count(0)
    expect(user.part("make")).to_be_disabled()
    user.page.get_by_role("button", name="Add an area").click()
    expect(user.part("make-all")).to_be_enabled()
    user.page.get_by_role("button", name="one.png", exact=True).click()

    expect(regions).to_have_count(1)


def test_a_region_is_moved_resized_removed_and_drawn_with_the_mouse(redacting: BrowserUser) -> None:
    user, region = redacting, redacting.page.locator(".region")
    before = box_of(region)

    drag(user, (before["x"] + 20, before["y"] + 20), (-30, 40))
    until(user.page, lambda: (box_of(region)["x"], box_of(region)["y"]), approx(before["x"] - 30, before["y"] + 40))
    moved = box_of(region)
    assert moved["width"] == pytest.approx(before["width"], abs=2)
    drag(user, (moved["x"] + moved["width"], moved["y"] + moved["height"]), (50, 20))
    until(
        user.page,
        lambda: (box_of(region)["width"], box_of(region)["height"]),
        approx(moved["width"] + 50, moved["height"] + 20),
    )
    assert (box_of(region)["x"], box_of(region)["y"]) == approx(moved["x"], moved["y"])
    region.hover()
    user.page.get_by_role("button", name="Remove the area").click()
    expect(region).to_have_count(0)

    sheet = box_of(user.part("regions-sheet"))
    for share in (0.05, 0.2, 0.34, 0.8):  # nothing takes the drag
        drag(user, (sheet["x"] + sheet["width"] * share, sheet["y"] + sheet["height"] * 0.1), (30, 30))
    expect(region).to_have_count(4)
    expect(user.part("workspace").get_by_role("slider", name="Before and after")).to_have_count(0)


def test_a_region_is_drawn_moved_resized_and_removed_with_a_finger(new_user: Callable[..., BrowserUser]) -> None:
    phone = new_user(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.go("/")
    phone.open_files(image_file(png(64, 48), "one.png"))
    phone.select_style("redact")
    region, sheet = phone.page.locator(".region"), box_of(phone.part("regions-sheet"))
    touch = fingers(phone)

    def swipe(x: float, y: float, by: tuple[float, float]) -> None:
        touch("touchStart", (x, y))
        touch("touchMove", (x + by[0] / 2, y + by[1] / 2))
        touch("touchMove", (x + by[0], y + by[1]))
        touch("touchEnd")

    for _ in range(TAPS):
        swipe(sheet["x"] + 40, sheet["y"] + 40, (120, 90))
        phone.page.get_by_role("button", name="Remove the area").tap()
        expect(region).to_have_count(0)
    swipe(sheet["x"] + 40, sheet["y"] + 40, (120, 90))
    expect(region).to_have_count(1)
    drawn = box_of(region)
    assert list(drawn.values()) == pytest.approx([sheet["x"] + 40, sheet["y"] + 40, 120, 90], abs=3)
    swipe(drawn["x"] + 25, drawn["y"] + 25, (50, 60))
    moved = box_of(region)
    assert list(moved.values()) == pytest.approx([drawn["x"] + 50, drawn["y"] + 60, 120, 90], abs=3)
    swipe(moved["x"] + moved["width"], moved["y"] + moved["height"], (30, 20))
    assert list(box_of(region).values()) == pytest.approx([moved["x"], moved["y"], 150, 110], abs=3)
    phone.page.get_by_role("button", name="Remove the area").tap()

    expect(region).to_have_count(0)


def test_changes_are_undone_and_redone(redacting: BrowserUser) -> None:
    user, region = redacting, redacting.page.locator(".region")
    user.page.get_by_role("button", name="Remove all areas").click()
    expect(region).to_have_count(0)

    user.page.keyboard.press("Control+z")
    expect(region).to_have_count(1)
    user.page.get_by_role("button", name="Undo").click()
    expect(region).to_have_count(0)
    user.page.get_by_role("button", name="Undo").click()
    expect(user.page.locator('.style input[value="tesserae"]')).to_be_checked()
    for _ in range(2):
        user.page.get_by_role("button", name="Redo").click()

    expect(region).to_have_count(1)
    expect(user.page.locator('.style input[value="redact"]')).to_be_checked()
