"""A batch is one thing: what failed is retried, all of it is downloaded, and what cannot be is named."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Download, Route, expect

from tests.browser.user import BrowserUser, image_file, until
from tests.support.pictures import png

FORM = re.compile("/up/?$")
ADD_TASK = re.compile("/api/tasks/add/$")
ARCHIVE = """async () => {
    const { ZipArchive } = await import("/static/archive/zip.js");
    const archive = new ZipArchive();
    const large = new Uint8Array(3 * 2 ** 20).fill(120);
    await archive.add("照片.png", new Blob(["one"]));
    await archive.add("照片.png", new Blob([large, "end"]));
    const blob = archive.toBlob();
    const text = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    return [archive.size, blob.size, text(new Uint8Array(await blob.arrayBuffer()))];
}"""


def make_batch(user: BrowserUser, name: str, count: int) -> None:
    """Make mosaics of several pictures of a new user, with the drawer open."""
    user.go_signed_up(name)
    user.open_files(*[image_file(png(48, 36, seed), f"{seed}.png") for seed in range(count)])
    expect(user.page.locator(".filmstrip__frame")).to_have_count(count)
    user.page.get_by_role("button", name=f"Make all {count}").click()
    user.part("activity").click()


def images_in(download: Download) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(download.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert all(Image.open(archive.open(name)).size == (48, 36) for name in archive.namelist())
        return sorted(archive.namelist())


def test_what_failed_of_a_batch_is_retried_at_once_and_what_an_archive_lacks_is_named(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    """One upload is refused, and one task: neither step is repeated for the picture that passed it."""
    user.expect_console("status of 400|ERR_FAILED")
    uploads: list[str] = []
    refuse = {"status": 400, "json": {"code": -1, "error": "bad_param", "message": "Not now."}}
    user.page.on("request", lambda sent: uploads.append(sent.url) if FORM.search(sent.url) else None)
    user.page.route(FORM, lambda route: route.fulfill(**refuse), times=1)
    user.page.route(ADD_TASK, lambda route: route.fulfill(**refuse), times=1)
    make_batch(user, unique_name("ben"), 4)
    card = user.page.locator(".batch")
    expect(card).to_contain_text("2 of 4 finished · 2 failed")
    expect(card).to_contain_text("2 pictures: Not now.")
    expect(user.toast("2 pictures are finished, 2 failed.")).to_be_visible()

    card.get_by_role("button", name="Retry failed").click()
    expect(card).to_contain_text("4 of 4 finished")
    expect(card).not_to_contain_text("failed")
    expect(card.locator('li[data-phase="done"] a')).to_have_count(4)
    assert len(uploads) == 5

    lost = lose_one_result(user)
    with user.page.expect_download() as download:
        card.get_by_role("button", name="Download all").click()
    notice = user.toast("1 picture could not be downloaded: 0.png")
    expect(notice).to_be_visible()
    assert images_in(download.value) == ["1-mosaic.png", "2-mosaic.png", "3-mosaic.png"]
    with user.page.expect_download() as download:
        notice.get_by_role("button", name="Try again").click()
    assert images_in(download.value) == ["0-mosaic.png"]
    assert len(lost) == 1


def test_pictures_wait_for_a_place_in_the_queue_and_none_fails(user: BrowserUser) -> None:
    """A guest makes more pictures at once than the queue takes."""
    user.expect_console("status of (429|503)")
    refused: list[str] = []
    accepted: list[Route] = []

    def refuse(route: Route) -> None:
        if not accepted:
            accepted.append(route)
            route.continue_()
            return
        slug, status = (("too_many_tasks", 429), ("queue_full", 503))[len(refused) % 2]
        refused.append(slug)
        route.fulfill(status=status, headers={"Retry-After": "1"}, json={"code": -1, "error": slug, "message": "Full."})

    user.page.route(ADD_TASK, refuse)
    user.go("/")
    user.open_files(*[image_file(png(48, 36, seed), f"{seed}.png") for seed in range(3)])
    user.page.get_by_role("button", name="Make all 3").click()
    user.part("activity").click()
    card = user.page.locator(".batch")
    until(user.page, lambda: set(refused), {"too_many_tasks", "queue_full"})
    expect(card).to_contain_text("1 of 3 finished · Waiting for a place in the queue")
    download = card.get_by_role("button", name="Download all")
    download.focus()

    user.page.unroute(ADD_TASK)

    expect(card).to_contain_text("3 of 3 finished")
    expect(card).not_to_contain_text("failed")
    expect(download).to_be_focused()


def lose_one_result(user: BrowserUser) -> list[str]:
    """The next download of a mosaic fails; its address. What the stage shows meanwhile does not."""
    lost: list[str] = []

    def lose_one(route: Route) -> None:
        if lost or route.request.resource_type != "fetch":
            route.continue_()
        else:
            lost.append(route.request.url)
            route.abort()

    user.page.route("**/bucket/mosaic/**", lose_one)
    return lost


def test_an_archive_reads_its_files_piece_by_piece(user: BrowserUser) -> None:
    user.go("/")

    size, total, text = user.page.evaluate(ARCHIVE)

    with zipfile.ZipFile(io.BytesIO(text.encode("latin-1"))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["照片.png", "照片 (2).png"]
        assert archive.read("照片.png") == b"one"
        assert archive.read("照片 (2).png") == b"x" * (3 * 2**20) + b"end"
    assert size < total == len(text) == pytest.approx(size, abs=400)
