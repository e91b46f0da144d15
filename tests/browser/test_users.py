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
from tests.browser.account import Account
from tests.browser.test_security import post_json
from tests.browser.user import PASSWORD, BrowserUser
from tests.support.pictures import png
from tests.support.process import ServerProcess

NEW_PASSWORD = "eight small stones"


def test_a_taken_name_and_a_wrong_password_are_told_in_the_dialog_and_the_right_one_signs_in(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    user.go("/")
    user.sign_up(unique_name("pam"))
    sign_out(user)
    user.page.get_by_role("button", name="Sign in").click()
    user.part("sign-in-switch").click()
    dialog = user.page.get_by_role("dialog")
    name, password = dialog.get_by_label("Name", exact=True), dialog.get_by_label("Password")
    dialog.get_by_label("E-mail").fill("other@example.com")
    name.fill(user.name.upper())
    password.fill(PASSWORD)
    expect(user.part("sign-in-rule")).to_contain_text(f"At least {MIN_PASSWORD_LENGTH} characters")
    expect(password).to_have_attribute("minlength", str(MIN_PASSWORD_LENGTH))
    expect(name).to_have_attribute("maxlength", str(MAX_USERNAME_LENGTH))
    dialog.locator('[type="submit"]').click()
    expect(dialog.get_by_role("alert")).to_contain_text("is taken")

    user.part("sign-in-switch").click()
    name.fill(user.name)
    password.fill("not that one")
    dialog.locator('[type="submit"]').click()
    expect(dialog.get_by_role("alert")).to_contain_text("do not match")
    password.fill(PASSWORD)
    dialog.locator('[type="submit"]').click()

    expect(user.part("user-name")).to_have_text(user.name)


def test_following_is_seen_in_both_lists(
    user: BrowserUser, server: ServerProcess, unique_name: Callable[[str], str]
) -> None:
    other = unique_name("queen")
    post_json(server, "/api/user/add/", username=other, email="queen@example.com", password=PASSWORD)
    user.go(f"/u/{other}")
    user.sign_up(unique_name("quin"))

    user.part("follow").click()
    expect(user.part("followers")).to_have_text("1 follower")
    user.part("followers").click()
    user.page.get_by_role("dialog", name="Followers").get_by_role("link", name=user.name).click()

    expect(user.part("following")).to_have_text("follows 1")
    expect(user.page).to_have_url(re.compile(f"/u/{user.name}$"))


def test_password_and_address_are_changed_with_the_old_password_and_leaving_asks_for_the_new_one(
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
    password.get_by_label("New password").fill(NEW_PASSWORD)
    password.get_by_role("button", name="Save").click()
    expect(password.get_by_label("New password")).to_have_value("")
    sign_out(user)
    user.sign_in(user.name, NEW_PASSWORD)
    expect(user.part("user-name")).to_have_text(user.name)

    delete_account(user, NEW_PASSWORD)
    expect(user.toast("Your account was deleted.")).to_be_visible()
    user.expect_console(r"status of 404")
    user.go(f"/u/{user.name}")
    expect(user.page.get_by_role("heading", level=1)).to_have_text("Page not found")


def test_everything_of_ones_own_is_taken_along(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    account = Account(user, unique_name("sue"))
    account.make(account.upload(png(64, 48), "small.png")["url"], {"style": "mosaic"})
    user.go("/account")
    expect(user.part("storage")).to_contain_text("2 of 10,000 pictures")

    with user.page.expect_download() as download:
        user.page.get_by_role("link", name="Download all").click()

    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        names = archive.namelist()
        documents = [json.loads(archive.read(name)) for name in names if name.endswith(".json")]
    assert any(account.name in json.dumps(one, ensure_ascii=False) for one in documents)
    assert sum(not name.endswith(".json") for name in names) >= 2


def sign_out(user: BrowserUser) -> None:
    user.part("user-menu").click()
    user.page.get_by_role("button", name="Sign out").click()
    expect(user.part("sign-in-open")).to_be_visible()


def delete_account(user: BrowserUser, password: str) -> None:
    """Delete the account, on its page."""
    user.part("user-menu").click()
    user.page.get_by_role("link", name="Account", exact=True).click()
    user.page.get_by_role("button", name="Delete my account").click()
    dialog = user.page.get_by_role("dialog")
    dialog.get_by_label("Password").fill(password)
    dialog.get_by_role("button", name="Delete my account").click()
