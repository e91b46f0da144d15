"""image/addinfo, image/query, image/upload and the bucket."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.calls import EVERY_WAY, WITH_AND_WITHOUT_SLASH, ask
from tests.support.client import ApiClient


@EVERY_WAY
@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_picture_is_registered_without_a_callback(api: ApiClient, how: str, slash: str) -> None:
    ada = await api.sign_up("ada")
    values = {"url": "http://example.com/a.png", "filename": "a.png", "param": "long " * 500, "user_id": ada.user_id}

    added = await ask(ada, how, f"/api/image/addinfo{slash}", **values)

    assert (added.status, added["code"]) == (200, 1)
    image = await api.new_client().get("/api/image/query/", id=added["id"])
    assert (image["url"], image["param"]) == (values["url"], values["param"])


@pytest.mark.parametrize(
    "change", [{"url": "javascript:alert(1)"}, {"url": ""}, {"user_id": "x"}, {"user_id": 2**60}, {"filename": ["a"]}]
)
@pytest.mark.gen_test
async def test_a_registration_is_refused_with_minus_one(api: ApiClient, change: dict[str, Any]) -> None:
    ada = await api.sign_up("ada")
    values = {"url": "http://example.com/a.png", "filename": "a.png", "param": "", "user_id": ada.user_id, **change}

    refused = await ada.post("/api/image/addinfo/", **values)

    assert (refused.status, refused["code"]) == (200, -1)


@pytest.mark.gen_test
async def test_a_registration_for_somebody_needs_their_session(api: ApiClient) -> None:
    ada, bea = await api.sign_up("ada"), await api.new_client().sign_up("bea")
    values = {"url": "http://example.com/a.png", "filename": "a.png", "user_id": ada.user_id}

    stranger, other = (
        await api.new_client().post("/api/image/addinfo/", **values),
        await bea.post("/api/image/addinfo/", **values),
    )

    assert (stranger.status, stranger["code"]) == (401, -1)
    assert (other.status, other["code"]) == (403, -1)


@WITH_AND_WITHOUT_SLASH
@pytest.mark.gen_test
async def test_a_picture_is_looked_up(api: ApiClient, slash: str) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload(param="for the wall")

    answer = await api.new_client().get(f"/api/image/query{slash}", id=uploaded["id"])

    assert (answer.status, answer["code"], answer["id"]) == (200, 1, uploaded["id"])
    assert (answer["url"], answer["param"]) == (uploaded["url"], "for the wall")


@pytest.mark.gen_test
async def test_an_unknown_picture_is_refused(api: ApiClient) -> None:
    for number in ("1", "0", "-1", "x", str(2**63), "..", '{"$gt":""}', ""):
        answer = await api.get("/api/image/query/", id=number)

        assert (answer.status, answer["code"] < 1) == (200, True), number


@pytest.mark.gen_test
async def test_a_picture_is_looked_up_by_get_alone(api: ApiClient) -> None:
    refused = await api.post("/api/image/query/", id=1)

    assert (refused.status, refused["code"] < 1, refused["error"]) == (405, True, "wrong_method")


@pytest.mark.gen_test
async def test_the_uploads_answer_is_the_callbacks(api: ApiClient) -> None:
    ada = await api.sign_up("ada")

    uploaded = await ada.upload(filename="sea side.png", param="hello")

    assert uploaded.keys() == {"code", "id", "filename", "url", "param"}
    assert (uploaded["code"], uploaded["filename"], uploaded["param"]) == (1, "sea side.png", "hello")


@pytest.mark.gen_test
async def test_a_missing_picture_is_404_with_kodos_words(api: ApiClient) -> None:
    missing = await api.get("/bucket/source/nothing")

    assert (missing.status, missing.json) == (404, {"error": "Document not found"})
