"""HEAD is served wherever GET only reads, with the headers of GET and no body; it never changes anything."""

from __future__ import annotations

import pytest

from handlers import ROUTES
from tests.support.client import ApiClient

FILLED = {"(?P<id>[0-9]+)": "7", "(?P<username>[^/]+)": "ada", "/static/(.*)": "/static/app.css"}


def paths() -> list[str]:
    """Every path without parameters that only the bucket knows."""
    texts = [path for path, _ in ROUTES if not path.startswith(("/bucket", "/up", "/rs", "/thumbnail"))]
    for pattern, value in FILLED.items():
        texts = [text.replace(pattern, value) for text in texts]
    return [text.replace("\\", "") for text in texts]


@pytest.mark.gen_test
async def test_head_answers_as_get_does_without_a_body(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    differences = {}
    for path in paths():
        head = await ada.request("HEAD", path)
        assert head.body == b"", path
        if head.status == 405:
            continue
        if not path.endswith("events"):
            got = await ada.get(path)
            if (got.status, got.headers["Content-Type"]) != (head.status, head.headers["Content-Type"]):
                differences[path] = (got.status, head.status)

    assert differences == {}


@pytest.mark.gen_test
async def test_head_is_refused_where_get_changes_something(api: ApiClient) -> None:
    refused = {path for path in paths() if (await api.request("HEAD", path)).status == 405}

    assert {"/api/user/add", "/api/tasks/add", "/api/tasks/cancel", "/api/image/addinfo"} <= refused
    assert not {"/", "/health", "/metrics", "/api/session", "/api/feed", "/api/tasks/events"} & refused
