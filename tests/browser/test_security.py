"""Requirements 21 and 34: what people call themselves and their pictures is shown as text, in a real browser."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Dialog, expect

from tests.browser.user import PASSWORD, BrowserUser, image_file
from tests.support.pictures import png
from tests.support.process import ServerProcess

LIVE = '<img src=x onerror="document.title=`owned`;alert(1)">'


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
    page.wait_for_load_state("networkidle")
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
    user.go("/")
    user.sign_in(name)
    user.open_files(image_file(png(64, 48), f"{LIVE}.png".replace('"', "'")))
    user.visibility.select_option("In the gallery")
    user.make()
    user.wait_for_job("done")
    assert_harmless(user, happened, server)
    token = post_json(server, "/api/user/query/", username=name, password=PASSWORD)["token"]
    mine = json.loads(
        urllib.request.urlopen(
            urllib.request.Request(
                server.base_url + "/api/feed/?view=mine", headers={"Authorization": f"Bearer {token}"}
            ),
            timeout=300,
        ).read()
    )["images"][0]
    post_json(server, "/api/image/change/", token, id=mine["id"], title=LIVE, alt=LIVE, show_source=True)
    post_json(server, "/api/tasks/add/", token, url=mine["url"], param={"style": "mosaic", "seed": 5})
    person = f"/u/{quote(name, safe='')}"

    stranger = new_user()
    stranger_dialogs = armed(stranger)
    for reader, dialogs in ((user, happened), (stranger, stranger_dialogs)):
        for path in ("/gallery", f"/i/{mine['id']}", person, "/tasks", "/account", "/"):
            reader.go(path)
            assert_harmless(reader, dialogs, server)
    stranger.go(f"/i/{mine['id']}")
    expect(stranger.page.locator("main")).to_contain_text("onerror=")


@pytest.mark.requirement(34)
def test_no_parameter_of_an_address_leads_elsewhere(user: BrowserUser, server: ServerProcess) -> None:
    for target in ("//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)"):
        happened = armed(user)
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
