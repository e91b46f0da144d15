"""What mosaics are built from: one's own pictures, shapes of an SVG."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Route, expect

from tests.browser.user import BrowserUser, box_of, image_file
from tests.support.pictures import encoded, png

ENOUGH = 20

UPLOAD = """async files => {
    for (const [name, bytes] of files) {
        const request = { method: "POST", headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ filename: name, filesize: bytes.length }) };
        const ticket = await (await fetch("/api/image/token/", request)).json();
        const form = new FormData();
        form.append("token", ticket.token);
        form.append("key", ticket.key);
        form.append("file", new Blob([new Uint8Array(bytes)], { type: "image/png" }), name);
        const answer = await fetch(ticket.upload_url, { method: "POST", body: form });
        if (!answer.ok) throw new Error(await answer.text());
    }
}"""

HOLD_LISTS = """() => {
    const real = window.fetch;
    const gate = new Promise(resolve => { window.letGo = resolve; });
    window.fetch = async (...args) => {
        if (String(args[0]?.url ?? args[0]).includes("/api/feed/")) await gate;
        return real(...args);
    };
}"""


def plain(number: int) -> bytes:
    """A small picture in a colour of its own."""
    colour = (number * 97 % 256, number * 57 % 256, number * 31 % 256)
    return encoded(Image.new("RGB", (24, 24), colour), "PNG")


def with_pictures(user: BrowserUser, name: str, count: int) -> None:
    """A user with this number of pictures."""
    user.go_signed_up(name)
    user.page.evaluate(UPLOAD, [[f"tile {number}.png", list(plain(number))] for number in range(count)])
    user.go("/")


def set_cell(user: BrowserUser, pixels: int) -> None:
    cell = user.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill(str(pixels))
    cell.press("Enter")


def see_result(user: BrowserUser) -> None:
    user.visibility.select_option("Anyone with the link")
    user.make()
    user.wait_for_job("done")
    user.part("job-card").get_by_role("link", name="Open").click()
    expect(user.part("by")).to_have_text(f"by {user.name}")


def chosen(user: BrowserUser) -> Locator:
    return user.page.locator(".tile-picker__item input:checked")


def test_a_photomosaic_is_built_from_all_of_ones_pictures_unless_told_otherwise(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    with_pictures(user, unique_name("una"), ENOUGH + 1)
    user.open_files(image_file(png(64, 48), "target.png"))

    user.select_style("photomosaic")

    expect(user.part("tiles-count")).to_have_text("21 of your 21 pictures")
    expect(chosen(user)).to_have_count(ENOUGH + 1)
    expect(user.part("tiles-few")).to_have_count(0)
    user.page.get_by_role("button", name="None", exact=True).click()
    expect(user.part("tiles-count")).to_have_text("Small copies of the picture itself; you have 21 pictures.")
    user.page.get_by_label("tile 3.png").check(force=True)
    expect(user.part("tiles-count")).to_have_text("1 of your 21 pictures")
    expect(user.part("tiles-few")).to_contain_text("fewer than 20")


def test_with_few_pictures_one_is_told_so_and_adds_some(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    user.go_signed_up(unique_name("ugo"))
    user.open_files(image_file(png(64, 48), "target.png"))
    user.select_style("photomosaic")
    expect(user.part("tiles-few")).to_contain_text("fewer than 20")
    row = box_of(user.page.locator('[data-parameter="tiles"]'))
    assert box_of(user.part("tiles-few"))["width"] > row["width"] * 0.8, "the words have the width of the panel"

    added = [image_file(plain(number), f"new {number}.png") for number in range(ENOUGH)]
    user.page.locator('[data-part="tiles-file"]').set_input_files(added)

    expect(user.part("tiles-count")).to_have_text("20 of your 20 pictures")


def test_who_has_more_pictures_than_are_listed_is_told_so_and_uploads_none_twice(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    """500 of them; each request is answered with further ones, so that the one that is there is not listed."""
    numbers = itertools.count(10**15)

    def answer(route: Route) -> None:
        usual = {
            "thumbnails": {"320": "/static/icon-192.png"},
            "title": "",
            "alt": "",
            "param": "",
            "created": "2026-01-01T00:00:00.000Z",
            "placeholder": "#777777",
        }
        images = [{"id": next(numbers), "filename": "many.png", **usual} for _ in range(100)]
        route.fulfill(json={"code": 1, "images": images, "cursor": "further"})

    user.go_signed_up(unique_name("uli"))
    user.open_files(image_file(png(64, 48), "target.png"))
    user.select_style("photomosaic")
    user.part("tiles-file").set_input_files(image_file(plain(1), "old.png"))
    expect(user.page.locator(".tile-picker__item")).to_have_count(1)
    user.page.route("**/api/feed/*", answer)
    user.page.route("**/api/preview/", lambda route: route.fulfill(body=png(64, 48), content_type="image/png"))
    user.expect_console("400.*/api/preview/")  # asked for after the test: there are no such images
    user.go("/")
    user.open_files(image_file(png(64, 48), "target.png"))
    user.select_style("photomosaic")

    expect(user.part("tiles-few")).to_have_text("You have more pictures; only the 500 newest are listed here.")
    tokens = []
    user.page.on("request", lambda request: tokens.append(request) if "/api/image/token/" in request.url else None)
    user.part("tiles-file").set_input_files(image_file(plain(1), "again.png"))
    expect(user.toast("1 picture was here already.")).to_be_visible()
    assert not tokens


def test_a_folder_is_uploaded_with_one_progress_and_what_is_there_already_is_skipped(
    user: BrowserUser, unique_name: Callable[[str], str], tmp_path: Path
) -> None:
    """The second time, as after an interruption, only the new picture is sent; a duplicate and a text are not."""
    folder = tmp_path / "holiday"
    folder.mkdir()
    for name, data in {"a.png": plain(1), "b.png": plain(2), "b again.png": plain(2), "notes.txt": b"x"}.items():
        (folder / name).write_bytes(data)
    user.go_signed_up(unique_name("uwa"))
    user.open_files(image_file(png(64, 48), "target.png"))
    user.select_style("photomosaic")
    expect(user.part("tiles-count")).to_contain_text("you have 0 pictures")
    tokens = []
    user.page.on("request", lambda request: tokens.append(request) if "/api/image/token/" in request.url else None)

    user.part("tiles-folder-file").set_input_files(folder)
    expect(user.page.locator(".tile-picker__item")).to_have_count(2, timeout=20_000)
    expect(user.part("tiles-meter")).to_be_hidden()
    sent = len(tokens)
    (folder / "c.png").write_bytes(plain(3))
    user.part("tiles-folder-file").set_input_files(folder)

    expect(user.page.locator(".tile-picker__item")).to_have_count(3, timeout=20_000)
    expect(user.toast("3 pictures were here already.")).to_be_visible()
    assert (sent, len(tokens)) == (2, 3)


def test_public_mosaics_of_everybody_join_ones_own_pictures_and_the_preview_says_what_would_help(
    user: BrowserUser, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    with_pictures(user, unique_name("ulla"), 2)
    user.page.get_by_role("link", name="New photomosaic").click()
    expect(user.part("title")).to_have_text("New photomosaic")
    user.open_files(image_file(png(64, 48), "target.png"))
    expect(user.part("tiles-count")).to_contain_text("you have 2 pictures")
    user.select_style("hexagon")
    user.visibility.select_option("In the gallery")
    user.make()
    user.wait_for_job("done")
    black = encoded(Image.new("RGB", (64, 48), "black"), "PNG")
    user.open_files(image_file(black, "night.png"))
    user.select_style("photomosaic")
    expect(user.part("tiles-count")).to_contain_text("you have 4 pictures")

    user.part("tiles-everybody").check()

    expect(user.part("tiles-count")).to_contain_text(re.compile("and [0-9]+ mosaics? of others"))
    expect(user.part("tiles-missing")).to_contain_text("more dark picture")
    user.part("tiles-everybody").uncheck()
    expect(user.part("tiles-missing")).to_be_hidden()
    expect(user.part("tiles-count")).to_contain_text("Small copies of the picture itself")

    stranger = new_user()
    stranger.go("/photomosaic")
    stranger.open_files(image_file(black, "night.png"))
    expect(stranger.part("tiles-signed-out")).to_contain_text("small copies of the picture itself")
    stranger.part("tiles-everybody").check()
    expect(stranger.part("tiles-signed-out")).to_contain_text(re.compile(r"Public mosaics of others: \d+\. Sign in"))
    stranger.make()
    stranger.wait_for_job("done")
    listed = stranger.page.evaluate("fetch('/api/feed/?view=mine&kind=result').then(answer => answer.json())")
    assert listed["images"][0]["map_url"], "which a photomosaic without a pool does not have"


def test_all_of_them_cannot_be_asked_for_before_they_are_known_and_change_the_preview(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    with_pictures(user, unique_name("uwe"), 3)
    user.open_files(image_file(png(64, 48), "target.png"))
    user.page.evaluate(HOLD_LISTS)
    user.select_style("photomosaic")
    everything = user.page.get_by_role("button", name="All", exact=True)
    expect(user.part("tiles-count")).to_have_text("Loading your pictures …")
    expect(everything).to_be_disabled()

    user.page.evaluate("letGo()")
    expect(everything).to_be_enabled()
    before = user.wait_for_preview()
    everything.click()

    expect(chosen(user)).to_have_count(3)
    after = user.page.locator('[data-part="workspace"] [data-part="after"]')
    expect(after).not_to_have_attribute("src", before)


def test_a_stranger_is_asked_in_to_build_from_own_pictures(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48), "target.png"))
    user.select_style("photomosaic")

    user.part("tiles-signed-out").get_by_role("button", name="Sign in").click()
    user.part("sign-in-switch").click()
    user.sign_up(unique_name("ulf"))

    expect(user.part("tiles-own")).to_be_visible()
    expect(user.part("stage-name")).to_contain_text("target.png")


def test_an_svg_is_shown_in_pixels_and_downloaded_as_it_is_or_in_pixels(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go_signed_up(unique_name("ulla"))
    user.open_files(image_file(png(320, 240), "flat.png"))
    user.page.locator('[data-parameter="format"] select').select_option("svg")
    user.make()
    user.wait_for_job("done")
    expect(user.part("stage-note")).to_have_text("Full size")
    on_bench = user.page.locator('[data-part="workspace"] [data-part="after"]')
    expect(on_bench).to_have_js_property("naturalWidth", 320)
    user.part("job-card").get_by_role("link", name="Open").click()
    expect(user.part("by")).to_have_text(f"by {user.name}")
    after = user.page.locator('[data-page="image"] [data-part="after"]')
    expect(after).to_have_js_property("naturalWidth", 320)

    shapes, pixels = (download(user, kind) for kind in ("svg", "png"))

    assert shapes.lstrip().startswith(b"<svg") or shapes.startswith(b"<?xml")
    with Image.open(io.BytesIO(pixels)) as image:
        assert (image.format, image.size) == ("PNG", (320, 240))


def download(user: BrowserUser, kind: str) -> bytes:
    """A file of the result whose page is open, from the menu."""
    user.part("download-menu").locator("summary").click()
    with user.page.expect_download() as file:
        user.page.get_by_role("button", name=f"Download as {kind.upper()}").click()
    assert file.value.suggested_filename == f"Roman mosaic.{kind}"
    return file.value.path().read_bytes()
