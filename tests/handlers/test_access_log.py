"""What the access log and the metrics record of a request, and its id."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from tornado.routing import URLSpec

from handlers import rules
from handlers.access_log import NO_ROUTE, RouteLabels, is_server_error
from handlers.bucket.base import STATUS as BUCKET_STATUS
from handlers.services import Services
from settings import Settings
from tests.support.client import ApiClient


@pytest.mark.gen_test
async def test_every_route_has_a_label_without_patterns(api: ApiClient, services: Services) -> None:
    specs = [rule for rule in rules(services) if isinstance(rule, URLSpec)]
    labels = RouteLabels(specs)

    templates = {labels.of(_example(spec.regex.pattern)) for spec in specs}

    assert len(templates) == len(specs)
    assert NO_ROUTE not in templates
    assert not any(set("()[]\\?*^$") & set(name) for name in templates)


def _example(pattern: str) -> str:
    """A path that only this route matches."""
    path = pattern.removesuffix("$").removesuffix("/?").replace("\\", "")
    for group, value in {
        "(?P<id>[0-9]{1,20})": "7",
        "(?P<width>[0-9]{1,9})": "320",
        "(?P<id>[0-9]+)": "7",
        "(?P<username>[^/]+)": "ada",
        "(?P<bucket_name>[^/]+)": "a",
        "(?P<encoded_key>[^/]+)": "a",
        "(?P<upload_id>[0-9a-f]{32})": "0" * 32,
        "(?P<number>[0-9]{1,6})": "1",
        "(?P<size>[0-9]{1,9})": "1",
        "(?P<ctx>[^/]+)": "a",
        "(?P<offset>[0-9]{1,9})": "1",
        "(.+)": "a",
        "(.*)": "a",
    }.items():
        path = path.replace(group, value)
    return path or "/"


@pytest.mark.parametrize("status", [*BUCKET_STATUS.values(), 503, 507, 579, 404])
def test_client_errors_and_missing_parts_are_no_server_errors(status: int) -> None:
    assert not is_server_error(status)


@pytest.mark.parametrize("status", [500, 502, 599])
def test_a_bug_is_server_error(status: int) -> None:
    assert is_server_error(status)


PATHS = ("/api/feed/", "/", "/static/app.css", "/bucket/nothing", "/made/up", "/metrics", "/api/image/query/?id=x")


@pytest.mark.gen_test
async def test_every_response_and_the_log_have_the_id_of_the_request_or_a_new_one(api: ApiClient, caplog: Any) -> None:
    caplog.set_level(logging.INFO, "handlers.access_log")

    for number, path in enumerate(PATHS):
        with_id = await api.get(path, headers={"X-Request-ID": f"from-proxy-{number}"})
        without_id = await api.get(path, headers={"X-Request-ID": 'no"clean id'})
        assert with_id.headers["X-Request-ID"] == f"from-proxy-{number}", path
        assert without_id.headers["X-Request-ID"].isalnum(), path
        assert f"[from-proxy-{number}]" in caplog.text
        assert f"[{without_id.headers['X-Request-ID']}]" in caplog.text


@pytest.mark.gen_test
async def test_a_request_and_a_queued_task_name_the_user_and_the_network_of_the_client(
    api: ApiClient, caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    ada = await api.sign_up()
    task = await ada.add_task((await ada.upload())["url"])
    await api.new_client().get("/api/feed/", headers={"X-Request-ID": "stranger"})

    who = f"user {ada.user_id} at 127.0.0.0/24"
    assert f"task {task['id']}: queued for {who}, style mosaic" in caplog.text
    assert re.search(rf"200 POST /api/tasks/add/ [\d.]+ ms, {who} \[", caplog.text)
    assert re.search(r"200 GET /api/feed/ [\d.]+ ms, nobody at 127.0.0.0/24 \[stranger\]", caplog.text)
    lines = [record for record in caplog.records if getattr(record, "fields", {}).get("path") == "/api/tasks/add/"]
    assert (lines[0].fields["user"], lines[0].fields["address"]) == (ada.user_id, "127.0.0.0/24")


class TestWholeAddresses:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        return settings_of(log_addresses="full", trusted_proxies=("127.0.0.1",))

    @pytest.mark.gen_test
    async def test_the_setting_says_how_much_of_an_address_is_logged(self, api: ApiClient, caplog: Any) -> None:
        caplog.set_level(logging.INFO)
        ada = await api.sign_up()
        url = (await ada.upload())["url"]
        body, headers = json.dumps({"url": url}).encode(), {"X-Forwarded-For": "203.0.113.77"}
        task = await ada.request(
            "POST", "/api/tasks/add/", body=body, headers={**headers, "Content-Type": "application/json"}
        )

        who = f"user {ada.user_id} at 203.0.113.77"
        assert f"task {task['task']['id']}: queued for {who}, style" in caplog.text
        assert re.search(rf"200 POST /api/tasks/add/ [\d.]+ ms, {who} \[", caplog.text)
