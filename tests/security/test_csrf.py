"""Requirements 32 to 34 and 45: no other site can act through a user's browser.

How a browser renders hostile names is tested in tests/browser/test_security.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from handlers import API
from handlers.endpoint import Endpoint
from handlers.services import Services
from settings import Settings
from tests.handlers.sse_client import open_event_stream
from tests.support.client import PASSWORD, ApiClient, ApiResponse
from tests.support.waiting import until

CROSS_SITE: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
)
COLLECTIONS = ("users", "sessions", "follows", "images", "uploads", "tasks")
ENDPOINTS = {path: post for path, handler in API if isinstance(post := getattr(handler, "post", None), Endpoint)}
STATE_CHANGING = {path: post for path, post in ENDPOINTS.items() if post.is_csrf_protected}
pytestmark = pytest.mark.usefixtures("accounts_of_developers")


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(developers=("ada",))


async def database_content(services: Services) -> str:
    documents = {name: await services.database.collection(name).find({}, sort="_id", limit=100) for name in COLLECTIONS}
    return json.dumps(documents, default=str, sort_keys=True)


async def valid_requests(ada: ApiClient) -> dict[str, dict[str, Any]]:
    """Parameters for each state-changing endpoint, which our own page could send with success."""
    await ada.new_client().sign_up("bob")
    image = await ada.upload()

    async def thumbnail_ready() -> bool:
        return bool((await ada.get("/api/image/query/", id=image["id"]))["placeholder"])

    await until(thumbnail_ready)
    task = await ada.add_task(image["url"])
    return {
        "/api/user/add": {"username": "eve", "email": "e@example.com", "password": PASSWORD},
        "/api/user/query": {"username": "bob", "password": PASSWORD},
        "/api/user/follow": {"from_user_name": "ada", "to_user_name": "bob", "follow_bool": 1},
        "/api/user/guest": {},
        "/api/user/logout": {},
        "/api/user/change": {"password": PASSWORD, "email": "evil@example.com"},
        "/api/user/delete": {"password": PASSWORD},
        "/api/image/token": {"filename": "a.png"},
        "/api/image/addinfo": {"url": "http://a.example/", "filename": "a", "user_id": ada.user_id},
        "/api/image/change": {"id": image["id"], "title": "evil"},
        "/api/image/visibility": {"ids": str(image["id"]), "visibility": "public"},
        "/api/image/delete": {"id": image["id"]},
        "/api/tasks/add": {"url": image["url"]},
        "/api/tasks/cancel": {"id": task["id"]},
        "/api/tasks/retry": {"id": task["id"]},
        "/api/tasks/pause": {},
        "/api/tasks/resume": {},
        "/api/queue/change": {"action": "cancel"},
    }


async def send_in_every_way(
    ada: ApiClient, path: str, headers: dict[str, str], values: dict[str, Any]
) -> list[ApiResponse]:
    """Send with the cookie: as JSON, as a form and as a link."""
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    body = "&".join(f"{name}={value}" for name, value in values.items()).encode()
    return [
        await ada.post(path, headers=headers, **values),
        await ada.request("POST", path, body=body, headers=form),
        await ada.get(path, headers=headers, **values),
    ]


@pytest.mark.requirement(32)
@pytest.mark.gen_test
async def test_no_other_site_can_act_with_a_users_cookie(api: ApiClient, services: Services) -> None:
    ada = await api.sign_in("ada")
    await services.queue.pause(True)
    requests = await valid_requests(ada)
    before = await database_content(services)

    responses = [
        (path, headers, response)
        for path, values in requests.items()
        for headers in CROSS_SITE
        for response in await send_in_every_way(ada, path, headers, values)
    ]

    assert requests.keys() == STATE_CHANGING.keys() | {"/api/user/query", "/api/user/add"}
    accepted = [(path, headers) for path, headers, response in responses if response.status not in (403, 405)]
    assert accepted == []
    assert {response["error"] for _, _, response in responses if response.status == 403} == {"cross_site"}
    assert await database_content(services) == before


@pytest.mark.requirement(32)
@pytest.mark.gen_test
async def test_a_link_in_a_mail_changes_nothing_although_the_cookie_is_sent(api: ApiClient, services: Services) -> None:
    """The browser opens such a link as if the user had typed its URL."""
    ada = await api.sign_in("ada")
    await services.queue.pause(True)
    requests = await valid_requests(ada)
    before = await database_content(services)
    typed = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}

    responses = {path: await ada.get(path, headers=typed, **values) for path, values in requests.items()}

    assert {response.status for response in responses.values()} == {403, 405}
    assert {response["error"] for response in responses.values()} == {"cross_site", "wrong_method"}
    assert await database_content(services) == before
    assert (await ada.get("/api/user/query/", headers=typed, username="bob"))["code"] == 1, "reading is allowed"


def of_our_page(base_url: str) -> tuple[dict[str, str], ...]:
    """What browsers send with an image and a link on a page of ours, by https and by http.

    Users choose the address of an image that they register (`addinfo`), and our page shows it.
    """
    by_https = {"Sec-Fetch-Site": "same-origin", "Referer": f"{base_url}/i/1"}
    image, page = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "text/html,*/*;q=0.8"
    return (
        {**by_https, "Sec-Fetch-Dest": "image"},
        {**by_https, "Sec-Fetch-Dest": "document"},
        {"Referer": f"{base_url}/i/1", "Accept": image},
        {"Referer": f"{base_url}/i/1", "Accept": page},
    )


@pytest.mark.requirement(45)
@pytest.mark.gen_test
async def test_a_link_over_plain_http_changes_nothing(api: ApiClient, services: Services) -> None:
    """Browsers send neither Sec-Fetch-Site nor Origin with it, and the cookie if the page is on another port."""
    ada = await api.sign_in("ada")
    await services.queue.pause(True)
    requests = await valid_requests(ada)
    del requests["/api/user/add"], requests["/api/user/query"]  # neither acts with the cookie
    before = await database_content(services)
    links: tuple[dict[str, str], ...] = (
        {},
        {"Referer": "http://evil.example/page"},
        {"Referer": f"{api.base_url}.evil.example/"},
        {"Referer": "http://["},
        {"Authorization": "Basic eDp5"},
        *of_our_page(api.base_url),
    )

    responses = [await ada.get(path, headers=link, **requests[path]) for path in requests for link in links]

    assert {response.status for response in responses} == {403, 405}
    assert {response["error"] for response in responses} == {"cross_site", "wrong_method"}
    assert await database_content(services) == before
    follow = requests["/api/user/follow"]
    assert (await ada.get("/api/user/follow/", headers={"Referer": f"{api.base_url}/u/bob"}, **follow))["code"] == 1


@pytest.mark.requirement(45)
@pytest.mark.gen_test
async def test_a_link_signs_nobody_in_and_nobody_out(api: ApiClient) -> None:
    ada = await api.new_client().sign_in("ada")
    mallory = await api.new_client().sign_up("mallory")
    cookies = dict(ada.cookies)
    visitor = api.new_client()
    sign_in = {"username": "mallory", "password": PASSWORD}

    for client in (ada, visitor):
        for headers in of_our_page(api.base_url):
            await client.get("/api/user/query/", headers=headers, **sign_in)
        response = await client.get("/api/user/query/", headers={"Referer": "http://evil.example/"}, **sign_in)
        assert (response["code"], response["login"], response["id"]) == (1, True, mallory.user_id)
        assert "Set-Cookie" not in response.headers
    by_token = {"Authorization": f"Bearer {response['token']}"}

    assert ada.cookies == cookies
    assert (await ada.get("/api/session/"))["user"]["username"] == "ada"
    assert (await visitor.get("/api/session/"))["user"] is None
    assert (await visitor.get("/api/session/", headers=by_token))["user"]["username"] == "mallory"
    assert (await visitor.get("/api/user/query/", headers={"Sec-Fetch-Site": "same-origin"}, **sign_in))["login"]
    assert (await visitor.get("/api/session/"))["user"]["username"] == "mallory", "our own page may use GET"


@pytest.mark.requirement(45)
@pytest.mark.gen_test
async def test_a_link_gives_the_pictures_of_a_guest_to_nobody(api: ApiClient) -> None:
    mallory = await api.new_client().sign_up("mallory")
    guest = api.new_client()
    await guest.post("/api/user/guest/")
    image = await guest.upload()

    await guest.get("/api/user/query/", username="mallory", password=PASSWORD)

    assert [each["id"] for each in (await guest.get("/api/feed/?view=mine&kind=source"))["images"]] == [image["id"]]
    assert (await mallory.get("/api/feed/?view=mine&kind=source"))["images"] == []


@pytest.mark.requirement(45)
@pytest.mark.gen_test
async def test_clients_without_cookies_act_by_get_as_the_contract_says(api: ApiClient, services: Services) -> None:
    ada = await api.new_client().sign_in("ada")
    await api.new_client().sign_up("bob")
    token = (await api.get("/api/user/query/", username="ada", password=PASSWORD))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    follow = {"from_user_name": "ada", "to_user_name": "bob", "follow_bool": 1}

    assert (await api.get("/api/user/follow/", headers=bearer, **follow))["code"] == 1
    assert (await ada.get("/api/user/follow/", headers=bearer, **follow))["code"] == 1, "Bearer comes before the cookie"
    for client, name in ((api, "cy"), (ada, "dora")):
        added = await client.get("/api/user/add/", username=name, email=f"{name}@example.com", password=PASSWORD)
        assert added["code"] == 1, "it acts for nobody"


@pytest.mark.requirement(32)
@pytest.mark.gen_test
async def test_our_own_page_and_other_http_clients_can_act(api: ApiClient) -> None:
    ada = await api.sign_in("ada")
    own: tuple[dict[str, str], ...] = (
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": api.base_url},
        {"Sec-Fetch-Site": "same-origin", "Origin": api.base_url},
        {},
    )

    responses = [await ada.post("/api/image/token/", headers=headers, filename="a.png") for headers in own]

    assert [response["code"] for response in responses] == [1] * len(own), "documented in docs/security.md"


@pytest.mark.requirement(33)
@pytest.mark.gen_test
async def test_json_needs_its_content_type_and_links_do_not_act(api: ApiClient, services: Services) -> None:
    ada = await api.sign_in("ada")
    await services.queue.pause(True)
    requests = await valid_requests(ada)
    before = await database_content(services)
    posts = [path for path, endpoint in STATE_CHANGING.items() if endpoint.http_methods == {"POST"}]

    as_text = [
        await ada.request("POST", path, body=json.dumps(values).encode(), headers={"Content-Type": "text/plain"})
        for path, values in requests.items()
        if values and path != "/api/image/token"
    ]
    as_links = [await ada.get(path, **requests[path]) for path in posts]

    assert all(response["code"] < 1 for response in as_text)
    assert [(response.status, response.headers["Allow"]) for response in as_links] == [(405, "POST")] * len(posts)
    assert await database_content(services) == before


@pytest.mark.requirement(33)
@pytest.mark.gen_test
async def test_pages_of_other_sites_receive_no_events(api: ApiClient) -> None:
    ada = await api.sign_in("ada")

    statuses = []
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        async with open_event_stream(ada, **headers) as events:
            statuses.append(events.status)
    async with open_event_stream(ada, Sec_Fetch_Site="same-origin") as events:
        statuses.append(events.status)

    assert statuses == [403, 403, 403, 200]


@pytest.mark.requirement(34)
@pytest.mark.gen_test
async def test_no_url_redirects_to_another_site(api: ApiClient) -> None:
    targets = ("//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "javascript:alert(1)")

    responses = [
        await api.get(f"{path}?{urlencode({name: target})}")
        for target in targets
        for path in ("/", "/account", "/gallery", "/tasks")
        for name in ("next", "continue", "url", "redirect")
    ]
    responses += [await api.get(path) for path in ("//evil.example", "//evil.example/", "/%2f%2fevil.example")]

    assert not [response.status for response in responses if 300 <= response.status < 400]
    assert not any("Location" in response.headers for response in responses)
