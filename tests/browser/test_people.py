"""People: sign up, in and out, follow, change, take the data along, leave."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.user import PASSWORD, Visitor, picture
from tests.support.pictures import png


def test_a_wrong_password_is_told_and_the_right_one_signs_in(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    visitor.go("/")
    visitor.sign_up(unique_name("pam"))
    sign_out(visitor)
    visitor.page.get_by_role("button", name="Sign in").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill(visitor.name)
    dialog.get_by_label("Password").fill("not that one")
    dialog.locator('[type="submit"]').click()
    expect(dialog.get_by_role("alert")).to_contain_text("do not match")

    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.locator('[type="submit"]').click()

    expect(visitor.part("person-name")).to_have_text(visitor.name)


def test_a_taken_name_is_told_in_the_dialog(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.go("/")
    visitor.sign_up(unique_name("pip"))
    sign_out(visitor)
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.part("sign-switch").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("E-mail").fill("other@example.com")
    dialog.get_by_label("Name", exact=True).fill(visitor.name.upper())
    dialog.get_by_label("Password").fill(PASSWORD)

    dialog.locator('[type="submit"]').click()

    expect(dialog.get_by_role("alert")).to_contain_text("is taken")


def test_following_is_seen_in_both_lists(
    visitor: Visitor, visitor_of: Callable[..., Visitor], unique_name: Callable[[str], str]
) -> None:
    other = visitor_of()
    other.go("/")
    other.sign_up(unique_name("queen"))
    visitor.go(f"/u/{other.name}")
    visitor.sign_up(unique_name("quin"))

    visitor.part("follow").click()
    expect(visitor.part("followers")).to_have_text("1 follower")
    visitor.part("followers").click()
    visitor.page.get_by_role("dialog", name="Followers").get_by_role("link", name=visitor.name).click()

    expect(visitor.part("following")).to_have_text("follows 1")
    assert visitor.page.url.endswith(f"/u/{visitor.name}")


def test_password_and_address_are_changed_with_the_old_password(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    visitor.expect_console(r"status of 4.. .*/api/user/change/")
    visitor.go("/account")
    visitor.sign_up(unique_name("ray"))
    email = visitor.page.locator('[data-form="email"]')
    email.get_by_label("E-mail address").fill("new@example.com")
    email.get_by_label("Current password").fill("wrong password")
    email.get_by_role("button", name="Save").click()
    expect(email.get_by_role("alert")).to_be_visible()
    email.get_by_label("Current password").fill(PASSWORD)
    email.get_by_role("button", name="Save").click()
    expect(visitor.toast("Saved.")).to_be_visible()

    password = visitor.page.locator('[data-form="password"]')
    password.get_by_label("Current password").fill(PASSWORD)
    password.get_by_label("New password").fill("eight small stones")
    password.get_by_role("button", name="Save").click()
    expect(password.get_by_label("New password")).to_have_value("")
    sign_out(visitor)
    visitor.sign_in(visitor.name, "eight small stones")

    expect(visitor.part("person-name")).to_have_text(visitor.name)


def test_everything_of_ones_own_is_taken_along(visitor: Visitor, unique_name: Callable[[str], str]) -> None:
    visitor.go("/")
    visitor.choose(picture(png(320, 240), "small.png"))
    visitor.make()
    visitor.sign_up(unique_name("sue"))
    visitor.wait_for_work("done")
    visitor.go("/account")

    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download all").click()

    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        names = archive.namelist()
        known = [json.loads(archive.read(name)) for name in names if name.endswith(".json")]
    assert any(visitor.name in json.dumps(one, ensure_ascii=False) for one in known)
    assert sum(not name.endswith(".json") for name in names) >= 2


def test_leaving_asks_for_the_password_and_forgets_the_person(
    visitor: Visitor, unique_name: Callable[[str], str]
) -> None:
    visitor.go("/account")
    visitor.sign_up(unique_name("tim"))
    visitor.page.get_by_role("button", name="Delete my account").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Password").fill(PASSWORD)

    dialog.get_by_role("button", name="Delete my account").click()

    expect(visitor.toast("Your account is deleted.")).to_be_visible()
    visitor.expect_console(r"status of 404")
    visitor.go(f"/u/{visitor.name}")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("There is nothing here.")


def sign_out(visitor: Visitor) -> None:
    visitor.part("person").click()
    visitor.page.get_by_role("button", name="Sign out").click()
    expect(visitor.part("sign-open")).to_be_visible()
