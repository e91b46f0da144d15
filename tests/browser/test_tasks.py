"""Tasks live: by events, by asking, not at all; the developers' page; a quiet notice elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import Request, Route, expect

from tests.browser.account import Account
from tests.browser.conftest import DEVELOPER
from tests.browser.held_requests import HeldRequests
from tests.browser.user import BrowserUser, image_file, until
from tests.support.pictures import png

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
    late = HeldRequests(user.page, re.compile("/api/tasks/add/"))  # or it may be finished before the user leaves
    user.make()
    until(user.page, lambda: len(late), 1)

    user.page.get_by_role("link", name="Gallery", exact=True).click()
    expect(user.page.locator('[data-page="gallery"]')).to_be_visible()
    late.release()
    notice = user.toast("far.png is finished.")
    expect(notice).to_be_visible()
    notice.get_by_role("button", name="Open").click()

    expect(user.part("by")).to_have_text(f"by {user.name}")


COLUMN_EDGES = (
    """() => [...document.querySelectorAll(".task__when")].map(cell => Math.round(cell.getBoundingClientRect().x))"""
)


def make_waiting(user: BrowserUser, name: str) -> None:
    """Sign up, and make a mosaic, which waits in the paused queue."""
    user.go_signed_up(name)
    user.open_files(image_file(png(64, 48), "waits.png"))
    user.make()
    user.wait_for_job("queued")


def test_a_developer_pauses_the_queue_cancels_and_tries_again_before_a_strangers_eyes(
    queue: Account, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    developer, maker, stranger = queue.user, new_user(), new_user()
    developer.go("/tasks/")
    developer.part("pause").click()
    expect(developer.part("pause")).to_have_text("Resume")
    make_waiting(maker, unique_name("xia"))
    expect(maker.part("job-card-detail")).to_have_text("The queue is paused")
    maker.page.evaluate(ADD_TASKS, ["hexagon", "triangle"])
    stranger.go("/tasks/")
    expect(stranger.part("connection")).to_have_text("Updated every 2 seconds")
    waiting = stranger.page.locator('.task[data-state="queued"]')
    expect(waiting.last).to_contain_text("Triangles")
    expect(waiting.last).to_contain_text("position 3")

    first = developer.page.locator(".task", has_text=maker.name).filter(has_text="Roman mosaic")
    number = stranger.page.get_by_text(first.locator(".task__id").inner_text(), exact=True)
    first.get_by_role("button", name="Cancel").click()
    expect(waiting.last).to_contain_text("position 2")
    expect(waiting.first).to_contain_text("Honeycomb")
    expect(waiting.first).to_contain_text("position 1")
    expect(first).to_have_attribute("data-state", "cancelled")
    first.get_by_role("button", name="Try again").click()
    expect(first).to_have_attribute("data-state", "queued")
    until(developer.page, lambda: len(set(developer.page.evaluate(COLUMN_EDGES))), 1)
    developer.part("pause").click()

    expect(developer.page.locator('.task[data-state="done"]', has_text=maker.name)).to_have_count(3)
    until(developer.page, lambda: len(set(developer.page.evaluate(COLUMN_EDGES))), 1)
    expect(stranger.page.locator('.task[data-state="done"]').filter(has=number)).to_contain_text("Roman mosaic")
    expect(waiting).to_have_count(0)
    expect(stranger.part("done")).not_to_contain_text(maker.name)
    expect(stranger.part("pause")).to_have_count(0)


def test_a_batch_is_cancelled_at_once_wherever_its_pictures_are(
    user: BrowserUser, paused_queue: Account, unique_name: Callable[[str], str]
) -> None:
    """One waits in the paused queue, two are being uploaded, one waits for that."""
    user.go_signed_up(unique_name("xeni"))
    user.open_files(*[image_file(png(48, 36, seed), f"{seed}.png") for seed in range(4)])
    expect(user.page.locator(".filmstrip__frame")).to_have_count(4)
    uploads = HeldRequests(user.page, re.compile("/up/?$"), after=1)
    user.page.get_by_role("button", name="Make all 4").click()
    user.part("activity").click()
    for phase, count in (("queued", 1), ("uploading", 2), ("waiting", 1)):
        expect(user.page.locator(f'.batch li[data-phase="{phase}"]')).to_have_count(count)
    until(user.page, lambda: len(uploads), 2)  # a picture is being uploaded from its request for a token on

    user.page.get_by_role("button", name="Cancel all").click()

    expect(user.page.locator('.batch li[data-phase="cancelled"]')).to_have_count(4)
    tasks = paused_queue.get(f"/api/tasks/query/?owner={quote(user.name)}")
    assert ([task["state"] for task in tasks["done"]], tasks["tasks"]) == (["cancelled"], [])
    expect(user.page.locator(".toast")).to_have_count(0)
    assert len(uploads) == 2, "the one that waited is not uploaded any more"
    user.page.locator(".batch").get_by_role("button", name="Remove").click()
    expect(user.page.locator(".batch")).to_have_count(0)
    uploads.abort()


def test_tabs_share_one_stream_which_outlives_its_tab(
    user: BrowserUser, paused_queue: Account, unique_name: Callable[[str], str]
) -> None:
    make_waiting(user, unique_name("xia"))
    context, streams, most = user.page.context, set[Request](), [0]

    def open_stream(request: Request) -> None:
        if "/tasks/events" in request.url:
            streams.add(request)
            most[0] = max(most[0], len(streams))

    def close_stream(request: Request) -> None:
        streams.discard(request)

    tabs = [BrowserUser(context.new_page()) for _ in range(2)]
    for page in context.pages:
        page.on("request", open_stream)
        page.on("requestfailed", close_stream)
        page.on("requestfinished", close_stream)
    for tab in tabs:
        tab.go("/gallery")
        expect(tab.part("activity-count")).to_have_text("1")
    assert most == [0], "with a stream for each tab, the seventh would wait for a connection"

    with context.expect_event("request", lambda request: "/tasks/events" in request.url):
        user.page.close()
    paused_queue.post("/api/tasks/resume/")

    for tab in tabs:
        expect(tab.toast("waits.png is finished.")).to_be_visible()
    assert most == [1], "the next tab connects when the one before it has ended, also after the last task"


def test_the_queue_page_requests_nothing_while_it_is_hidden(new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(last=True)
    requests: list[str] = []
    user.page.clock.install()
    user.go("/tasks/")
    user.page.on("request", lambda request: requests.append(request.url))
    expect(user.part("connection")).to_have_text("Updated every 2 seconds")
    with user.page.expect_response("**/tasks/query/**"):
        user.page.clock.run_for(2500)

    user.page.evaluate(
        """() => {
            Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    requests.clear()
    user.page.clock.run_for(10_000)

    assert requests == []


def test_a_developer_searches_the_history(
    user: BrowserUser, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    maker = Account(new_user(), unique_name("yan"))
    source = maker.upload(png(64, 48), "one.png")["url"]
    for style in ("mosaic", "hexagon"):
        maker.make(source, {"style": style})
    user.go("/tasks/")
    user.sign_in(DEVELOPER)
    rows, search = user.page.locator(".task"), user.part("search")
    own, not_failed = rows.filter(has_text=maker.name), user.page.locator('.task:not([data-state="failed"])')
    expect(own).to_have_count(2)
    expect(own.first).to_contain_text("Honeycomb")
    for column in (".task__state", ".task__what", ".task__when"):
        lefts = rows.locator(column).evaluate_all("cells => cells.map((cell) => cell.getBoundingClientRect().x)")
        assert lefts[0] == lefts[1], column
    number = own.last.locator(".task__id").inner_text()

    for word, count in (("Honeycomb", 1), (maker.name, 2), (number, 1), ("nobody", 0)):
        search.get_by_role("searchbox").fill(word)
        search.get_by_role("button", name="Search").click()
        expect(own).to_have_count(count)
        expect(rows.filter(has_not_text=word)).to_have_count(0)
    expect(user.page.get_by_text("No tasks.", exact=True)).to_be_visible()
    search.get_by_role("searchbox").fill("")  # sends `input` and no `search`, as in WebKit and Firefox
    expect(own).to_have_count(2)
    states = user.page.get_by_role("group", name="State")
    states.get_by_role("button", name="Failed").click()
    expect(own).to_have_count(0)
    expect(not_failed).to_have_count(0)
    states.get_by_role("button", name="Finished").click()

    expect(own).to_have_count(2)
    expect(user.page).to_have_url(re.compile(r"/tasks/\?state=failed%2Cdone$"))
    user.go("/tasks/?state=failed")  # as an alert links to it
    expect(states.get_by_role("button", name="Failed")).to_have_attribute("aria-pressed", "true")
    expect(rows.or_(user.page.get_by_text("No tasks.", exact=True)).first).to_be_visible()
    expect(not_failed).to_have_count(0)


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
