"""Requirement 45: over plain http, where browsers send no Sec-Fetch-Site, no page of another site acts or signs in."""

from __future__ import annotations

import html
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, Response

from tests.browser.conftest import FLAGS
from tests.browser.test_security import post_json
from tests.browser.user import PASSWORD
from tests.support.process import ServerProcess

HOST = "tessera.test"
"""A name that is not localhost: http to it is no secure context."""


class EvilPages(http.server.BaseHTTPRequestHandler):
    """Any path is a page with the links and forms that the test has set, and with its Referrer-Policy."""

    markup = policy = ""

    def do_GET(self) -> None:
        body = f"<!doctype html><title>evil</title>{self.markup}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.policy:
            self.send_header("Referrer-Policy", self.policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No line for each request."""


@pytest.fixture
def evil_port() -> Iterator[int]:
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EvilPages)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield serving.server_port
    EvilPages.markup = EvilPages.policy = ""
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture
def http_server(tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data", *on_shared_mongod) as running:
        yield running


@pytest.fixture
def page(playwright_driver: Playwright, chromium: str) -> Iterator[Page]:
    flags = [*FLAGS, f"--host-resolver-rules=MAP {HOST} 127.0.0.1, MAP evil.test 127.0.0.1"]
    browser: Browser = playwright_driver.chromium.launch(executable_path=chromium, args=flags)
    yield browser.new_page()
    browser.close()


def links_and_forms(site: str, requests: dict[str, tuple[str, dict[str, object]]]) -> str:
    """For each name, path and values: a link with this id, and a form whose button has it with `-form`."""
    return "".join(
        f'<a id="{name}" href="{html.escape(f"{site}{path}?{urlencode(values)}")}">x</a>'
        f'<form method="post" action="{site}{path}"><button id="{name}-form">x</button>'
        + "".join(f'<input name="{key}" value="{html.escape(str(value))}">' for key, value in values.items())
        + "</form>"
        for name, (path, values) in requests.items()
    )


def sign_in_as_ada(page: Page, site: str) -> None:
    page.goto(f"{site}/gallery")
    signed_in = page.evaluate(
        """async password => (await (await fetch("/api/user/query/", {
            method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({username: "ada", password})})).json()).login""",
        PASSWORD,
    )
    assert signed_in is True


def session_name(page: Page, site: str) -> str | None:
    """The name of the user whose session the browser has."""
    page.goto(f"{site}/api/session/")
    user = page.evaluate("() => JSON.parse(document.body.innerText).user")
    return str(user["username"]) if user else None


@pytest.mark.requirement(45)
def test_a_page_of_another_site_neither_acts_nor_signs_in_over_plain_http(
    page: Page, http_server: ServerProcess, evil_port: int
) -> None:
    """The foreign page on our own host name is on another port: the browser sends it SameSite=Strict cookies."""
    site = f"http://{HOST}:{urlsplit(http_server.base_url).port}"
    for name in ("ada", "mallory"):
        post_json(http_server, "/api/user/add/", username=name, email=f"{name}@example.com", password=PASSWORD)
    sign_in = {"username": "mallory", "password": PASSWORD}
    follow = {"from_user_name": "ada", "to_user_name": "mallory", "follow_bool": 1}
    EvilPages.markup = links_and_forms(
        site, {"login": ("/api/user/query/", sign_in), "follow": ("/api/user/follow/", follow)}
    )
    requests: list[dict[str, str]] = []
    page.on("request", lambda request: requests.append(request.headers))

    def click(host: str, element: str) -> str:
        page.goto(f"http://{host}:{evil_port}/")
        page.click(f"#{element}")
        page.wait_for_url(f"{site}/**")
        return page.inner_text("body")

    assert '"login":true' in click("evil.test", "login"), "a link is answered as the contract says"
    assert "cross_site" in click("evil.test", "login-form")
    assert session_name(page, site) is None

    sign_in_as_ada(page, site)
    for host in ("evil.test", HOST):
        for element in ("login", "login-form", "follow", "follow-form"):
            click(host, element)
        assert session_name(page, site) == "ada"
    assert post_json(http_server, "/api/user/query/", username="ada")["follow_user"] == []
    assert not any("sec-fetch-site" in headers for headers in requests), "otherwise this test shows nothing"

    act = f"{site}/api/user/follow/?{urlencode(follow)}"
    page.goto(f"{site}/gallery")
    planted = page.evaluate(
        """async ([password, url]) => {
            const send = async (path, values) => (await fetch(path, {method: "POST",
                headers: {"Content-Type": "application/json"}, body: JSON.stringify(values)})).json();
            const {id} = await send("/api/user/query/", {username: "mallory", password});
            const planted = await send("/api/image/addinfo/", {url, filename: "a.png", user_id: id});
            await send("/api/user/query/", {username: "ada", password});
            return planted.id;
        }""",
        [PASSWORD, act],
    )

    def is_act(response: Response) -> bool:
        return "/api/user/follow/" in response.url

    with page.expect_response(is_act) as response:
        page.goto(f"{site}/i/{planted}")
    page.click('[data-part="download-menu"] summary')
    with page.expect_response(is_act) as downloaded:
        page.click('[data-part="downloads"] button >> nth=0')

    assert response.value.status == 403, "an image on our own page, whose address another user has chosen"
    assert downloaded.value.json()["error"] == "no_session", "our script sends no cookie to such an address"
    assert post_json(http_server, "/api/user/query/", username="ada")["follow_user"] == []


@pytest.mark.requirement(45)
def test_a_page_that_sends_no_referrer_does_not_act_over_plain_http(
    page: Page, http_server: ServerProcess, evil_port: int
) -> None:
    """Its requests say nothing of where they come from: no Sec-Fetch-Site, no Origin, no Referer, but our cookie."""
    site = f"http://{HOST}:{urlsplit(http_server.base_url).port}"
    for name in ("ada", "mallory"):
        post_json(http_server, "/api/user/add/", username=name, email=f"{name}@example.com", password=PASSWORD)
    sign_in_as_ada(page, site)
    follow: dict[str, object] = {"from_user_name": "ada", "to_user_name": "mallory", "follow_bool": 1}
    EvilPages.markup, EvilPages.policy = links_and_forms(site, {"follow": ("/api/user/follow/", follow)}), "no-referrer"
    act = f"{site}/api/user/follow/?{urlencode(follow)}"
    hidden = f"""async () => {{
        const image = new Image();
        await new Promise(done => {{ image.onload = image.onerror = done; image.src = "{act}"; }});
        await fetch("{act}", {{mode: "no-cors", credentials: "include"}}).catch(() => null);
    }}"""

    for host in ("evil.test", HOST):
        for element in ("#follow", "#follow-form"):
            page.goto(f"http://{host}:{evil_port}/")
            with page.expect_response(lambda response: "/api/user/follow/" in response.url) as received:
                page.click(element)
            headers, answer = received.value.request.all_headers(), received.value.json()
            assert headers.keys().isdisjoint({"sec-fetch-site", "referer"})
            assert headers.get("origin") == ("null" if "form" in element else None)
            assert ("cookie" in headers) is (host == HOST), "SameSite=Strict does not regard the port"
            assert answer["error"] == ("no_session" if (host, element) == ("evil.test", "#follow") else "cross_site")
        page.goto(f"http://{host}:{evil_port}/")
        page.evaluate(hidden)  # the browser shows the page no answer
    assert post_json(http_server, "/api/user/query/", username="ada")["follow_user"] == []
    assert session_name(page, site) == "ada"
