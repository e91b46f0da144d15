"""What is written down of a request, and its id."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from handlers import Services, routes
from handlers.access_log import NO_ROUTE, RouteLabels, is_our_fault
from handlers.bucket.base import STATUS as BUCKET_STATUS
from tests.support.client import ApiClient


@pytest.mark.gen_test
async def test_every_line_of_the_table_has_a_name_without_patterns(api: ApiClient, services: Services) -> None:
    table = routes(services)
    names = RouteLabels(table)

    templates = {name for spec in table for name in [names.of(_example(spec.regex.pattern))]}

    assert len(templates) == len(table)
    assert NO_ROUTE not in templates
    assert not any(set("()[]\\?*^$") & set(name) for name in templates)


def _example(pattern: str) -> str:
    """A path that this line alone serves."""
    answer = pattern.removesuffix("$").removesuffix("/?").replace("\\", "")
    for group, value in {
        "(?P<id>[0-9]{1,20})": "7",
        "(?P<width>[0-9]{1,9})": "320",
        "(?P<id>[0-9]+)": "7",
        "(?P<username>[^/]+)": "ada",
        "([0-9a-f]{32})": "0" * 32,
        "([0-9]{1,6})": "1",
        "([^/]+)": "a",
        "(.*)": "a",
    }.items():
        answer = answer.replace(group, value)
    return answer or "/"


@pytest.mark.parametrize("status", [*BUCKET_STATUS.values(), 503, 507, 579, 404])
def test_what_a_client_did_or_a_part_did_not_is_no_fault_of_ours(status: int) -> None:
    assert not is_our_fault(status)


@pytest.mark.parametrize("status", [500, 502, 599])
def test_a_bug_is_our_fault(status: int) -> None:
    assert is_our_fault(status)


PATHS = ("/api/feed/", "/", "/static/app.css", "/bucket/nothing", "/made/up", "/metrics", "/api/image/query/?id=x")


@pytest.mark.gen_test
async def test_every_answer_carries_the_id_that_came_or_a_new_one_and_the_log_has_it(
    api: ApiClient, caplog: Any
) -> None:
    caplog.set_level(logging.INFO, "handlers.access_log")

    for number, path in enumerate(PATHS):
        with_id = await api.get(path, headers={"X-Request-ID": f"from-proxy-{number}"})
        without_id = await api.get(path, headers={"X-Request-ID": 'no"clean id'})
        assert with_id.headers["X-Request-ID"] == f"from-proxy-{number}", path
        assert without_id.headers["X-Request-ID"].isalnum(), path
        assert f"[from-proxy-{number}]" in caplog.text
        assert f"[{without_id.headers['X-Request-ID']}]" in caplog.text
