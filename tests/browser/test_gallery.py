"""The gallery: stable places, endless scroll, the way back, views, and a picture's own page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.account import Account
from tests.browser.held_requests import HeldRequests
from tests.browser.test_every_page import expect_to_fit
from tests.browser.user import BrowserUser, image_file, until
from tests.support.pictures import png
from tests.support.process import ServerProcess

MANY = 30
RIGHT_EDGE = """() => Math.max(
    ...[...document.querySelectorAll(".image-card")].map(card => card.getBoundingClientRect().right))"""

MIDDLE = """(element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const { x, width } = range.getBoundingClientRect();
    return x + width / 2;
}"""
FILL = """async ([name, password, bytes, count]) => {
    const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body) }).then(answer => answer.json());
    await post("/api/user/add/", { email: `${name}@example.com`, username: name, password });
    await post("/api/user/query/", { username: name, password });
    const ticket = await post("/api/image/token/", { filename: "source.png", filesize: bytes.length, param: "" });
    const form = new FormData();
    form.append("token", ticket.token);
    form.append("key", ticket.key);
    form.append("file", new Blob([new Uint8Array(bytes)], { type: "image/png" }), "source.png");
    const source = await (await fetch(ticket.upload_url, { method: "POST", body: form })).json();
    const ids = [];
    for (let cell = 2; cell < count + 2; cell += 1) {
        const param = { style: "mosaic", cell };
        const answer = await post("/api/tasks/add/", { url: source.url, param, visibility: "public" });
        if (!answer.task) throw new Error(JSON.stringify(answer));
        ids.push(answer.task.id);
    }
    for (;;) {
        const { done } = await (await fetch("/api/tasks/query/")).json();
        if (ids.every(id => done.some(task => task.id === id))) return;
        await new Promise(resolve => setTimeout(resolve, 100));
    }
}"""


@pytest.fixture(scope="module")
def painter(browser: Browser, server: ServerProcess) -> str:
    """The name of a user with many images."""
    context = browser.new_context(base_url=server.base_url)
    page = context.new_page()
    page.goto("/gallery")
    page.evaluate(FILL, ["petra", "seven small stones", list(png(300, 200)), MANY])
    context.close()
    return "petra"


def shift_of(user: BrowserUser) -> float:
    return float(
        user.page.evaluate(
            """() => new Promise(resolve => new PerformanceObserver(list =>
                resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)))
                .observe({ type: "layout-shift", buffered: true }) || setTimeout(() => resolve(0), 300))"""
        )
    )


def test_the_grid_loads_as_one_scrolls_and_nothing_shifts(painter: str, new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(viewport={"width": 1280, "height": 400})  # far from the end, at which the grid fetches more
    user.go(f"/u/{painter}")
    tiles = user.page.locator('[data-page="profile"] .image-card')
    expect(tiles).to_have_count(24)

    user.page.keyboard.press("End")

    expect(tiles).to_have_count(MANY)
    assert shift_of(user) < 0.02


def test_a_grid_that_nobody_sees_loads_no_further_pages(painter: str, user: BrowserUser) -> None:
    feeds: list[str] = []
    user.page.on("request", lambda request: feeds.append(request.url) if "/api/feed/" in request.url else None)
    late = HeldRequests(user.page, re.compile("/api/feed/"))
    user.go(f"/u/{painter}")
    until(user.page, lambda: len(late), 1)

    user.page.get_by_role("link", name="Studio", exact=True).click()
    expect(user.part("welcome")).to_be_visible()
    late.release()

    until(user.page, lambda: user.page.locator('[data-page="profile"] .image-card').count() >= 24)
    user.page.evaluate("fetch('/api/styles/').then(answer => answer.text())")  # what it asks for, it has asked for
    assert len(feeds) == 1


def test_pictures_and_people_need_no_sideways_scrolling_in_a_narrow_window_and_with_large_text(
    painter: str, user: BrowserUser
) -> None:
    user.go(f"/u/{painter}")
    user.page.locator(".image-card:visible").first.wait_for()
    picture_page = str(user.page.locator(".image-card:visible").first.get_attribute("href"))

    for path in ("/gallery", f"/u/{painter}", picture_page):
        user.page.set_viewport_size({"width": 320, "height": 640})
        user.go(path)
        expect_to_fit(user)
        user.page.set_viewport_size({"width": 640, "height": 640})
        user.page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
        expect_to_fit(user)


def test_a_thumbnail_fits_its_place(painter: str, user: BrowserUser) -> None:
    user.go(f"/u/{painter}")
    first = user.page.locator(".image-card__image").first
    first.wait_for()

    until(user.page, lambda: bool(re.search("/thumbnail/[0-9]+/320$", first.evaluate("image => image.currentSrc"))))
    user.page.set_viewport_size({"width": 2560, "height": 1440})
    user.page.wait_for_function(f"() => ({RIGHT_EDGE})() > 2560 * 0.95")


def test_back_returns_to_the_place(painter: str, user: BrowserUser) -> None:
    user.go(f"/u/{painter}")
    user.page.locator(".image-card:visible").nth(8).wait_for()
    user.page.evaluate("scrollTo(0, 700)")
    user.page.wait_for_function("() => history.state?.scrollTop > 600")
    user.page.locator(".image-card:visible").nth(8).click()
    expect(user.part("by")).to_have_text(f"by {painter}")

    user.page.go_back()

    expect(user.page.locator('[data-page="profile"]')).to_be_visible()
    user.page.wait_for_function("() => Math.abs(scrollY - 700) < 4")


def test_an_empty_view_invites_and_proposes_people(
    painter: str, user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    Account(user, unique_name("leo"))
    user.go("/gallery")

    user.page.get_by_role("link", name="Following", exact=True).click()

    nothing = user.page.get_by_text("The people you follow have not published anything yet.")
    expect(nothing).to_be_visible()
    title = user.part("suggestions").get_by_role("heading")
    assert title.evaluate(MIDDLE) == pytest.approx(nothing.evaluate(MIDDLE), abs=1)
    user.part("suggestions").get_by_role("link", name=painter).click()
    expect(user.part("name")).to_have_text(painter)


def test_following_shows_the_pictures_of_those_one_follows(
    painter: str, user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    Account(user, unique_name("mia"))
    user.go(f"/u/{painter}")
    user.part("follow").click()
    expect(user.part("follow")).to_have_text("Following")
    user.page.get_by_role("link", name="Gallery", exact=True).click()

    user.page.get_by_role("link", name="Following", exact=True).click()

    expect(user.page.locator(".image-card:visible").first).to_contain_text(painter)


def with_another_address(route: Route) -> None:
    """The address of a file, as signed later."""
    response = route.fetch()
    document = response.json()
    document["readable_url"] += "?later"
    route.fulfill(response=response, json=document)


def test_the_owner_describes_a_picture_shows_the_original_and_deletes_it_after_a_question(
    user: BrowserUser, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    owner = Account(user, unique_name("nia"))
    source = owner.upload(png(64, 48), "small.png")["url"]
    user.go(f"/i/{owner.make(source, {'style': 'mosaic'})}")
    user.page.get_by_role("textbox", name="Title").fill("Colours, <b>noise</b>")
    user.page.get_by_label("Description").fill("Coloured squares.")
    user.visibility.select_option("Anyone with the link")
    user.page.get_by_label("Show the original").check()
    user.page.get_by_role("button", name="Save").click()
    expect(user.toast("Saved.")).to_be_visible()
    expect(user.page.get_by_role("slider", name="Before and after")).to_be_visible()
    expect(user.page.locator('[data-page="image"] [data-part="before"][src]')).to_have_count(1)

    stranger = new_user()
    stranger.go(user.page.url.partition(user.page.url.split("/")[2])[2])

    expect(stranger.page.get_by_role("heading", level=1)).to_have_text("Colours, <b>noise</b>")
    expect(stranger.page.get_by_role("img", name="Coloured squares.")).to_be_visible()
    expect(stranger.page.get_by_role("slider", name="Before and after")).to_be_visible()
    expect(stranger.part("image-editor")).to_have_count(0)
    stranger.page.get_by_role("button", name="Zoom in").click()
    after = stranger.page.locator('[data-page="image"] [data-part="after"]')
    expect(after).to_have_attribute("style", re.compile(r"scale\(1\.5\)"))
    stranger.page.route("**/api/image/query/**", with_another_address)
    stranger.sign_up(unique_name("nix"))  # the page fetches the image again
    expect(after).to_have_attribute("src", re.compile(r"\?later$"))
    expect(after).to_have_attribute("style", re.compile(r"scale\(1\.5\)"))
    stranger.page.get_by_role("button", name="Full screen").click()
    stranger.page.wait_for_function("() => document.fullscreenElement?.matches('.image-page__stage')")

    user.page.get_by_role("button", name="Delete picture").click()
    user.page.get_by_role("dialog").get_by_role("button", name="Delete picture").click()

    expect(user.page.get_by_text("You have not made a mosaic yet.")).to_be_visible()


def test_a_recipe_is_remixed_with_ones_own_photo(painter: str, user: BrowserUser) -> None:
    user.go(f"/u/{painter}")
    user.page.locator(".image-card:visible").first.click()
    expect(user.part("recipe")).to_have_text(re.compile("[0-9]+"))
    cell = re.search("[0-9]+", user.part("recipe").inner_text())
    assert cell

    user.page.get_by_role("button", name="Remix with my photo").click()
    user.open_files(image_file(png(64, 48)))

    expect(user.page.locator('[data-parameter="cell"] input[type="number"]')).to_have_value(cell[0])


def test_the_link_is_copied_and_names_the_picture(painter: str, new_user: Callable[..., BrowserUser]) -> None:
    sharer = new_user(permissions=["clipboard-read", "clipboard-write"])
    sharer.go(f"/u/{painter}")
    sharer.page.locator(".image-card:visible").first.click()
    expect(sharer.page.get_by_role("heading", level=1, name="Square blocks")).to_be_visible()  # nothing moves any more

    sharer.page.get_by_role("button", name="Share").click()

    expect(sharer.toast("Link copied.")).to_be_visible()
    assert sharer.page.evaluate("navigator.clipboard.readText()") == sharer.page.url


def test_who_sees_a_picture_is_chosen_remembered_and_changed_for_many(
    user: BrowserUser, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    user.go_signed_up(unique_name("pia"))
    user.open_files(image_file(png(64, 48), "one.png"), image_file(png(240, 320, seed=2), "two.png"))
    expect(user.visibility).to_have_value("private")
    user.make()
    user.wait_for_job("done")
    private_page = str(user.part("job-card").get_by_role("link", name="Open").get_attribute("href"))
    stage = user.page.locator('[data-part="after"]:visible')
    expect(stage).to_have_attribute("src", re.compile(r"/bucket/mosaic/.*token="))
    user.visibility.select_option("In the gallery")
    expect(user.part("make-note")).to_contain_text("with your name")
    user.part("make-all").click()
    expect(user.toast("2 pictures are finished.")).to_be_visible()
    user.go("/")
    expect(user.visibility).to_have_value("public")

    stranger = new_user()
    stranger.expect_console("404")
    stranger.go("/gallery")
    expect(stranger.page.locator(".image-card", has_text=f"{user.name} · 2 pictures")).to_be_visible()
    user.follow("/gallery?view=mine")
    user.page.get_by_role("button", name="Select pictures").click()
    user.page.get_by_role("checkbox").first.check()
    expect(user.part("selection-count")).to_have_text("1 selected")
    user.page.get_by_role("button", name="All", exact=True).click()
    user.part("selection-visibility").select_option("Only you")
    user.page.get_by_role("button", name="Change", exact=True).click()
    expect(user.toast("2 pictures changed.")).to_be_visible()

    expect(user.page.locator(".image-card__by", has_text="Only you")).to_have_count(2)
    stranger.go(private_page)
    expect(stranger.page.get_by_role("heading", name="Page not found")).to_be_visible()
    user.page.locator(".image-card:visible").last.click()
    expect(user.part("visibility")).to_have_text("Only you")
    user.page.get_by_role("button", name="Share").click()
    expect(user.toast("Only you can see this picture.")).to_be_visible()
    user.visibility.select_option("Anyone with the link")
    user.page.get_by_role("button", name="Save").click()
    expect(user.part("visibility")).to_have_text("Anyone with the link")
    stranger.go(user.page.url.partition(user.page.url.split("/")[2])[2])
    expect(stranger.part("by")).to_have_text(f"by {user.name}")
