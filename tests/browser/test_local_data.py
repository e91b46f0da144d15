"""What the browser stores: nothing is lost by a reload, and nothing is left for the next user."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.held_requests import HeldRequests
from tests.browser.test_first_view import SHIFTS
from tests.browser.test_users import delete_account, sign_out
from tests.browser.user import PASSWORD, STORED, BrowserUser, image_file, until
from tests.support.pictures import png

ENTRIES = """() => new Promise((resolve) => {
    const opening = indexedDB.open("tessera", 1);
    opening.onsuccess = () => {
        const request = opening.result.transaction("entries").objectStore("entries").getAll();
        request.onsuccess = () => {
            opening.result.close();
            resolve(request.result.flat().filter((entry) => entry?.file || entry?.small).length);
        };
    };
})"""
COUNT_TOASTS = """() => {
    window.toasts = 0;
    const count = (records) => { for (const { addedNodes } of records) window.toasts += addedNodes.length; };
    new MutationObserver(count).observe(document.querySelector(".toasts"), { childList: true });
}"""
CHANGE_WHILE_LEAVING = """() => {
    const style = document.querySelector('.style input[value="hexagon"]');
    addEventListener("pagehide", () => style.click());
}"""
MULTIPLY_JOB = """(count) => new Promise((resolve) => {
    const opening = indexedDB.open("tessera", 1);
    opening.onsuccess = () => {
        const transaction = opening.result.transaction("entries", "readwrite");
        const store = transaction.objectStore("entries");
        store.getAll(IDBKeyRange.bound("job:", "job:\uffff")).onsuccess = ({ target }) => {
            for (let id = 1; id < count; id += 1) store.put({ ...target.result[0], id: String(id) }, `job:${id}`);
        };
        transaction.oncomplete = () => { opening.result.close(); resolve(); };
    };
})"""
MANY = 6
TASKS = re.compile("/tasks/(events|query)/")
# As in a private window of WebKit, which stores no Blobs.
REFUSE_BLOBS = """() => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (value, key) {
        if (Object.values(value).some((field) => field instanceof Blob)) throw new DOMException("", "DataCloneError");
        window.stored = (window.stored ?? 0) + 1;
        return put.call(this, value, key);
    };
}"""


def with_a_result(user: BrowserUser, name: str) -> None:
    user.go_signed_up(name)
    user.open_files(image_file(png(64, 48), "private.png"))
    user.make()
    user.wait_for_job("done")


def test_every_job_is_kept_however_many_there_are_until_signing_out_removes_all_from_every_tab(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    with_a_result(user, unique_name("oda"))
    user.page.evaluate(STORED)
    user.page.evaluate(MULTIPLY_JOB, 40)
    other = BrowserUser(user.page.context.new_page())
    other.go("/")
    expect(other.part("stage-name")).to_contain_text("private.png")
    other.part("activity").click()
    expect(other.page.locator(".job")).to_have_count(40)

    sign_out(user)

    expect(user.part("welcome")).to_be_visible()
    expect(other.part("welcome")).to_be_visible()
    expect(other.part("sign-in-open")).to_be_visible()
    expect(other.toast("signed out in another tab")).to_be_visible()
    until(user.page, lambda: user.page.evaluate(ENTRIES), 0)
    user.go("/")
    expect(user.part("welcome")).to_be_visible()
    user.part("activity").click()
    expect(user.page.locator(".job")).to_have_count(0)


def test_deleting_the_account_removes_images_and_jobs(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    with_a_result(user, unique_name("ole"))
    user.page.evaluate(STORED)
    other = BrowserUser(user.page.context.new_page())
    other.go("/")
    expect(other.part("stage-name")).to_contain_text("private.png")

    delete_account(user, PASSWORD)

    expect(user.part("welcome")).to_be_visible()
    expect(other.part("welcome")).to_be_visible()
    until(user.page, lambda: user.page.evaluate(ENTRIES), 0)


def test_another_user_of_the_browser_does_not_see_the_images_of_an_ended_session(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go_signed_up(unique_name("ona"))
    user.open_files(image_file(png(64, 48), "private.png"))
    user.page.evaluate(STORED)
    user.page.context.clear_cookies()
    user.go("/")
    expect(user.part("stage-name")).to_contain_text("private.png")

    user.sign_up(unique_name("pia"))

    expect(user.part("welcome")).to_be_visible()


def test_signing_out_during_an_upload_asks_first_and_later_answers_are_about_no_picture(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    """Answers: previews, and how long a result takes at each size, which the settings show."""
    user.go_signed_up(unique_name("qia"))
    late = [HeldRequests(user.page, re.compile(path)) for path in (r"/api/preview/", r"/tasks/query/\?limit=1$")]
    uploads = HeldRequests(user.page, re.compile("/up/?$"))
    user.open_files(image_file(png(64, 48), "late.png"))
    until(user.page, lambda: all(len(requests) for requests in late))
    user.make()
    user.wait_for_job("uploading")

    user.part("user-menu").click()
    user.page.get_by_role("button", name="Sign out").click()
    dialog = user.page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 upload is running")
    dialog.get_by_role("button", name="Cancel").click()
    expect(user.part("user-name")).to_be_visible()
    user.part("user-menu").click()
    user.page.get_by_role("button", name="Sign out").click()
    dialog.get_by_role("button", name="Sign out").click()
    expect(user.part("sign-in-open")).to_be_visible()
    expect(user.part("welcome")).to_be_visible()
    uploads.abort()
    for requests in late:
        requests.release()
    user.open_files(image_file(png(64, 48), "next.png"))
    user.open_tab("settings")

    expect(user.part("params").get_by_text("about 1 s")).to_be_visible()
    expect(user.page.locator(".toast")).to_have_count(0)


def test_a_reload_in_the_middle_of_a_batch_loses_nothing_and_the_batch_is_one_card_and_one_toast(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    """At first half of the pictures are uploaded, and what becomes of their tasks does not arrive."""
    user.expect_console("ERR_FAILED|Failed to load")
    user.go_signed_up(unique_name("oma"))
    user.open_files(*[image_file(png(48, 36, seed), f"{seed}.png") for seed in range(MANY)])
    expect(user.page.locator(".filmstrip__frame")).to_have_count(MANY)
    second_half = HeldRequests(user.page, re.compile("/up/?$"), after=MANY // 2)
    user.page.route(TASKS, lambda route: route.abort())
    user.page.get_by_role("button", name=f"Make all {MANY}").click()
    user.part("activity").click()
    expect(user.page.locator(".batch__results li")).to_have_count(MANY)
    for phase, count in (("queued", MANY // 2), ("uploading", 2), ("waiting", MANY - MANY // 2 - 2)):
        expect(user.page.locator(f'.batch li[data-phase="{phase}"]')).to_have_count(count)

    user.page.unroute(TASKS)
    user.go_when_stored("/gallery")
    user.page.evaluate(COUNT_TOASTS)
    second_half.release()

    expect(user.toast(f"{MANY} pictures are finished.")).to_be_visible()
    assert user.page.evaluate(SHIFTS) == []
    user.toast("finished").get_by_role("button", name="Show").click()
    card = user.page.locator(".batch")
    expect(card).to_contain_text(f"{MANY} of {MANY} finished")
    expect(card.locator('li[data-phase="done"] a')).to_have_count(MANY)
    until(user.page, lambda: user.page.evaluate("window.toasts"), 1)
    with user.page.expect_download() as download:
        card.get_by_role("button", name="Download all").click()
    assert download.value.suggested_filename == "tessera.zip"


def test_a_reload_brings_back_the_thumbnails_of_all_styles_and_what_was_changed_as_the_page_was_left(
    new_user: Callable[..., BrowserUser],
) -> None:
    user = new_user(thumbnails=True)
    user.go("/")
    user.open_files(image_file(png(64, 48), "one.png"))
    user.wait_for_preview()
    user.page.evaluate(CHANGE_WHILE_LEAVING)

    user.go_when_stored()

    expect(user.page.locator('.style input[value="hexagon"]')).to_be_checked()
    expect(user.page.locator(".style__image").first).to_be_visible()
    expect(user.page.locator(".style__image--waiting")).to_have_count(0)
    user.page.wait_for_function(
        "() => [...document.querySelectorAll('.style__image')].every((image) => image.naturalWidth > 0)"
    )


def test_two_tabs_keep_each_others_pictures(user: BrowserUser) -> None:
    user.go("/")
    other = BrowserUser(user.page.context.new_page())
    other.go("/")
    user.open_files(image_file(png(64, 48), "first.png"))
    other.open_files(image_file(png(64, 48), "second.png"), image_file(png(64, 48), "third.png"))
    other.page.get_by_role("button", name="Remove third.png").click()
    expect(other.page.locator(".filmstrip__frame")).to_have_count(0)  # of one picture there is no strip

    other.go_when_stored()
    user.go_when_stored()

    expect(other.page.locator(".filmstrip__frame")).to_have_count(2)
    expect(user.page.locator(".filmstrip__frame")).to_have_count(2)


def test_where_the_browser_stores_no_blobs_their_bytes_are_stored(user: BrowserUser) -> None:
    user.page.add_init_script(f"({REFUSE_BLOBS})()")
    user.go("/")
    user.open_files(image_file(png(64, 48), "private.png"))
    user.page.wait_for_function("window.stored > 0")

    user.go_when_stored()

    expect(user.part("stage-name")).to_contain_text("private.png")
    expect(user.part("before")).to_have_js_property("naturalWidth", 64)
    expect(user.toast("storage")).to_have_count(0)
