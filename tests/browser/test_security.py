"""Requirements 21 and 34: what people call themselves and their pictures is shown as text, in a real browser."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Dialog, expect

from tests.browser.account import Account
from tests.browser.user import PASSWORD, BrowserUser, image_file
from tests.support.pictures import png
from tests.support.process import ServerProcess

LIVE = '<img src=x onerror="document.title=`owned`;alert(1)">'
FOLLOW_LINK = """path => {
    const link = Object.assign(document.createElement("a"), { href: path });
    document.body.append(link);
    link.click();
    link.remove();
}"""
"""The page that is open shows another one, as it does when a link of it is followed."""


def post_json(server: ServerProcess, path: str, token: str = "", **values: Any) -> dict[str, Any]:
    """A client that is no browser."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(server.base_url + path, json.dumps(values).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.loads(answer.read()))


def armed(user: BrowserUser) -> list[str]:
    """What happens in the page that may not: dialogs, and pages elsewhere."""
    happened: list[str] = []

    def heard(dialog: Dialog) -> None:
        happened.append(dialog.message)
        dialog.dismiss()

    user.page.on("dialog", heard)
    return happened


def assert_harmless(user: BrowserUser, happened: list[str], server: ServerProcess) -> None:
    page = user.page
    assert happened == []
    assert page.locator('img[src="x"], [onerror], [onload], iframe, object, embed').count() == 0
    assert "owned" not in page.title() or "onerror" in page.title()
    assert page.url.startswith(server.base_url)


@pytest.mark.requirement(34)
def test_hostile_names_are_shown_as_text_on_every_page(
    user: BrowserUser, new_user: Callable[..., BrowserUser], server: ServerProcess
) -> None:
    name = f"eve{LIVE}"[:64]
    happened = armed(user)
    post_json(server, "/api/user/add/", username=name, email="eve@example.com", password=PASSWORD)
    account = Account(user, name, is_new=False)
    user.go("/")
    user.open_files(image_file(png(64, 48), f"{LIVE}.png".replace('"', "'")))
    user.visibility.select_option("In the gallery")
    user.make()
    user.wait_for_job("done")
    assert_harmless(user, happened, server)
    mosaic = account.get("/api/feed/?view=mine")["images"][0]
    account.post("/api/image/change/", id=mosaic["id"], title=LIVE, alt=LIVE, show_source=True)
    account.post("/api/tasks/add/", url=mosaic["url"], param={"style": "mosaic", "seed": 5})

    for_all = [
        ("/gallery", ".image-card__title", "onerror="),
        (f"/i/{mosaic['id']}", '[data-part="title"]', "onerror="),
        (f"/u/{quote(name, safe='')}", '[data-part="name"]', "onerror="),
        ("/tasks", ".task", "Roman mosaic"),
    ]
    own = [("/account", '[data-part="storage"]', "pictures"), ("/", '[data-part="stage-name"]', "onerror=")]
    for path, part, text in for_all + own:
        user.page.evaluate(FOLLOW_LINK, path)
        expect(user.page.locator(f"{part}:visible", has_text=text).first).to_be_visible()
        assert_harmless(user, happened, server)

    stranger = new_user()
    happened = armed(stranger)
    signed_out = [("/account", '[data-part="signed-out"]', ""), ("/", '[data-part="welcome"]', "")]
    for path, part, text in for_all + signed_out:
        stranger.go(path)
        expect(stranger.page.locator(f"{part}:visible", has_text=text).first).to_be_visible()
        assert_harmless(stranger, happened, server)


@pytest.mark.requirement(34)
def test_no_parameter_of_an_address_leads_elsewhere(user: BrowserUser, server: ServerProcess) -> None:
    happened = armed(user)
    for target in ("//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)"):
        for path in ("/", "/account"):
            user.go(f"{path}?next={quote(target, safe='')}#{target}")
            assert_harmless(user, happened, server)


@pytest.mark.requirement(21)
def test_a_page_that_calls_itself_a_picture_runs_nothing(
    user: BrowserUser, server: ServerProcess, unique_name: Callable[[str], str]
) -> None:
    name = unique_name("mallory")
    post_json(server, "/api/user/add/", username=name, email="m@example.com", password=PASSWORD)
    token = post_json(server, "/api/user/query/", username=name, password=PASSWORD)["token"]
    both = b"GIF89a/*" + bytes(7) + b"*/=1;alert(1)//<script>alert(1)</script><svg onload=alert(1)>"
    ticket = post_json(server, "/api/image/token/", token, filename="a.html")
    seam = "--seam\r\nContent-Disposition: form-data; name="
    body = (
        (
            f'{seam}"token"\r\n\r\n{ticket["token"]}\r\n{seam}"key"\r\n\r\n{ticket["key"]}\r\n'
            f'{seam}"file"; filename="a.html"\r\nContent-Type: text/html\r\n\r\n'
        ).encode()
        + both
        + b"\r\n--seam--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=seam"}
    urllib.request.urlopen(urllib.request.Request(ticket["upload_url"], body, kind), timeout=60).close()
    happened = armed(user)
    user.expect_console("Failed to load|Content Security Policy|sandbox|TrustedScriptURL")

    user.page.goto(ticket["url"])
    opened_at = user.page.url
    user.go("/")
    tried = user.page.evaluate(
        """url => new Promise(done => {
            const script = document.createElement("script");
            script.onload = () => done("ran");
            script.onerror = () => done("refused");
            try { script.src = url; document.head.append(script); } catch (error) { done("refused"); }
        })""",
        ticket["url"],
    )

    assert happened == []
    assert opened_at == ticket["url"]
    assert tried == "refused"
