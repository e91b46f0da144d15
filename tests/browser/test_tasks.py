"""Tasks live: by events, by asking, not at all; the developers' page; a quiet notice elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import DEVELOPER
from tests.browser.user import Visitor, picture
from tests.support.pictures import png
from tests.support.process import ServerProcess

ASK_FOR = """async styles => {
    const { tasks } = await (await fetch("/tasks/query/")).json();
    for (const param of styles) {
        const body = JSON.stringify({ url: tasks[0].url, param });
        await fetch("/api/tasks/add/", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    }
}"""

FOLLOW = """async ([look, ...told]) => {
    const { Order } = await import("/static/order.js");
    const order = new Order();
    order.learn({ ...look, tasks: look.tasks.map((id, place) => ({ id, state: "queued", position: place + 1 })) });
    return told.map((event) => order.follow(event)?.map(([id]) => id) ?? null);
}"""
LOOK: dict[str, Any] = {"sight": 1000, "tasks": [11, 12, 13], "totals": {"queued": 3}}


def event(sight: int, queued: int, *moves: tuple[int, list[int], list[tuple[int, int]]]) -> dict[str, Any]:
    return {"sight": sight, "totals": {"queued": queued}, "moves": moves}


def test_a_finished_mosaic_is_told_elsewhere_on_the_site(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.go("/")
    visitor.sign_up(unique_name("uma"))
    visitor.choose(picture(png(320, 240), "far.png"))
    visitor.make()

    visitor.page.get_by_role("link", name="Gallery", exact=True).click()
    notice = visitor.toast("far.png is finished.")
    expect(notice).to_be_visible(timeout=20_000)
    notice.get_by_role("button", name="See it").click()

    expect(visitor.part("by")).to_have_text(f"by {visitor.name}")


def test_without_events_the_page_asks(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.expect_console("ERR_FAILED")
    visitor.page.route("**/tasks/events/", lambda route: route.abort())
    visitor.go("/")
    visitor.sign_up(unique_name("val"))
    visitor.choose(picture(png(320, 240), "asked.png"))

    visitor.make()

    visitor.wait_for_work("done")


def test_the_queue_moves_before_a_strangers_eyes(
    visitor: Visitor, visitor_of: Callable[..., Visitor], unique_name: Callable[[str], str]
) -> None:
    stranger = visitor_of()
    stranger.go("/tasks/")
    expect(stranger.part("live")).to_have_text("Live")
    visitor.go("/")
    visitor.sign_up(unique_name("wim"))
    visitor.choose(picture(png(320, 240), "secret.png"))

    visitor.make()
    visitor.wait_for_work("done")

    expect(stranger.page.locator('.task[data-state="done"]').first).to_contain_text("Square blocks")
    expect(stranger.part("done")).not_to_contain_text(visitor.name)
    expect(stranger.part("pause")).to_have_count(0)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose queue may be paused without anybody else waiting."""
    with ServerProcess(tmp_path / "data", f"--developers={DEVELOPER}") as running:
        yield running


@pytest.fixture
def developer(own_server: ServerProcess, visitor_of: Callable[..., Visitor]) -> Visitor:
    """At the page of the queue, which has been paused."""
    made = visitor_of(base_url=own_server.base_url)
    made.go("/tasks/")
    made.sign_up(DEVELOPER)
    made.part("pause").click()
    expect(made.part("pause")).to_have_text("Go on")
    return made


@pytest.fixture
def maker(
    own_server: ServerProcess, developer: Visitor, visitor_of: Callable[..., Visitor], unique_name: Callable[[str], str]
) -> Visitor:
    """Somebody whose mosaic waits in the paused queue."""
    made = visitor_of(base_url=own_server.base_url)
    made.go("/")
    made.sign_up(unique_name("xia"))
    made.choose(picture(png(320, 240), "waits.png"))
    made.make()
    made.wait_for_work("queued")
    return made


def test_a_developer_pauses_the_queue_cancels_and_tries_again(developer: Visitor, maker: Visitor) -> None:
    waiting = developer.page.locator('.task[data-state="queued"]', has_text=maker.name)
    waiting.get_by_role("button", name="Cancel").click()
    cancelled = developer.page.locator('.task[data-state="cancelled"]', has_text=maker.name)
    cancelled.get_by_role("button", name="Try again").click()
    expect(waiting).to_be_visible()
    developer.part("pause").click()

    expect(developer.page.locator('.task[data-state="done"]', has_text=maker.name)).to_be_visible(timeout=20_000)


def test_others_tasks_move_up_without_asking_again(
    own_server: ServerProcess, developer: Visitor, maker: Visitor, visitor_of: Callable[..., Visitor]
) -> None:
    maker.page.evaluate(ASK_FOR, ["hexagon", "triangle"])
    stranger = visitor_of(base_url=own_server.base_url)
    stranger.go("/tasks/")
    waiting = stranger.page.locator('.task[data-state="queued"]')
    expect(waiting.last).to_contain_text("Triangles")
    expect(waiting.last).to_contain_text("number 3")
    asked: list[str] = []
    stranger.page.on("request", lambda request: asked.append(request.url))

    developer.page.locator(".task", has_text="Square blocks").get_by_role("button", name="Cancel").click()

    expect(waiting.last).to_contain_text("number 2")
    expect(waiting.first).to_contain_text("Honeycomb")
    expect(waiting.first).to_contain_text("number 1")
    assert asked == []


def test_the_order_of_what_waits_is_followed_or_known_to_be_lost(visitor: Visitor) -> None:
    deep = LOOK | {"totals": {"queued": 500}}
    cases: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[list[int] | None]]] = {
        "the first one leaves": (LOOK, [event(1001, 2, (1001, [1], []))], [[12, 13]]),
        "one comes between": (LOOK, [event(1001, 4, (1001, [], [(2, 14)]))], [[11, 14, 12, 13]]),
        "many at once": (LOOK, [event(1001, 3, (1001, [1, 3], [(1, 14), (3, 15)]))], [[14, 12, 15]]),
        "a move told twice counts once": (
            LOOK,
            [event(1002, 1, (1001, [1], []), (1002, [1], [])), event(1002, 1, (1002, [1], []))],
            [[13], [13]],
        ),
        "news from before the look": (LOOK, [event(999, 4, (999, [], [(1, 10)]))], [[]]),
        "a move was missed": (LOOK, [event(1002, 1, (1002, [1], []))], [None]),
        "so much moved that it was not told": (LOOK, [event(1001, 9)], [None]),
        "another length than told": (LOOK, [event(1000, 4)], [None]),
        "another server counts otherwise": (LOOK, [event(700, 3), event(90_000, 3)], [None, None]),
        "what stands behind those in sight": (
            deep,
            [event(1002, 500, (1001, [2], [(450, 14)]), (1002, [300], [(3, 15)]))],
            [[11, 13, 15]],
        ),
    }
    visitor.go("/tasks/")

    found = {name: visitor.page.evaluate(FOLLOW, [look, *told]) for name, (look, told, _) in cases.items()}

    assert found == {name: orders for name, (_, _, orders) in cases.items()}


def test_a_developer_searches_the_history(
    own_server: ServerProcess, visitor_of: Callable[..., Visitor], unique_name: Callable[[str], str]
) -> None:
    maker = visitor_of(base_url=own_server.base_url)
    maker.go("/")
    maker.sign_up(unique_name("yan"))
    maker.choose(picture(png(320, 240), "one.png"))
    for style in ("mosaic", "hexagon"):
        maker.pick(style)
        maker.make()
        maker.wait_for_work("done")
    visitor = visitor_of(base_url=own_server.base_url)
    visitor.go("/tasks/")
    visitor.sign_up(DEVELOPER)
    rows, search = visitor.page.locator(".task"), visitor.part("search")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Honeycomb")
    number = rows.last.locator(".task__id").inner_text()

    for word, found in (("Honeycomb", 1), (maker.name, 2), (number, 1), ("nobody", 0)):
        search.get_by_role("searchbox").fill(word)
        search.get_by_role("button", name="Search").click()
        expect(rows).to_have_count(found)
    expect(visitor.page.get_by_text("Nothing here.", exact=True)).to_be_visible()
    search.get_by_role("searchbox").fill("")
    search.get_by_label("State").select_option("failed")
    expect(rows).to_have_count(0)
    search.get_by_label("State").select_option("done")

    expect(rows).to_have_count(2)


def test_older_tasks_are_fetched_when_they_are_wanted(visitor: Visitor) -> None:
    def tasks(first: int, count: int) -> list[dict[str, object]]:
        return [
            {"id": 10_000 - number, "state": "done", "style": "mosaic", "created": "2026-01-01T00:00:00.000Z"}
            for number in range(first, first + count)
        ]

    def answer(route: Route) -> None:
        second = "cursor=" in route.request.url
        page = {"tasks": [], "done": tasks(50, 7) if second else tasks(0, 50), "cursor": None if second else "x-1"}
        route.fulfill(json={"code": 1, "totals": {}, "paused": False, **page})

    visitor.page.route("**/api/tasks/query/**", answer)
    visitor.page.route("**/tasks/events/", lambda route: route.abort())
    visitor.expect_console("ERR_FAILED")
    visitor.go("/tasks/")
    rows = visitor.page.locator(".task")
    expect(rows).to_have_count(50)

    visitor.page.get_by_role("button", name="Older ones").click()

    expect(rows).to_have_count(57)
    expect(visitor.part("older")).to_have_count(0)


def test_being_offline_is_told_and_so_is_the_way_back(visitor: Visitor) -> None:
    visitor.expect_console("ERR_INTERNET_DISCONNECTED")
    visitor.go("/")

    visitor.page.context.set_offline(True)
    expect(visitor.part("offline")).to_contain_text("You are offline.")
    visitor.page.context.set_offline(False)

    expect(visitor.part("offline")).to_have_count(0)
    expect(visitor.toast("The connection is back.")).to_be_visible()
