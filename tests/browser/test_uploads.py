"""Uploads and renders on their way: several at once, in parts, cancelled, failed and tried again, over a reload."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from models.bucket.keys import load_or_create_keys
from tests.browser.held_requests import HeldRequests, stored_parts
from tests.browser.test_local_data import COUNT_TOASTS
from tests.browser.token_recorder import TokenRecorder, expire_token
from tests.browser.user import PART_BYTES, BrowserUser, box_of, image_file, until
from tests.support.pictures import padded_jpeg, png
from tests.support.process import ServerProcess

FORM = re.compile(r"/up/?$")
PART = re.compile(r"/uploads/[^/]+/[0-9]+$")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A picture that goes up in two parts."""
    return write(tmp_path, PART_BYTES * 3 // 2)


def write(folder: Path, size_bytes: int) -> Path:
    path = folder / "large.jpg"
    path.write_bytes(padded_jpeg(size_bytes, 5))
    return path


def signed_in(user: BrowserUser, name: str) -> None:
    user.send_small_parts()
    user.go_signed_up(name)


def test_several_pictures_are_seen_in_a_strip_and_made_at_once_without_one_that_cannot_be_read(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go_signed_up(unique_name("eva"))
    user.select_files(
        image_file(b"text", "letter.png"), *[image_file(png(64, 48, seed), f"{seed}.png") for seed in (1, 2, 3)]
    )
    expect(user.part("stage-name")).to_contain_text("1.png")
    expect(user.toast("letter.png cannot be read")).to_be_visible()
    expect(user.page.locator(".filmstrip__frame")).to_have_count(3)
    assert box_of(user.part("filmstrip"))["height"] >= 64, "high enough to see the pictures"

    user.page.set_viewport_size({"width": 390, "height": 844})  # the strip takes six pictures
    user.select_files(*[image_file(png(64, 48, seed), f"{seed}.png") for seed in (4, 5, 6, 7, 8)])
    expect(user.page.locator(".filmstrip__frame")).to_have_count(8)
    user.open_files(image_file(png(64, 48, 9), "9.png"))
    strip = user.part("filmstrip")
    expect(strip.get_by_role("button", name="9.png", exact=True)).to_be_in_viewport(ratio=1)
    strip.get_by_role("button", name="8.png", exact=True).press("Enter")
    expect(user.part("stage-name")).to_contain_text("8.png")
    expect(strip.get_by_role("button", name="8.png", exact=True)).to_be_focused()
    for name in ("4.png", "5.png", "6.png", "7.png", "8.png"):
        strip.get_by_role("button", name=f"Remove {name}").press("Enter")
    expect(user.part("stage-name")).to_contain_text("9.png")
    expect(strip.get_by_role("button", name="9.png", exact=True)).to_be_focused()
    strip.get_by_role("button", name="Remove 9.png").press("Enter")
    expect(strip.get_by_role("button", name="3.png", exact=True)).to_be_focused()
    user.page.set_viewport_size({"width": 1280, "height": 800})

    user.page.get_by_role("button", name="Make all 3").click()
    user.page.get_by_role("button", name=re.compile("Activity")).click()

    expect(user.page.locator('.batch__results li[data-phase="done"]')).to_have_count(3)


def test_a_large_upload_shows_percent_is_cancelled_and_goes_on_after_a_reload_when_it_is_made_again(
    user: BrowserUser, large: Path, unique_name: Callable[[str], str]
) -> None:
    signed_in(user, unique_name("fay"))
    user.open_files(large)
    user.limit_upload_speed(30_000)
    user.make()
    user.wait_for_job("uploading")
    expect(user.part("job-card-detail")).to_contain_text(re.compile("%.* of .*/s · .* left"))
    user.part("job-card").get_by_role("button", name="Cancel").click()
    expect(user.part("job-card")).to_have_count(0)
    user.part("activity").click()
    expect(user.page.locator(".job__state")).to_have_text("Cancelled")
    user.page.locator(".job").get_by_role("button", name="Remove").click()
    user.part("activity").click()
    user.limit_upload_speed(0)

    sent: list[str] = []
    user.page.on("request", lambda request: sent.append(request.url) if PART.search(request.url) else None)
    uploads = HeldRequests(user.page, re.compile("/uploads/[^/]+/1$"))
    user.make()
    until(user.page, lambda: (stored_parts(user.page), len(uploads)), ([2], 1))
    user.go("/")
    uploads.release()
    user.wait_for_job("done")

    parts = [url.rpartition("/")[2] for url in sent]
    assert (sorted(parts[:2]), parts[2:]) == (["1", "2"], ["1"]), "two at once, then the one that had not arrived"


def test_parts_that_the_network_loses_or_that_outlive_the_token_are_sent_again_and_nothing_else(
    user: BrowserUser, server: ServerProcess, large: Path, unique_name: Callable[[str], str]
) -> None:
    """Three requests find no connection, one comes with an expired token: a fresh one goes on with the same key."""
    signed_in(user, unique_name("moe"))
    user.expect_console("ERR_CONNECTION_RESET|status of 401")
    tokens, lost, put = TokenRecorder(user.page), [], []
    user.page.on("response", lambda got: put.append(got.url) if PART.search(got.url) and got.ok else None)
    expire_token(user.page, PART, load_or_create_keys(server.data_dir / "bucket-keys.json"))
    user.page.route(PART, lambda route: (lost.append(route.request.url), route.abort("connectionreset")), times=3)
    user.open_files(large)

    user.make()
    user.wait_for_job("done")

    assert len(lost) == 3
    assert sorted(url.rpartition("/")[2] for url in put) == ["1", "2"]
    assert len(tokens.requests) == 2
    assert tokens.requests[1]["key"].startswith("source/")


def test_a_failed_upload_says_what_to_do_is_tried_again_and_serves_two_recipes(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go_signed_up(unique_name("hal"))
    user.expect_console("status of 400")
    tokens = TokenRecorder(user.page)
    refused: list[Route] = []

    def refuse(route: Route) -> None:
        refused.append(route)
        route.fulfill(status=400, json={"error": "bad request"})

    user.open_files(image_file(png(64, 48), "small.png"))
    user.page.route(FORM, refuse, times=1)
    user.page.evaluate(COUNT_TOASTS)

    user.make()
    user.wait_for_job("failed")
    expect(user.part("job-card-detail")).to_contain_text("The upload failed. Try again.")
    user.part("job-card").get_by_role("button", name="Try again").click()
    user.wait_for_job("done")
    assert len(refused) == 1
    assert user.page.evaluate("window.toasts") == 0, "the card on the stage tells it"

    result, needed = user.part("job-card").get_by_role("link", name="Open"), len(tokens.requests)
    first = result.get_attribute("href") or ""
    cell = user.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill("20")
    cell.press("Enter")
    user.make()
    expect(result).not_to_have_attribute("href", first)
    user.wait_for_job("done")

    assert len(tokens.requests) == needed, "the second recipe needs no upload"
