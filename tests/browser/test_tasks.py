"""Tasks live: by events, by asking, not at all; the developers' page; a quiet notice elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Request, Route, expect

from tests.browser.conftest import DEVELOPER
from tests.browser.held_requests import HeldRequests
from tests.browser.user import BrowserUser, image_file, until
from tests.support.pictures import png
from tests.support.process import ServerProcess

ADD_TASKS = """async styles => {
    const { tasks } = await (await fetch("/tasks/query/")).json();
    for (const param of styles) {
        const body = JSON.stringify({ url: tasks[0].url, param });
        await fetch("/api/tasks/add/", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    }
}"""


def test_a_finished_mosaic_is_told_elsewhere_on_the_site(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    user.go_signed_up(unique_name("uma"))
    user.open_files(image_file(png(64, 48), "far.png"))
    user.make()

    user.page.get_by_role("link", name="Gallery", exact=True).click()
    notice = user.toast("far.png is finished.")
    expect(notice).to_be_visible()
    notice.get_by_role("button", name="Open").click()

    expect(user.part("by")).to_have_text(f"by {user.name}")


def test_the_queue_moves_before_a_strangers_eyes(
    user: BrowserUser, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    stranger = new_user()
    stranger.go("/tasks/")
    expect(stranger.part("connection")).to_have_text("Updated every 2 seconds")
    user.go_signed_up(unique_name("wim"))
    user.open_files(image_file(png(64, 48), "secret.png"))

    user.make()
    user.wait_for_job("done")

    expect(stranger.page.locator('.task[data-state="done"]').first).to_contain_text("Roman mosaic")
    expect(stranger.part("done")).not_to_contain_text(user.name)
    expect(stranger.part("pause")).to_have_count(0)


COLUMN_EDGES = (
    """() => [...document.querySelectorAll(".task__when")].map(cell => Math.round(cell.getBoundingClientRect().x))"""
)


def test_a_developer_pauses_the_queue_cancels_and_tries_again(developer: BrowserUser, maker: BrowserUser) -> None:
    expect(maker.part("job-card-detail")).to_have_text("The queue is paused")
    waiting = developer.page.locator('.task[data-state="queued"]', has_text=maker.name)
    waiting.get_by_role("button", name="Cancel").click()
    cancelled = developer.page.locator('.task[data-state="cancelled"]', has_text=maker.name)
    cancelled.get_by_role("button", name="Try again").click()
    expect(waiting).to_be_visible()
    until(developer.page, lambda: len(set(developer.page.evaluate(COLUMN_EDGES))), 1)
    developer.part("pause").click()

    expect(developer.page.locator('.task[data-state="done"]', has_text=maker.name)).to_be_visible()
    until(developer.page, lambda: len(set(developer.page.evaluate(COLUMN_EDGES))), 1)


def test_a_batch_is_cancelled_at_once_wherever_its_pictures_are(
    pausable_server: ServerProcess,
    developer: BrowserUser,
    new_user: Callable[..., BrowserUser],
    unique_name: Callable[[str], str],
) -> None:
    """Two wait in the paused queue, two are being uploaded, two wait for that."""
    user = new_user(base_url=pausable_server.base_url)
    user.go_signed_up(unique_name("xeni"))
    user.open_files(*[image_file(png(48, 36, seed), f"{seed}.png") for seed in range(6)])
    expect(user.page.locator(".filmstrip__frame")).to_have_count(6)
    uploads = HeldRequests(user.page, re.compile("/up/?$"), after=2)
    user.page.get_by_role("button", name="Make all 6").click()
    user.part("activity").click()
    for phase in ("queued", "uploading", "waiting"):
        expect(user.page.locator(f'.batch li[data-phase="{phase}"]')).to_have_count(2)

    user.page.get_by_role("button", name="Cancel all").click()

    expect(user.page.locator('.batch li[data-phase="cancelled"]')).to_have_count(6)
    expect(developer.page.locator('.task[data-state="cancelled"]', has_text=user.name)).to_have_count(2)
    expect(developer.page.locator('.task[data-state="queued"]')).to_have_count(0)
    expect(user.page.locator(".toast")).to_have_count(0)
    assert len(uploads) == 2
    user.page.locator(".batch").get_by_role("button", name="Remove").click()
    expect(user.page.locator(".batch")).to_have_count(0)
    uploads.abort()


def test_seven_tabs_share_one_stream_which_outlives_its_tab(developer: BrowserUser, maker: BrowserUser) -> None:
    context, streams, most = maker.page.context, set[Request](), [0]

    def open_stream(request: Request) -> None:
        if "/tasks/events" in request.url:
            streams.add(request)
            most[0] = max(most[0], len(streams))

    def close_stream(request: Request) -> None:
        streams.discard(request)

    tabs = [BrowserUser(context.new_page()) for _ in range(6)]
    for page in context.pages:
        page.on("request", open_stream)
        page.on("requestfailed", close_stream)
        page.on("requestfinished", close_stream)
    for tab in tabs:
        tab.go("/gallery")  # with a stream for each tab, the seventh would wait for a connection
        expect(tab.part("activity-count")).to_have_text("1")
    assert most == [0]

    with context.expect_event("request", lambda request: "/tasks/events" in request.url):
        maker.page.close()
    developer.part("pause").click()

    for tab in tabs:
        expect(tab.toast("waits.png is finished.")).to_be_visible()
    assert most == [1], "the next tab connects when the one before it has ended, also after the last task"


def test_positions_of_other_users_tasks_follow_the_queue(
    pausable_server: ServerProcess, developer: BrowserUser, maker: BrowserUser, new_user: Callable[..., BrowserUser]
) -> None:
    maker.page.evaluate(ADD_TASKS, ["hexagon", "triangle"])
    stranger = new_user(base_url=pausable_server.base_url)
    stranger.go("/tasks/")
    waiting = stranger.page.locator('.task[data-state="queued"]')
    expect(waiting.last).to_contain_text("Triangles")
    expect(waiting.last).to_contain_text("position 3")

    developer.page.locator(".task", has_text="Roman mosaic").get_by_role("button", name="Cancel").click()

    expect(waiting.last).to_contain_text("position 2")
    expect(waiting.first).to_contain_text("Honeycomb")
    expect(waiting.first).to_contain_text("position 1")


def test_the_queue_page_requests_nothing_while_it_is_hidden(new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(last=True)
    requests: list[str] = []
    user.page.clock.install()
    user.go("/tasks/")
    user.page.on("request", lambda request: requests.append(request.url))
    expect(user.part("connection")).to_have_text("Updated every 2 seconds")
    with user.page.expect_request("**/tasks/query/**"):
        user.page.clock.run_for(2500)

    user.page.evaluate(
        """() => {
            Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    user.page.wait_for_load_state("networkidle")
    requests.clear()
    user.page.clock.run_for(10_000)

    assert requests == []


def test_a_developer_searches_the_history(
    own_server: ServerProcess, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    maker = new_user(base_url=own_server.base_url)
    maker.go_signed_up(unique_name("yan"))
    maker.open_files(image_file(png(64, 48), "one.png"))
    for style in ("mosaic", "hexagon"):
        maker.select_style(style)
        maker.make()
        maker.wait_for_job("done")
    user = new_user(base_url=own_server.base_url)
    user.go("/tasks/")
    user.sign_in(DEVELOPER)
    rows, search = user.page.locator(".task"), user.part("search")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Honeycomb")
    for column in (".task__state", ".task__what", ".task__when"):
        lefts = rows.locator(column).evaluate_all("cells => cells.map((cell) => cell.getBoundingClientRect().x)")
        assert lefts[0] == lefts[1], column
    number = rows.last.locator(".task__id").inner_text()

    for word, count in (("Honeycomb", 1), (maker.name, 2), (number, 1), ("nobody", 0)):
        search.get_by_role("searchbox").fill(word)
        search.get_by_role("button", name="Search").click()
        expect(rows).to_have_count(count)
    expect(user.page.get_by_text("No tasks.", exact=True)).to_be_visible()
    search.get_by_role("searchbox").fill("")  # sends `input` and no `search`, as in WebKit and Firefox
    expect(rows).to_have_count(2)
    states = user.page.get_by_role("group", name="State")
    states.get_by_role("button", name="Failed").click()
    expect(rows).to_have_count(0)
    states.get_by_role("button", name="Finished").click()

    expect(rows).to_have_count(2)
    expect(user.page).to_have_url(re.compile(r"/tasks/\?state=failed%2Cdone$"))
    user.go("/tasks/?state=failed")  # as an alert links to it
    expect(states.get_by_role("button", name="Failed")).to_have_attribute("aria-pressed", "true")
    expect(user.page.get_by_text("No tasks.", exact=True)).to_be_visible()


def test_older_tasks_are_fetched_when_they_are_wanted(user: BrowserUser) -> None:
    def tasks(first: int, count: int) -> list[dict[str, object]]:
        return [
            {"id": 10_000 - number, "state": "done", "style": "mosaic", "created": "2026-01-01T00:00:00.000Z"}
            for number in range(first, first + count)
        ]

    def answer(route: Route) -> None:
        second = "cursor=" in route.request.url
        page = {"tasks": [], "done": tasks(50, 7) if second else tasks(0, 50), "cursor": None if second else "x-1"}
        route.fulfill(json={"code": 1, "totals": {}, "paused": False, **page})

    user.page.route("**/api/tasks/query/**", answer)
    user.page.route("**/tasks/events/", lambda route: route.abort())
    user.expect_console("ERR_FAILED")
    user.go("/tasks/")
    rows = user.page.locator(".task")
    expect(rows).to_have_count(50)

    user.page.get_by_role("button", name="Show older").click()

    expect(rows).to_have_count(57)
    expect(user.part("older")).to_have_count(0)


def test_being_offline_is_told_and_so_is_the_way_back(user: BrowserUser) -> None:
    user.expect_console("ERR_INTERNET_DISCONNECTED")
    user.go("/")

    user.page.context.set_offline(True)
    expect(user.part("offline")).to_contain_text("You are offline.")
    user.page.context.set_offline(False)

    expect(user.part("offline")).to_have_count(0)
    expect(user.toast("The connection is back.")).to_be_visible()
