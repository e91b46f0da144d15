"""Uploads and renders on their way: several at once, in parts, cancelled, failed and tried again, over a reload."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from models.bucket.keys import installation_keys
from tests.browser.departing import Leaves
from tests.browser.user import Visitor, picture
from tests.support.pictures import encoded, photo, png
from tests.support.process import ServerProcess

FORM = re.compile(r"/up/?$")
PART = re.compile(r"/uploads/[^/]+/[0-9]+$")


def large_png() -> bytes:
    """Noise does not compress: above 4 MiB, so it goes up in parts."""
    data = encoded(photo(1500, 1350, 5), "PNG", compress_level=0)
    assert len(data) > 4 * 2**20
    return data


def signed_in(visitor: Visitor, name: str) -> None:
    visitor.go("/")
    visitor.sign_up(name)


def test_several_pictures_are_made_at_once(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    signed_in(visitor, unique_name("eva"))
    visitor.choose(*[picture(png(320, 240, seed), f"{seed}.png") for seed in (1, 2, 3)])

    visitor.page.get_by_role("button", name="Make all 3").click()
    visitor.page.get_by_role("button", name=re.compile("Activity")).click()

    expect(visitor.page.locator('.job[data-phase="done"]')).to_have_count(3, timeout=20_000)


def test_an_upload_shows_percent_and_can_be_cancelled(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    signed_in(visitor, unique_name("fay"))
    visitor.choose(picture(large_png(), "large.png"))
    visitor.slow_down(400_000)
    visitor.make()
    visitor.wait_for_work("uploading")
    expect(visitor.part("work-detail")).to_contain_text(re.compile("%.* of .*/s · .* left"))

    visitor.part("work").get_by_role("button", name="Cancel").click()

    expect(visitor.part("work")).to_have_count(0)
    visitor.page.get_by_role("button", name="Activity").click()
    expect(visitor.page.locator(".job__state")).to_have_text("Cancelled")


def test_a_large_upload_goes_on_after_a_reload(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    signed_in(visitor, unique_name("gus"))
    sent: list[str] = []
    visitor.page.on("request", lambda request: sent.append(request.url) if PART.search(request.url) else None)
    visitor.choose(picture(large_png(), "large.png"))
    visitor.slow_down(1_000_000)
    visitor.make()
    visitor.wait_for_work("uploading")
    expect(visitor.part("work-detail")).to_contain_text(re.compile(r"^(7[0-9]|8[0-9]|9[0-9])%"))
    visitor.slow_down(0)

    visitor.go("/")
    visitor.wait_for_work("done")

    assert [url.rpartition("/")[2] for url in sent] == ["1", "2", "1"], "the second, smaller one had arrived"


def test_parts_that_the_network_loses_are_sent_again_and_nothing_else(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    signed_in(visitor, unique_name("moe"))
    visitor.expect_console("ERR_CONNECTION_RESET")
    leaves, lost, put = Leaves(visitor.page), [], []
    visitor.page.on("response", lambda got: put.append(got.url) if PART.search(got.url) else None)
    visitor.page.route(PART, lambda route: (lost.append(route.request.url), route.abort("connectionreset")), times=3)
    visitor.choose(picture(large_png(), "large.png"))

    visitor.make()
    visitor.wait_for_work("done")

    assert len(lost) == 3
    assert sorted(url.rpartition("/")[2] for url in put) == ["1", "2"]
    assert len(leaves.asked) == 1


def test_parts_that_outlive_the_token_go_on_with_a_fresh_one_for_the_same_key(
    visitor: Visitor, server: ServerProcess, unique_name: Callable[[str], str]
) -> None:
    signed_in(visitor, unique_name("lea"))
    visitor.expect_console("status of 401")
    leaves = Leaves(visitor.page, installation_keys(server.data_dir / "bucket-keys.json"))
    put: list[str] = []
    visitor.page.on("response", lambda got: put.append(got.url) if PART.search(got.url) and got.ok else None)
    visitor.choose(picture(encoded(photo(1700, 1700, 5), "PNG", compress_level=0), "large.png"))
    visitor.slow_down(1_500_000)
    visitor.make()
    visitor.wait_for_work("uploading")
    visitor.wait_for_work("done")

    assert [url.rpartition("/")[2] for url in sorted(put)] == ["1", "2", "3"]
    assert len(leaves.asked) == 2
    assert leaves.asked[1]["key"].startswith("source/")


def test_a_failed_upload_says_what_to_do_and_is_tried_again(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    signed_in(visitor, unique_name("hal"))
    visitor.expect_console("ERR_FAILED")
    broken: list[Route] = []
    visitor.choose(picture(png(320, 240), "small.png"))
    visitor.page.route(FORM, lambda route: (broken.append(route), route.abort()), times=1)

    visitor.make()
    visitor.wait_for_work("failed")
    expect(visitor.part("work-detail")).to_contain_text("nothing is lost")
    visitor.part("work").get_by_role("button", name="Try again").click()

    visitor.wait_for_work("done")
    assert len(broken) == 1


def test_a_render_is_found_again_after_a_reload(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    signed_in(visitor, unique_name("ina"))
    visitor.choose(picture(png(320, 240), "small.png"))
    visitor.page.route(
        "**/tasks/**", lambda route: route.abort() if "add" not in route.request.url else route.continue_()
    )
    visitor.expect_console("ERR_FAILED|Failed to load")
    visitor.make()
    visitor.wait_for_work("queued")
    visitor.page.unroute("**/tasks/**")

    visitor.go("/")

    visitor.wait_for_work("done")


def test_the_same_picture_is_uploaded_once_for_two_recipes(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    signed_in(visitor, unique_name("jan"))
    tokens: list[str] = []
    visitor.page.on("request", lambda request: tokens.append(request.url) if "image/token" in request.url else None)
    visitor.choose(picture(png(320, 240), "small.png"))
    visitor.make()
    visitor.wait_for_work("done")

    cell = visitor.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill("20")
    cell.press("Enter")
    visitor.make()
    visitor.wait_for_work("done")

    assert len(tokens) == 1


def test_a_second_picture_that_the_server_refuses_does_not_stop_the_first(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    signed_in(visitor, unique_name("kim"))

    visitor.hand_over(picture(b"text", "letter.png"), picture(png(64, 48), "photo.png"))

    expect(visitor.part("stage-name")).to_contain_text("photo.png")
    expect(visitor.toast("letter.png cannot be read")).to_be_visible()
