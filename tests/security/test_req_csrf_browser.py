"""Requirements 32 to 35: no other site acts through somebody's browser, and every answer says what protects.

What a browser makes of hostile names is shown in tests/browser/test_security.py.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from handlers import API, PAGES, STATIC, Parts
from models.bucket.embedded.bucket import LocalBucket
from models.bucket.signature import qbox
from settings import Settings
from tests.handlers.sse_client import listening
from tests.support.client import PASSWORD, Answer, Api
from tests.support.waiting import until

FOREIGN: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
)
COLLECTIONS = ("users", "sessions", "follows", "images", "uploads", "tasks")
ACTING = [(path, handler) for path, handler, _ in API if handler.acts]


@pytest.fixture
def settings(settings_of: Any) -> Settings:
    return settings_of(developers=("ada",))


async def everything(parts: Parts) -> str:
    found = {name: await parts.database.collection(name).find({}, sort="_id", limit=100) for name in COLLECTIONS}
    return json.dumps(found, default=str, sort_keys=True)


async def wishes(ada: Api) -> dict[str, dict[str, Any]]:
    """For each endpoint that acts, what would be done if it were our own page that asks."""
    await ada.newcomer().sign_up("bob")
    image = await ada.upload()

    async def settled() -> bool:
        return bool((await ada.get("/api/image/query/", id=image["id"]))["placeholder"])

    await until(settled)
    task = await ada.make(image["url"])
    return {
        "/api/user/add": {"username": "eve", "email": "e@example.com", "password": PASSWORD},
        "/api/user/query": {"username": "bob", "password": PASSWORD},
        "/api/user/follow": {"from_user_name": "ada", "to_user_name": "bob", "follow_bool": 1},
        "/api/user/logout": {},
        "/api/user/change": {"password": PASSWORD, "email": "evil@example.com"},
        "/api/user/delete": {"password": PASSWORD},
        "/api/image/token": {"filename": "a.png"},
        "/api/image/addinfo": {"url": "http://a.example/", "filename": "a", "user_id": ada.user_id},
        "/api/image/change": {"id": image["id"], "title": "evil"},
        "/api/image/delete": {"id": image["id"]},
        "/api/tasks/add": {"url": image["url"]},
        "/api/tasks/cancel": {"id": task["id"]},
        "/api/tasks/retry": {"id": task["id"]},
        "/api/tasks/pause": {},
        "/api/tasks/resume": {},
    }


async def in_every_way(ada: Api, path: str, headers: dict[str, str], values: dict[str, Any]) -> list[Answer]:
    """As JSON, as a form and as a link, with the cookie."""
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    body = "&".join(f"{name}={value}" for name, value in values.items()).encode()
    return [
        await ada.post(path, headers=headers, **values),
        await ada.ask("POST", path, body=body, headers=form),
        await ada.get(path, headers=headers, **values),
    ]


@pytest.mark.gen_test(timeout=90)
async def test_req_32_no_other_site_acts_with_somebodys_cookie(api: Api, parts: Parts) -> None:
    ada = await api.sign_up("ada")
    await parts.queue.pause(True)
    asked = await wishes(ada)
    before = await everything(parts)

    answers = [
        (path, headers, answer)
        for path, values in asked.items()
        for headers in FOREIGN
        for answer in await in_every_way(ada, path, headers, values)
    ]

    assert asked.keys() == {path for path, _ in ACTING} | {"/api/user/query"}
    kept = [(path, headers) for path, headers, answer in answers if answer.status not in (403, 405)]
    assert kept == []
    assert {answer["error"] for _, _, answer in answers if answer.status == 403} == {"cross_site"}
    assert await everything(parts) == before


@pytest.mark.gen_test(timeout=60)
async def test_req_32_a_link_in_a_mail_does_nothing_though_it_brings_the_cookie(api: Api, parts: Parts) -> None:
    """Such a link is opened as if its address had been typed."""
    ada = await api.sign_up("ada")
    await parts.queue.pause(True)
    asked = await wishes(ada)
    before = await everything(parts)
    typed = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}

    answers = {path: await ada.get(path, headers=typed, **values) for path, values in asked.items()}

    assert {answer.status for answer in answers.values()} == {403, 405}
    assert {answer["error"] for answer in answers.values()} == {"cross_site", "wrong_method"}
    assert await everything(parts) == before
    assert (await ada.get("/api/user/query/", headers=typed, username="bob"))["code"] == 1, "a look does no harm"


@pytest.mark.gen_test(timeout=60)
async def test_req_32_our_own_page_and_clients_that_are_no_browser_act(api: Api) -> None:
    ada = await api.sign_up("ada")
    own: tuple[dict[str, str], ...] = (
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": api.base_url},
        {"Sec-Fetch-Site": "same-origin", "Origin": api.base_url},
        {},
    )

    answers = [await ada.post("/api/image/token/", headers=headers, filename="a.png") for headers in own]

    assert [answer["code"] for answer in answers] == [1] * len(own), "documented in docs/security.md"


@pytest.mark.gen_test
async def test_req_33_json_counts_only_as_json_and_links_do_not_act(api: Api, parts: Parts) -> None:
    ada = await api.sign_up("ada")
    await parts.queue.pause(True)
    asked = await wishes(ada)
    before = await everything(parts)
    posts = [path for path, handler in ACTING if handler.methods == ("POST",)]

    as_text = [
        await ada.ask("POST", path, body=json.dumps(values).encode(), headers={"Content-Type": "text/plain"})
        for path, values in asked.items()
        if values and path != "/api/image/token"
    ]
    as_links = [await ada.get(path, **asked[path]) for path in posts]

    assert all(answer["code"] < 1 for answer in as_text)
    assert [(answer.status, answer.headers["Allow"]) for answer in as_links] == [(405, "POST")] * len(posts)
    assert await everything(parts) == before


@pytest.mark.gen_test
async def test_req_33_the_callback_needs_no_cookie_and_no_origin(api: Api, parts: Parts) -> None:
    assert isinstance(parts.bucket, LocalBucket)
    grant = await (await api.sign_up("ada")).post("/api/image/token/", filename="a.png")
    body = f"key={grant['key']}&filename=a.png&filesize=3".encode()
    signed = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": qbox(parts.bucket.keys, "/api/image/upload", body),
    }

    answer = await api.newcomer().ask("POST", "/api/image/upload", body=body, headers=signed)

    assert (answer.status, answer["code"]) == (200, 1)


@pytest.mark.gen_test
async def test_req_33_events_are_not_told_to_pages_of_other_sites(api: Api) -> None:
    ada = await api.sign_up("ada")

    statuses = []
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        async with listening(ada, **headers) as ear:
            statuses.append(ear.status)
    async with listening(ada, Sec_Fetch_Site="same-origin") as ear:
        statuses.append(ear.status)

    assert statuses == [403, 403, 403, 200]


@pytest.mark.gen_test
async def test_req_34_no_address_of_ours_sends_anybody_elsewhere(api: Api) -> None:
    targets = ("//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "javascript:alert(1)")

    answers = [
        await api.get(path, **{name: target})
        for target in targets
        for path in ("/", "/account", "/gallery", "/tasks")
        for name in ("next", "continue", "url", "redirect")
    ]
    answers += [await api.get(path) for path in ("//evil.example", "//evil.example/", "/%2f%2fevil.example")]

    assert not [answer.status for answer in answers if 300 <= answer.status < 400]
    assert not any("Location" in answer.headers for answer in answers)


def shared_headers(answer: Answer) -> list[str]:
    """What is missing of that which every answer must say."""
    headers, missing = answer.headers, []
    policy = headers.get("Content-Security-Policy", "")
    if headers.get("X-Content-Type-Options") != "nosniff":
        missing.append("nosniff")
    if "default-src 'none'" not in policy or "unsafe" in policy:
        missing.append("policy")
    if "frame-ancestors 'none'" not in policy and "sandbox" not in policy:
        missing.append("frame-ancestors")
    if headers.get("Referrer-Policy") != "same-origin":
        missing.append("referrer")
    if "Server" in headers:
        missing.append("silence about the server")
    return missing


@pytest.mark.gen_test(timeout=60)
async def test_req_35_every_answer_says_what_protects(api: Api) -> None:
    ada = await api.sign_up("ada")
    picture = await ada.upload()
    files = [f"/static/{path.relative_to(STATIC)}" for path in STATIC.rglob("*") if path.is_file()]
    pages = [path.replace("(?P<id>[0-9]+)", "7").replace("(?P<username>[^/]+)", "ada") for path, *_ in PAGES]
    bucket = ["/bucket/none", "/up", "/rs/stat/x", "/rs/delete/x", "/rsf/list", picture["url"], "/bucket/%00"]
    others = ["/metrics", "/nowhere", "/static/nothing", "/static/%00", "/static/../x"]
    others.append(f"/thumbnail/{picture['id']}/320")
    paths = [path for path, *_ in API if "(?P<" not in path and not path.endswith("events")]

    answers = {
        f"{method} {path}": await api.newcomer().ask(method, path, body=b"" if method in ("POST", "PUT") else None)
        for path in [*paths, *pages, *files, *bucket, *others]
        for method in ("GET", "POST", "HEAD", "DELETE", "PUT")
    }
    answers["too large"] = await api.post("/api/tasks/add/", url="x" * 3_000_000)
    answers["not modified"] = await api.get(
        files[0], headers={"If-None-Match": answers[f"GET {files[0]}"].headers["Etag"]}
    )

    assert answers["not modified"].status == 304
    assert {name: missing for name, answer in answers.items() if (missing := shared_headers(answer))} == {}
    private = [await ada.get("/api/session/"), await ada.get("/tasks/query/"), await ada.get("/api/user/export/")]
    assert {answer.headers["Cache-Control"] for answer in private} == {"no-store"}


@pytest.mark.gen_test
async def test_req_35_our_pages_need_no_inline_script_and_no_inline_style(api: Api) -> None:
    page = await api.get("/")
    text, policy = page.body.decode(), page.headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text) == []
    assert re.findall(r"<style\b|\sstyle=|\son\w+=|javascript:", text) == []
