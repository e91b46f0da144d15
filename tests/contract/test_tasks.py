"""tasks/add and tasks/query."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.calls import EVERY_WAY, WITH_AND_WITHOUT_SLASH, ask
from tests.support.client import ApiClient
from tests.support.waiting import finished


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_task_is_added_with_the_defaults(api: ApiClient, how: str, slash: str) -> None:
    ada = await api.sign_up("ada")
    url = (await ada.upload())["url"]

    added = await ask(ada, how, f"/api/tasks/add{slash}", url=url)

    task = added["task"]
    assert (added.status, added["code"], task["type"], task["style"]) == (200, 1, "model", "mosaic")
    done = await finished(ada, task["id"])
    assert (done["state"], done["percent"], done["attempts"]) == ("done", 100, 1)


AT_FAULT: list[tuple[dict[str, Any], str]] = [
    ({"param": "cubism"}, "style"),
    ({"param": '{"style": "mosaic", "cell": 1}'}, "cell"),
    ({"param": '{"style": "mosaic", "colour": "red"}'}, "colour"),
    ({"param": '{"style": "mosaic", "cell": NaN}'}, "cell"),
    ({"type": "painting"}, "type"),
    ({"url": ""}, "url"),
    ({"url": "ftp://example.com/a.png"}, "url"),
]


@pytest.mark.gen_test
async def test_a_task_is_refused_with_the_field_at_fault(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    url = (await ada.upload())["url"]

    for values, field in AT_FAULT:
        refused = await ada.post("/api/tasks/add/", **{"url": url, "type": "model", "param": "mosaic", **values})

        assert (refused.status, refused["code"] < 1, refused["field"]) == (200, True, field), values
    assert (await ada.get("/tasks/query/"))["tasks"] == []


@EVERY_WAY
@pytest.mark.gen_test
async def test_model_is_an_older_name_of_param(api: ApiClient, how: str) -> None:
    ada = await api.sign_up("ada")
    url = (await ada.upload())["url"]

    alone = await ask(ada, how, "/api/tasks/add", url=url, model="hexagon")
    both = await ask(ada, how, "/api/tasks/add", url=url, model="hexagon", param='{"style": "hexagon"}')
    differ = await ask(ada, how, "/api/tasks/add", url=url, model="hexagon", param="mosaic")

    assert (alone["task"]["style"], both["task"]["style"]) == ("hexagon", "hexagon")
    assert (differ.status, differ["code"] < 1, differ["field"]) == (200, True, "model")


@pytest.mark.gen_test
async def test_a_source_elsewhere_is_refused(api: ApiClient) -> None:
    ada = await api.sign_up("ada")

    refused = await ada.post("/api/tasks/add/", url="http://127.0.0.1:9/a.png")

    assert (refused.status, refused["code"] < 1, refused["error"]) == (200, True, "source_not_allowed")


@pytest.mark.gen_test
async def test_a_task_needs_a_session(api: ApiClient) -> None:
    refused = await api.post("/api/tasks/add/", url="http://example.com/a.png")

    assert (refused.status, refused["code"] < 1, refused["error"]) == (401, True, "no_session")


@pytest.mark.gen_test
async def test_the_queue_is_shown(api: ApiClient) -> None:
    for path in ("/tasks/query", "/tasks/query/", "/api/tasks/query", "/api/tasks/query/"):
        for method in ("GET", "POST"):
            answer = await api.request(method, path, body=b"" if method == "POST" else None)

            assert (answer.status, answer["code"], answer["tasks"], answer["done"]) == (200, 1, [], []), (method, path)


@pytest.mark.gen_test
async def test_strangers_see_the_queue_without_addresses_and_owners(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    task = await ada.add_task((await ada.upload())["url"])
    await finished(ada, task["id"])

    (own,) = (await ada.get("/tasks/query/"))["done"]
    (seen,) = (await api.new_client().get("/tasks/query/"))["done"]

    assert own["owner"] == "ada"
    assert own["url"]
    assert own["result_url"]
    assert seen["id"] == own["id"]
    assert not {"owner", "url", "recipe", "result_url", "result_id", "source_id"} & seen.keys()
