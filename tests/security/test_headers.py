"""Requirement 35: every response has the security headers."""

from __future__ import annotations

import re

import pytest

from handlers import API, ROUTES
from handlers.pages.pages import PageHandler
from handlers.pages.static_files import STATIC
from tests.support.client import ApiClient, ApiResponse

PAGE_PATHS = [path for path, handler in ROUTES if issubclass(handler, PageHandler)]


def missing_headers(response: ApiResponse) -> list[str]:
    """The security headers that a response lacks."""
    headers, missing = response.headers, []
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
        missing.append("no Server header")
    return missing


@pytest.mark.requirement(35)
@pytest.mark.gen_test
async def test_every_response_has_the_security_headers(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    picture = await ada.upload()
    files = [f"/static/{path.relative_to(STATIC)}" for path in STATIC.rglob("*") if path.is_file()]
    pages = [path.replace("(?P<id>[0-9]+)", "7").replace("(?P<username>[^/]+)", "ada") for path in PAGE_PATHS]
    bucket = ["/bucket/none", "/up", "/rs/stat/x", "/rs/delete/x", "/rsf/list", picture["url"], "/bucket/%00"]
    others = ["/metrics", "/nowhere", "/static/nothing", "/static/%00", "/static/../x"]
    others += [f"/thumbnail/{picture['id']}/320", files[0]]
    paths = [path for path, _ in API if "(?P<" not in path and not path.endswith("events")]

    responses = {
        f"{method} {path}": await api.new_client().request(
            method, path, body=b"" if method in ("POST", "PUT") else None
        )
        for path in [*paths, *pages, *bucket, *others]
        for method in ("GET", "POST", "HEAD", "DELETE", "PUT")
    }
    responses |= {f"GET {path}": await api.get(path) for path in files}
    responses["too large"] = await api.post("/api/tasks/add/", url="x" * 3_000_000)
    responses["not modified"] = await api.get(
        files[0], headers={"If-None-Match": responses[f"GET {files[0]}"].headers["Etag"]}
    )

    assert responses["not modified"].status == 304
    assert {name: missing for name, response in responses.items() if (missing := missing_headers(response))} == {}
    private = [await ada.get("/api/session/"), await ada.get("/tasks/query/"), await ada.get("/api/user/export/")]
    assert {response.headers["Cache-Control"] for response in private} == {"no-store"}


@pytest.mark.requirement(35)
@pytest.mark.gen_test
async def test_pages_have_no_inline_script_and_no_inline_style(api: ApiClient) -> None:
    page = await api.get("/")
    text, policy = page.body.decode(), page.headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text) == []
    assert re.findall(r"<style\b|\sstyle=|\son\w+=|javascript:", text) == []
