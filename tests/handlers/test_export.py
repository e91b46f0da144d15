"""The export: everything of one's own and nothing else, as a zip file that streams and never ends early unnoticed."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import Any

import pytest
from PIL import Image

from handlers.export import EXPORTS_PER_ADDRESS, MIN_RATE_BYTES_PER_S, WRITE_TIMEOUT_S, ExportSlots, write_limit_s
from handlers.services import Services
from models.errors import TooManyRequests
from tests.support.client import ApiClient, ApiResponse
from tests.support.pictures import png
from tests.support.waiting import finished

EXPORT = "/api/user/export/"


def unpacked(answer: ApiResponse) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    assert answer.status == 200, answer.body
    archive = zipfile.ZipFile(io.BytesIO(answer.body))
    assert archive.testzip() is None
    return archive, json.loads(archive.read("data.json"))


async def with_pictures(api: ApiClient) -> tuple[ApiClient, bytes]:
    """Ada, with a source, a result, a user whom she follows, and a follower."""
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    picture = png(seed=7)
    uploaded = await ada.upload(picture, "../../a holiday <1>.png")
    await finished(ada, (await ada.add_task(uploaded["url"]))["id"])
    await bob.upload(png(seed=8))
    await ada.post("/api/user/follow/", from_user_name="ada", to_user_name="bob", follow_bool=1)
    await bob.post("/api/user/follow/", from_user_name="bob", to_user_name="ada", follow_bool=1)
    return ada, picture


@pytest.mark.gen_test
async def test_an_export_contains_all_data_of_the_user_and_none_of_others(api: ApiClient) -> None:
    ada, picture = await with_pictures(api)

    answer = await ada.get(EXPORT)

    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="tessera-export.zip"'
    archive, data = unpacked(answer)
    profile = data["profile"]
    assert (profile["id"], profile["username"], profile["email"]) == (ada.user_id, "ada", "ada@example.com")
    assert (data["follow_user"], data["followed_user"]) == (["bob"], ["bob"])
    assert {image["kind"]: image["username"] for image in data["images"]} == {"source": "ada", "result": "ada"}
    assert [(task["state"], task["style"]) for task in data["tasks"]] == [("done", "mosaic")]
    results = {image["url"] for image in data["images"] if image["kind"] == "result"}
    assert {task["result_url"] for task in data["tasks"]} == results
    assert {task["visibility"] for task in data["tasks"]} == {"public"}
    assert data["missing"] == []
    files = {image["kind"]: image["file"] for image in data["images"]}
    assert sorted(archive.namelist()) == sorted([*files.values(), "data.json"])
    assert archive.read(files["source"]) == picture
    assert Image.open(io.BytesIO(archive.read(files["result"]))).size == (60, 40)


@pytest.mark.gen_test
async def test_an_export_contains_no_secret_of_a_session_and_no_path_out_of_a_folder(api: ApiClient) -> None:
    ada, _ = await with_pictures(api)
    there = await api.new_client().post("/api/user/query/", username="ada", password="a long enough password")

    archive, data = unpacked(await ada.get(EXPORT))

    text = archive.read("data.json").decode()
    assert [set(session) for session in data["sessions"]] == [{"created", "expires"}] * 2
    assert there["token"] not in text
    assert "argon2" not in text
    for name in archive.namelist():
        assert name.count("/") <= 1
        assert ".." not in name
        assert name.replace("/", "").replace("-", "").replace(".", "").replace("_", "").isalnum()


@pytest.mark.gen_test
async def test_an_export_lists_a_picture_that_the_bucket_lost(api: ApiClient, services: Services) -> None:
    ada, _ = await with_pictures(api)
    lost = next(image for image in unpacked(await ada.get(EXPORT))[1]["images"] if image["kind"] == "source")
    key = services.bucket.key_of(lost["url"])
    assert key is not None
    services.bucket.delete(key)

    archive, data = unpacked(await ada.get(EXPORT))

    assert data["missing"] == [lost["id"]]
    assert len(archive.namelist()) == 2


@pytest.mark.gen_test
async def test_an_export_is_a_stream_for_its_owner_alone_and_one_at_a_time(api: ApiClient) -> None:
    ada, _ = await with_pictures(api)

    stranger = await api.new_client().get(EXPORT)
    together = await asyncio.gather(ada.get(EXPORT), ada.get(EXPORT))
    later = await ada.get(EXPORT)

    assert (stranger.status, stranger["error"]) == (401, "no_session")
    assert sorted(answer.status for answer in together) == [200, 429]
    assert later.status == 200
    assert "Content-Length" not in later.headers


@pytest.mark.gen_test
async def test_an_export_that_fails_in_the_middle_closes_the_connection(api: ApiClient, services: Services) -> None:
    ada, _ = await with_pictures(api)
    await services.users.mark_deleting(ada.user_id)
    host, port = ada.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    cookie = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())

    writer.write(f"GET {EXPORT} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    sent = await asyncio.wait_for(reader.read(), 10)
    writer.close()

    assert b"200 OK" in sent
    assert b"PK\x03\x04" in sent
    assert not sent.endswith(b"0\r\n\r\n")
    assert b"data.json" not in sent
    assert (await api.new_client().get("/health"))["ready"] is True


@pytest.mark.requirement(55)
def test_a_slow_reader_keeps_no_slot_from_others() -> None:
    half_rate_s = 2 / MIN_RATE_BYTES_PER_S

    assert write_limit_s(0, 0.0) == write_limit_s(10**9, 60.0) == WRITE_TIMEOUT_S
    assert write_limit_s(10**6, 10**6 * half_rate_s) == pytest.approx(WRITE_TIMEOUT_S - 10**6 / MIN_RATE_BYTES_PER_S)
    assert write_limit_s(10**7, 10**7 * half_rate_s) < 0, "on average at half the rate: it is cut off"


@pytest.mark.requirement(55)
def test_the_accounts_of_one_address_do_not_hold_every_slot() -> None:
    slots = ExportSlots()
    for user_id in range(EXPORTS_PER_ADDRESS):
        slots.acquire(user_id, "203.0.113.7")

    with pytest.raises(TooManyRequests):
        slots.acquire(8, "203.0.113.7")
    slots.acquire(9, "203.0.113.8")
    with pytest.raises(TooManyRequests):
        slots.acquire(9, "203.0.113.9")
    slots.release(0)
    slots.release(1)
    slots.acquire(8, "203.0.113.7")


@pytest.mark.requirement(55)
def test_two_addresses_do_not_hold_every_slot() -> None:
    slots = ExportSlots()
    for user_id, address in ((1, "203.0.113.7"), (2, "203.0.113.7"), (3, "203.0.113.8")):
        slots.acquire(user_id, address)

    with pytest.raises(TooManyRequests):
        slots.acquire(4, "203.0.113.8")
    slots.acquire(5, "203.0.113.9")
