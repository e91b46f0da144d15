"""The developers' console: the last hour, the filters, changes of many tasks, one task, the reference of the API."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.account import Account
from tests.browser.user import BrowserUser


def test_a_developer_sees_a_story_and_changes_all_that_match(developer: BrowserUser, maker: Account) -> None:
    page = developer.page
    expect(page.get_by_role("alert")).to_contain_text("The queue is paused")
    expect(page.get_by_role("img", name="Waiting time")).to_be_visible()

    page.get_by_role("group", name="State").get_by_role("button", name="In the queue").click()
    expect(page.get_by_text("1 task matches")).to_be_visible()
    page.get_by_role("button", name="Cancel all").click()
    question = page.get_by_role("dialog", name="Cancel 1 task?")
    question.get_by_role("button", name="Cancel all").click()
    expect(developer.toast("1 task was changed.")).to_be_visible()
    page.get_by_role("group", name="State").get_by_role("button", name="In the queue").click()
    page.get_by_role("button", name="Resume the queue").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    task = page.locator('.task[data-state="cancelled"]', has_text=maker.name)
    task.locator(".task__id").click()

    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".attempt")).to_contain_text("finished")
    expect(page.locator(".log")).to_contain_text("running, attempt 1")
    page.get_by_role("link", name="Queue", exact=True).last.click()
    page.get_by_role("link", name="API reference").click()
    page.get_by_text("/api/queue/change").click()
    expect(page.locator(".operation[open] pre").first).to_contain_text("could_not_fetch")


def test_the_reference_of_the_api_is_in_the_users_language(new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(locale="zh-CN", viewport={"width": 390, "height": 844})
    user.go("/tasks/api")

    expect(user.page.get_by_role("heading", name="用户")).to_be_visible()
    first = user.page.locator(".operation", has_text="/api/user/add").first
    expect(first).to_contain_text("注册。")
    expect(user.part("reference")).to_have_count(0)
    user.part("language").click()
    expect(user.page.get_by_role("heading", name="Users")).to_be_visible()
    expect(first).to_contain_text("Sign up.")
    user.page.get_by_role("searchbox").fill("whether others see")
    expect(user.page.locator(".operation:visible code").first).to_have_text("/api/image/change")
