"""Addresses in documents lead back to where the client has found the server; a moved installation has new ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.services import Services
from settings import Settings
from tests.handlers.sse_client import open_event_stream
from tests.support.client import ApiClient, multipart
from tests.support.pictures import png
from tests.support.waiting import finished


def lan(api: ApiClient, name: str = "192.168.1.5") -> dict[str, str]:
    """The Host header of a device that reaches the server by another name."""
    return {"Host": f"{name}:{api.base_url.rpartition(':')[2]}"}


@pytest.mark.gen_test
async def test_another_device_gets_addresses_that_it_can_reach(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    headers = {**lan(api), "Content-Type": "application/json"}
    ticket = await ada.request("POST", "/api/image/token", body=b"{}", headers=headers)
    body, content_type = multipart({"token": ticket["token"], "key": ticket["key"]}, "a.png", png())
    uploaded = await ada.request("POST", "/up", body=body, headers={**lan(api), "Content-Type": content_type})
    added = await ada.request(
        "POST", "/api/tasks/add", body=json.dumps({"url": uploaded["url"]}).encode(), headers=headers
    )
    await finished(ada, added["task"]["id"])
    [task] = (await ada.get("/api/tasks/query", lan(api), id=added["task"]["id"]))["done"]
    image = await ada.get("/api/image/query", lan(api), id=task["result_id"])
    [listed] = (await ada.get("/api/feed", lan(api), view="mine"))["images"]

    here = f"http://{lan(api)['Host']}"
    assert (ticket["upload_url"], ticket["url"]) == (f"{here}/up", f"{here}/bucket/{ticket['key']}")
    assert uploaded["url"] == task["url"] == ticket["url"]
    assert task["result_url"] == image["url"] == image["readable_url"] == listed["url"]
    assert image["url"].startswith(f"{here}/bucket/")


@pytest.mark.gen_test
async def test_events_have_them_too(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    async with open_event_stream(ada, **lan(api)) as stream:
        task = await ada.add_task((await ada.upload())["url"])
        done = await stream.state(task["id"], "done")

    assert done.data["result_url"].startswith(f"http://{lan(api)['Host']}/bucket/")


@pytest.mark.gen_test
async def test_a_host_that_is_none_is_not_repeated(api: ApiClient, services: Services) -> None:
    own = services.bucket.url("key")

    for host in ("evil.example/x", "a b", "user@host", "x" * 300, "[::1", "host:port", ""):
        assert services.bucket.for_host(host).url("key") == own, host
    assert services.bucket.for_host("[fe80::1]:80").url("key") == "http://[fe80::1]:80/bucket/key"


class TestWithPublicUrl:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings], base_url: str) -> Settings:
        return settings_of(public_url=base_url.replace("localhost", "127.0.0.1"))

    @pytest.mark.gen_test
    async def test_it_is_the_address_for_everybody(self, api: ApiClient) -> None:
        ada = await api.sign_up("ada")
        headers = {**lan(api), "Content-Type": "application/json"}

        ticket = await ada.request("POST", "/api/image/token", body=b"{}", headers=headers)

        assert ticket["upload_url"] == f"{api.base_url}/up"


@pytest.mark.gen_test
async def test_finished_tasks_of_a_moved_installation_have_its_new_address(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    task = await ada.add_task((await ada.upload())["url"])
    await finished(ada, task["id"])
    record = await services.tasks.by_id(task["id"])
    assert "http" not in repr(replace(record, url=""))

    [moved] = (await ada.get("/api/tasks/query", lan(api, "new.example"), id=task["id"]))["done"]

    assert moved["url"].startswith("http://new.example:")
    assert moved["result_url"].startswith("http://new.example:")
