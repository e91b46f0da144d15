"""An outage: uploads of any size wait and continue, and the page catches up without an action of the user."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.browser.test_phone import REACHABLE
from tests.browser.user import BrowserUser, image_file, until
from tests.support.pictures import png

OURS = re.compile(r"/(api|up|tasks|thumbnail|bucket)\b|/up/?$|:[0-9]+/$")
OWN_TASKS = """async name => {
    const { tasks, done } = await (await fetch(`/api/tasks/query/?owner=${encodeURIComponent(name)}`)).json();
    return tasks.length + done.length;
}"""
CONSOLE = "ERR_FAILED|ERR_INTERNET_DISCONNECTED|Failed to load|net::ERR"


def test_a_small_upload_outlives_an_outage_and_a_lost_response_adds_no_task(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.expect_console(CONSOLE)
    user.go_signed_up(unique_name("zed"))
    user.open_files(image_file(png(64, 48), "small.png"))
    aborted: list[str] = []

    def abort(route: Route) -> None:
        aborted.append(route.request.url)
        route.abort("connectionrefused")

    def lose_response(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    user.page.route(re.compile("/up/?$"), abort)
    user.page.route("**/api/tasks/add/", lose_response, times=1)
    user.make()
    expect(user.part("job-card-detail")).to_have_text("Waiting for the connection")
    user.page.unroute(re.compile("/up/?$"))

    user.wait_for_job("done")
    assert aborted
    until(user.page, lambda: user.page.evaluate(OWN_TASKS, user.name), 1)


def test_being_offline_is_told_and_covers_make_no_more_than_a_finished_picture(user: BrowserUser) -> None:
    user.expect_console(CONSOLE)
    user.go("/")
    user.open_files(image_file(png(64, 48), "one.png"))
    user.make()
    user.wait_for_job("done")

    user.page.context.set_offline(True)
    expect(user.part("offline")).to_contain_text("You are offline.")
    for width in (820, 1280):
        user.page.set_viewport_size({"width": width, "height": 640})
        expect(user.part("offline")).to_be_visible()
        until(user.page, lambda: user.part("make").evaluate(REACHABLE))
    user.page.context.set_offline(False)

    expect(user.part("offline")).to_have_count(0)
    expect(user.toast("The connection is back.")).to_be_visible()


def test_previews_and_styles_come_back_after_an_outage_at_the_start(user: BrowserUser) -> None:
    user.expect_console(CONSOLE)
    user.page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    user.page.goto("/")
    expect(user.part("offline")).to_be_visible()

    user.page.unroute("**/api/**")

    expect(user.part("offline")).to_have_count(0)
    user.open_files(image_file(png(64, 48), "late.png"))
    expect(user.part("stage-note")).to_contain_text("Preview")


def test_a_page_that_could_not_be_loaded_says_so_in_the_users_language_and_appears_later(
    new_user: Callable[..., BrowserUser],
) -> None:
    user = new_user(locale="zh-CN")
    user.expect_console(CONSOLE)
    user.go("/")
    everything = re.compile("/api/|/static/")

    for _ in ("without the page's module", "with it"):
        user.page.route(everything, lambda route: route.abort("connectionrefused"))
        user.page.get_by_role("link", name="画廊", exact=True).click()
        expect(user.toast("无法连接服务器").last).to_be_visible()
        user.page.unroute(everything)

        expect(user.part("offline")).to_have_count(0)
        expect(user.page.locator('[data-page="gallery"] :is(.image-card, .empty)').first).to_be_visible()
        user.page.get_by_role("link", name="工作室", exact=True).click()


def test_without_events_the_page_asks_and_for_a_task_that_is_not_among_the_newest_by_itself(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    def answer(route: Route) -> None:
        """As if fifty others had finished since."""
        if "id=" in route.request.url:
            route.continue_()
        else:
            route.fulfill(
                json={"code": 1, "totals": {}, "rates": {}, "paused": False, "tasks": [], "done": [], "cursor": None}
            )

    user.expect_console("ERR_FAILED")
    user.page.route("**/tasks/events/", lambda route: route.abort())
    user.go_signed_up(unique_name("val"))
    user.open_files(image_file(png(64, 48), "polled.png"))
    user.make()
    user.wait_for_job("done")
    result = user.part("job-card").get_by_role("link", name="Open")
    first = result.get_attribute("href") or ""

    user.page.route(re.compile("/api/tasks/query/"), answer)
    user.select_style("hexagon")
    user.make()

    expect(result).not_to_have_attribute("href", first)
    user.wait_for_job("done")
