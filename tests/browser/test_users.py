"""People: sign up, in and out, follow, change, take the data along, leave."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable

from playwright.sync_api import expect

from models.accounts.passwords import MIN_PASSWORD_LENGTH
from models.accounts.usernames import MAX_USERNAME_LENGTH
from tests.browser.user import PASSWORD, BrowserUser, image_file
from tests.support.pictures import png


def test_a_wrong_password_is_told_and_the_right_one_signs_in(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go("/")
    user.sign_up(unique_name("pam"))
    sign_out(user)
    user.page.get_by_role("button", name="Sign in").click()
    dialog = user.page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill(user.name)
    dialog.get_by_label("Password").fill("not that one")
    dialog.locator('[type="submit"]').click()
    expect(dialog.get_by_role("alert")).to_contain_text("do not match")

    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.locator('[type="submit"]').click()

    expect(user.part("user-name")).to_have_text(user.name)


def test_a_taken_name_is_told_in_the_dialog(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    user.go("/")
    user.sign_up(unique_name("pip"))
    sign_out(user)
    user.page.get_by_role("button", name="Sign in").click()
    user.part("sign-in-switch").click()
    dialog = user.page.get_by_role("dialog")
    dialog.get_by_label("E-mail").fill("other@example.com")
    dialog.get_by_label("Name", exact=True).fill(user.name.upper())
    dialog.get_by_label("Password").fill(PASSWORD)
    expect(user.part("sign-in-rule")).to_contain_text(f"At least {MIN_PASSWORD_LENGTH} characters")
    expect(dialog.get_by_label("Password")).to_have_attribute("minlength", str(MIN_PASSWORD_LENGTH))
    expect(dialog.get_by_label("Name", exact=True)).to_have_attribute("maxlength", str(MAX_USERNAME_LENGTH))

    dialog.locator('[type="submit"]').click()

    expect(dialog.get_by_role("alert")).to_contain_text("is taken")


def test_following_is_seen_in_both_lists(
    user: BrowserUser, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    other = new_user()
    other.go("/")
    other.sign_up(unique_name("queen"))
    user.go(f"/u/{other.name}")
    user.sign_up(unique_name("quin"))

    user.part("follow").click()
    expect(user.part("followers")).to_have_text("1 follower")
    user.part("followers").click()
    user.page.get_by_role("dialog", name="Followers").get_by_role("link", name=user.name).click()

    expect(user.part("following")).to_have_text("follows 1")
    expect(user.page).to_have_url(re.compile(f"/u/{user.name}$"))


def test_password_and_address_are_changed_with_the_old_password(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.expect_console(r"status of 4.. .*/api/user/change/")
    user.go("/account")
    user.sign_up(unique_name("ray"))
    email = user.page.locator('[data-form="email"]')
    email.get_by_label("E-mail address").fill("new@example.com")
    email.get_by_label("Current password").fill("wrong password")
    email.get_by_role("button", name="Save").click()
    expect(email.get_by_role("alert")).to_be_visible()
    email.get_by_label("Current password").fill(PASSWORD)
    email.get_by_role("button", name="Save").click()
    expect(user.toast("Saved.")).to_be_visible()

    password = user.page.locator('[data-form="password"]')
    password.get_by_label("Current password").fill(PASSWORD)
    password.get_by_label("New password").fill("eight small stones")
    password.get_by_role("button", name="Save").click()
    expect(password.get_by_label("New password")).to_have_value("")
    sign_out(user)
    user.sign_in(user.name, "eight small stones")

    expect(user.part("user-name")).to_have_text(user.name)


def test_everything_of_ones_own_is_taken_along(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    user.go("/")
    user.open_files(image_file(png(64, 48), "small.png"))
    user.sign_up(unique_name("sue"))
    user.make()
    user.wait_for_job("done")
    user.go("/account")
    expect(user.part("storage")).to_contain_text("2 of 10,000 pictures")

    with user.page.expect_download() as download:
        user.page.get_by_role("link", name="Download all").click()

    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        names = archive.namelist()
        documents = [json.loads(archive.read(name)) for name in names if name.endswith(".json")]
    assert any(user.name in json.dumps(one, ensure_ascii=False) for one in documents)
    assert sum(not name.endswith(".json") for name in names) >= 2


def test_leaving_asks_for_the_password_and_forgets_the_person(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go("/account")
    user.sign_up(unique_name("tim"))
    user.page.get_by_role("button", name="Delete my account").click()
    dialog = user.page.get_by_role("dialog")
    dialog.get_by_label("Password").fill(PASSWORD)

    dialog.get_by_role("button", name="Delete my account").click()

    expect(user.toast("Your account was deleted.")).to_be_visible()
    user.expect_console(r"status of 404")
    user.go(f"/u/{user.name}")
    expect(user.page.get_by_role("heading", level=1)).to_have_text("Page not found")


def sign_out(user: BrowserUser) -> None:
    user.part("user-menu").click()
    user.page.get_by_role("button", name="Sign out").click()
    expect(user.part("sign-in-open")).to_be_visible()
