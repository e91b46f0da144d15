"""Requirement 45: over plain http, where browsers send no Sec-Fetch-Site, no page of another site acts or signs in."""

from __future__ import annotations

import html
import http.server
import threading
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.browser.test_security import post_json
from tests.browser.user import PASSWORD
from tests.support.process import ServerProcess

HOST, EVIL_HOST = "tessera.test", "evil.test"
"""Names that are not localhost, of this machine: http to them is no secure context."""
ADA, MALLORY = "ada-forged", "mallory-forged"
FOLLOW: dict[str, object] = {"from_user_name": ADA, "to_user_name": MALLORY, "follow_bool": 1}
"""What Mallory wants Ada's browser to send."""


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


@pytest.fixture(scope="module", autouse=True)
def accounts(server: ServerProcess) -> None:
    for name in (ADA, MALLORY):
        post_json(server, "/api/user/add/", username=name, email=f"{name}@example.com", password=PASSWORD)


@pytest.fixture
def site(server: ServerProcess) -> str:
    """The address of the server under a name."""
    return f"http://{HOST}:{urlsplit(server.base_url).port}"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


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
        """async ([username, password]) => (await (await fetch("/api/user/query/", {
            method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({username, password})})).json()).login""",
        [ADA, PASSWORD],
    )
    assert signed_in is True


def session_name(page: Page, site: str) -> str | None:
    """The name of the user whose session the browser has."""
    page.goto(f"{site}/api/session/")
    user = page.evaluate("() => JSON.parse(document.body.innerText).user")
    return str(user["username"]) if user else None


def followed_by_ada(server: ServerProcess) -> list[str]:
    return list(post_json(server, "/api/user/query/", username=ADA)["follow_user"])


@pytest.mark.requirement(45)
def test_a_page_of_another_site_neither_acts_nor_signs_in_over_plain_http(
    page: Page, server: ServerProcess, site: str, evil_port: int
) -> None:
    """The foreign page on our own host name is on another port: the browser sends it SameSite=Strict cookies."""
    sign_in: dict[str, object] = {"username": MALLORY, "password": PASSWORD}
    EvilPages.markup = links_and_forms(
        site, {"login": ("/api/user/query/", sign_in), "follow": ("/api/user/follow/", FOLLOW)}
    )
    requests: list[dict[str, str]] = []
    page.on("request", lambda request: requests.append(request.headers))

    def click(host: str, element: str) -> str:
        page.goto(f"http://{host}:{evil_port}/")
        page.click(f"#{element}")
        page.wait_for_url(f"{site}/**")
        return page.inner_text("body")

    assert '"login":true' in click(EVIL_HOST, "login"), "a link is answered as the contract says"
    assert "cross_site" in click(EVIL_HOST, "login-form")
    assert session_name(page, site) is None

    sign_in_as_ada(page, site)
    for host in (EVIL_HOST, HOST):
        for element in ("login", "login-form", "follow", "follow-form"):
            click(host, element)
        assert session_name(page, site) == ADA
    assert followed_by_ada(server) == []
    assert not any("sec-fetch-site" in headers for headers in requests), "otherwise this test shows nothing"


@pytest.mark.requirement(45)
def test_an_image_whose_address_another_user_has_chosen_does_not_act_over_plain_http(
    page: Page, server: ServerProcess, site: str
) -> None:
    act = f"{site}/api/user/follow/?{urlencode(FOLLOW)}"
    page.goto(f"{site}/gallery")
    planted = page.evaluate(
        """async ([ada, mallory, password, url]) => {
            const send = async (path, values) => (await fetch(path, {method: "POST",
                headers: {"Content-Type": "application/json"}, body: JSON.stringify(values)})).json();
            const {id} = await send("/api/user/query/", {username: mallory, password});
            const planted = await send("/api/image/addinfo/", {url, filename: "a.png", user_id: id});
            await send("/api/user/query/", {username: ada, password});
            return planted.id;
        }""",
        [ADA, MALLORY, PASSWORD, act],
    )

    def is_act(response: Response) -> bool:
        return "/api/user/follow/" in response.url

    with page.expect_response(is_act) as response:
        page.goto(f"{site}/i/{planted}")
    page.click('[data-part="download-menu"] summary')
    with page.expect_response(is_act) as downloaded:
        page.click('[data-part="downloads"] button >> nth=0')

    assert "sec-fetch-site" not in response.value.request.all_headers(), "otherwise this test shows nothing"
    assert response.value.status == 403, "an image on our own page"
    assert downloaded.value.json()["error"] == "no_session", "our script sends no cookie to such an address"
    assert session_name(page, site) == ADA
    assert followed_by_ada(server) == []


@pytest.mark.requirement(45)
def test_a_page_that_sends_no_referrer_does_not_act_over_plain_http(
    page: Page, server: ServerProcess, site: str, evil_port: int
) -> None:
    """Its requests say nothing of where they come from: no Sec-Fetch-Site, no Origin, no Referer, but our cookie."""
    sign_in_as_ada(page, site)
    EvilPages.markup, EvilPages.policy = links_and_forms(site, {"follow": ("/api/user/follow/", FOLLOW)}), "no-referrer"
    act = f"{site}/api/user/follow/?{urlencode(FOLLOW)}"
    hidden = f"""async () => {{
        const image = new Image();
        await new Promise(done => {{ image.onload = image.onerror = done; image.src = "{act}"; }});
        await fetch("{act}", {{mode: "no-cors", credentials: "include"}}).catch(() => null);
    }}"""

    for host in (EVIL_HOST, HOST):
        for element in ("#follow", "#follow-form"):
            page.goto(f"http://{host}:{evil_port}/")
            with page.expect_response(lambda response: "/api/user/follow/" in response.url) as received:
                page.click(element)
            headers, answer = received.value.request.all_headers(), received.value.json()
            assert headers.keys().isdisjoint({"sec-fetch-site", "referer"})
            assert headers.get("origin") == ("null" if "form" in element else None)
            assert ("cookie" in headers) is (host == HOST), "SameSite=Strict does not regard the port"
            assert answer["error"] == ("no_session" if (host, element) == (EVIL_HOST, "#follow") else "cross_site")
        page.goto(f"http://{host}:{evil_port}/")
        page.evaluate(hidden)  # the browser shows the page no answer
    assert followed_by_ada(server) == []
    assert session_name(page, site) == ADA
