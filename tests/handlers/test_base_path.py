"""A site below a path of its host: pages, API, uploads, cookies, addresses, whether or not a proxy removes the path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from settings import Settings
from tests.support.client import PASSWORD, ApiClient
from tests.support.waiting import finished


@pytest.fixture
def settings(settings_of: Callable[..., Settings], base_url: str) -> Settings:
    return settings_of(public_url=f"{base_url.replace('localhost', '127.0.0.1')}/tessera")


@pytest.fixture
def below(api: ApiClient) -> ApiClient:
    return ApiClient(api.client, f"{api.base_url}/tessera")


@pytest.mark.gen_test
async def test_the_whole_flow_works_below_the_path(api: ApiClient, below: ApiClient) -> None:
    ada = await below.sign_up("ada")
    uploaded = await ada.upload()
    task = await ada.add_task(uploaded["url"])
    done = await finished(ada, task["id"])
    image = await ada.get("/api/image/query", id=done["result_id"])
    thumbnail = await ada.get(f"{api.base_url}{image['thumbnails']['320']}")

    assert uploaded["url"].startswith(f"{below.base_url}/bucket/")
    assert done["result_url"].startswith(f"{below.base_url}/bucket/")
    assert (await ada.get(done["result_url"])).status == 200
    assert image["page"] == f"/tessera/i/{image['id']}"
    assert (thumbnail.status, thumbnail.headers["Content-Type"]) == (200, "image/webp")


@pytest.mark.gen_test
async def test_the_cookie_is_bound_to_the_path(below: ApiClient) -> None:
    await below.post("/api/user/add/", username="ada", email="a@b.cn", password=PASSWORD)
    signed_in = await below.post("/api/user/query/", username="ada", password=PASSWORD)
    signed_out = await below.post("/api/user/logout/")

    assert "; Path=/tessera/" in signed_in.headers["Set-Cookie"]
    assert "; Path=/tessera/" in signed_out.headers["Set-Cookie"]


@pytest.mark.gen_test
async def test_every_address_of_the_page_is_below_the_path(api: ApiClient, below: ApiClient) -> None:
    for path in ("", "/", "/gallery"):
        page = await below.get(path)
        addresses = re.findall(r'(?:href|src)="(/[^"]*)"', page.body.decode())

        assert page.status == 200
        assert 'data-base="/tessera"' in page.body.decode()
        assert len(addresses) > 10
        assert [address for address in addresses if not address.startswith("/tessera/")] == []
        for address in {address for address in addresses if "/static/" in address}:
            assert (await api.get(address)).status == 200, address


@pytest.mark.gen_test
async def test_a_proxy_may_remove_the_path(api: ApiClient) -> None:
    assert (await api.get("/health"))["ready"]
    assert b'href="/tessera/gallery"' in (await api.get("/")).body
    document = (await api.get("/api/openapi.json")).json
    assert document["servers"] == [{"url": "/tessera"}]
    manifest = json.loads((await api.get("/tessera/static/manifest.webmanifest")).body)
    assert (manifest["start_url"], manifest["icons"][0]["src"]) == ("../", "icon.svg")


@pytest.mark.gen_test
async def test_what_only_begins_like_the_path_is_another_one(api: ApiClient) -> None:
    assert (await api.get("/tesserae/health")).status == 404
    assert (await api.get("/tessera/tessera/health")).status == 404
