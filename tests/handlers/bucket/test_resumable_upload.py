"""Uploads in parts to the embedded bucket, and the real SDK's management calls: what a Qiniu client sees."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import qiniu
from qiniu.http.endpoint import Endpoint
from qiniu.http.region import Region, ServiceName
from tornado.httpclient import HTTPResponse

from models.bucket.policy import upload_token
from models.bucket.signature import encode
from models.bucket.signature import qiniu as sign_request
from tests.models.bucket.installations import LIMIT_BYTES, Installation, error_of, get, open_embedded, png, post
from tests.support.waiting import until

MIB = 1 << 20


@pytest.fixture
def where(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        yield installation


class Client:
    """One upload in parts, step by step."""

    def __init__(self, where: Installation, token: str, key: str = "u/1.png") -> None:
        self.root = f"{where.up_url}/buckets/tessera/objects/{encode(key.encode())}/uploads"
        self.headers = {"Authorization": f"UpToken {token}", "Content-Type": "application/octet-stream"}
        self.url = ""

    async def start(self) -> HTTPResponse:
        response = await post(self.root, b"", self.headers)
        if response.code == 200:
            self.url = f"{self.root}/{json.loads(response.body)['uploadId']}"
        return response

    async def part(self, number: int, data: bytes, md5: str | None = None) -> HTTPResponse:
        headers = {**self.headers, "Content-MD5": md5 or hashlib.md5(data).hexdigest()}
        return await post(f"{self.url}/{number}", data, headers, "PUT")

    async def complete(self, parts: list[dict[str, Any]], **more: object) -> HTTPResponse:
        return await post(self.url, json.dumps({"parts": parts, **more}).encode(), self.headers)

    async def whole(self, data: bytes, size: int = MIB, **more: object) -> HTTPResponse:
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        answers = await asyncio.gather(*(self.part(n, piece) for n, piece in enumerate(pieces, 1)))
        parts = [{"partNumber": n, "etag": json.loads(a.body)["etag"]} for n, a in enumerate(answers, 1)]
        return await self.complete(parts, **more)


@pytest.mark.gen_test
async def test_parts_sent_at_once_become_one_object_and_one_callback(where: Installation) -> None:
    ticket, data = where.sign_upload(), png() + os.urandom(5 * MIB)
    client = Client(where, ticket.token)
    started = await client.start()

    response = await client.whole(data, fname="猫.png", customVars={"x:param": "a&b"}, mimeType="text/html")

    (heard,) = where.receiver.callbacks
    assert json.loads(started.body)["expireAt"] > ticket.expires + 3600
    assert (response.code, response.body) == (200, where.receiver.body)
    assert (heard.filename, heard.param, heard.mime, heard.owner_id) == ("猫.png", "a&b", "image/png", 7)
    assert where.bucket.read("u/1.png", limit_bytes=LIMIT_BYTES, timeout_s=60) == data
    await until(lambda: [path.split("/")[0] for path in where.files()] == ["objects"])


@pytest.mark.gen_test
async def test_an_upload_goes_on_after_a_lost_connection_and_a_restart(where: Installation) -> None:
    token = where.sign_upload().token
    client = Client(where, token)
    await client.start()
    first = json.loads((await client.part(1, png())).body)["etag"]

    again = type(where.bucket)(
        where.folder, where.keys, public_url=where.base, callback_url=where.base, size_limit_bytes=LIMIT_BYTES
    )
    listing = json.loads((await get(client.url, Authorization=f"UpToken {token}")).body)
    second = json.loads((await client.part(2, b"more")).body)["etag"]
    response = await client.complete([{"partNumber": 1, "etag": first}, {"partNumber": 2, "etag": second}])

    assert listing["parts"] == [{"partNumber": 1, "etag": first, "size": len(png())}]
    assert response.code == 200
    assert again.read("u/1.png", limit_bytes=LIMIT_BYTES, timeout_s=60) == png() + b"more"


@pytest.mark.gen_test
async def test_completing_twice_is_no_such_upload_and_the_object_stays(where: Installation) -> None:
    client = Client(where, where.sign_upload().token)
    await client.start()
    etag = json.loads((await client.part(1, png())).body)["etag"]

    answers = [await client.complete([{"partNumber": 1, "etag": etag}]) for _ in range(2)]

    assert [answer.code for answer in answers] == [200, 612]
    assert len(where.receiver.callbacks) == 1


@pytest.mark.gen_test
async def test_the_same_upload_from_the_start_again_is_the_same_success(where: Installation) -> None:
    for _ in range(2):
        client = Client(where, where.sign_upload().token)
        await client.start()
        assert (await client.whole(png() + bytes(2 * MIB))).code == 200

    assert len({heard.etag for heard in where.receiver.callbacks}) == 1


@pytest.mark.gen_test
async def test_an_aborted_upload_leaves_nothing(where: Installation) -> None:
    client = Client(where, where.sign_upload().token)
    await client.start()
    await client.part(1, png())

    aborted = await get(client.url, "DELETE", Authorization=client.headers["Authorization"])

    assert (aborted.code, where.files()) == (200, [])
    assert (await client.part(2, png())).code == 612


@pytest.mark.gen_test
async def test_a_corrupted_part_is_406_and_not_stored(where: Installation) -> None:
    client = Client(where, where.sign_upload().token)
    await client.start()

    assert (await client.part(1, png(), md5="0" * 32)).code == 406
    assert [path.split("/")[0] for path in where.files()] == ["uploads"]


@pytest.mark.gen_test
async def test_parts_keep_to_the_tokens_size(where: Installation) -> None:
    client = Client(where, where.sign_upload(size_limit_bytes=MIB).token)
    await client.start()

    answers = [await client.part(1, bytes(MIB)), await client.part(2, b"x"), await client.part(1, bytes(MIB + 1))]

    assert [answer.code for answer in answers] == [200, 413, 413]


@pytest.mark.gen_test
@pytest.mark.parametrize(("content", "status"), [(b"<html></html>", 403), (b"\xff\xd8\xff", 200)])
async def test_parts_that_make_no_picture_are_refused_at_the_end(
    where: Installation, content: bytes, status: int
) -> None:
    client = Client(where, where.sign_upload().token)
    await client.start()

    assert (await client.whole(content)).code == status
    assert len(where.receiver.callbacks) == (status == 200)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"parts": []}',
        b'{"parts": [{"partNumber": 0, "etag": "a"}]}',
        b'{"parts": [{"partNumber": 1}]}',
        b'{"parts": [{"partNumber": 1, "etag": 5}]}',
        b"\xff",
        b'{"parts": [{"partNumber": 1, "etag": "x"}], "customVars": []}',
        b"[" * 100_000,
    ],
)
async def test_an_invalid_completion_is_400(where: Installation, body: bytes) -> None:
    client = Client(where, where.sign_upload().token)
    await client.start()

    assert (await post(client.url, body, client.headers)).code == 400


@pytest.mark.gen_test
async def test_a_token_is_asked_for_at_every_step_and_holds_for_its_key_alone(where: Installation) -> None:
    good = Client(where, where.sign_upload().token)
    await good.start()
    old = upload_token(where.keys, {"scope": "tessera:u/1.png", "deadline": 1})
    for token, status in (("", 401), ("a:b:c", 401), (old, 401), (where.sign_upload("u/2.png").token, 403)):
        other = Client(where, token)
        other.url = good.url
        answers = [
            await other.start(),
            await other.part(1, png()),
            await other.complete([{"partNumber": 1, "etag": "x"}]),
            await get(other.url, Authorization=f"UpToken {token}"),
            await get(other.url, "DELETE", Authorization=f"UpToken {token}"),
        ]
        assert [answer.code for answer in answers] == [status] * 5, token


@pytest.mark.gen_test
async def test_another_bucket_and_an_invalid_key_are_refused(where: Installation) -> None:
    headers = {"Authorization": f"UpToken {where.sign_upload().token}"}

    other = await post(f"{where.up_url}/buckets/other/objects/~/uploads", b"", headers)
    broken = await post(f"{where.up_url}/buckets/tessera/objects/!!!/uploads", b"", headers)

    assert error_of(other) == (631, "no such bucket")
    assert broken.code == 400


@pytest.mark.gen_test
async def test_without_a_key_the_hash_is_the_key(where: Installation) -> None:
    client = Client(where, upload_token(where.keys, {"scope": "tessera", "deadline": int(time.time()) + 60}))
    client.root = f"{where.up_url}/buckets/tessera/objects/~/uploads"
    await client.start()

    document = json.loads((await client.whole(png())).body)

    assert document["key"] == document["hash"] == where.bucket.stat(document["key"]).etag


@pytest.fixture
def manager(where: Installation) -> qiniu.BucketManager:
    services = {
        ServiceName.RS: [Endpoint.from_host(where.base + "/rs")],
        ServiceName.RSF: [Endpoint.from_host(where.base + "/rsf")],
    }
    return qiniu.BucketManager(qiniu.Auth(where.keys.access, where.keys.secret), regions=[Region(services=services)])


@pytest.mark.gen_test
async def test_the_sdk_stats_lists_and_deletes(where: Installation, manager: qiniu.BucketManager) -> None:
    keys = sorted(["图 片.png", "a+b%.png", "p/1", "p/2", "p/3"])
    for key in keys:
        where.bucket.put(key, png(), mime="image/png")

    stat, _ = await asyncio.to_thread(manager.stat, "tessera", "图 片.png")
    first, ended, _ = await asyncio.to_thread(manager.list, "tessera", None, None, 2)
    rest, at_end, _ = await asyncio.to_thread(manager.list, "tessera", None, first["marker"], 100)
    under, _, _ = await asyncio.to_thread(manager.list, "tessera", "p/")
    _, deleted = await asyncio.to_thread(manager.delete, "tessera", "图 片.png")
    _, gone = await asyncio.to_thread(manager.delete, "tessera", "图 片.png")
    _, absent = await asyncio.to_thread(manager.stat, "tessera", "图 片.png")
    _, other = await asyncio.to_thread(manager.stat, "another", "p/1")

    assert (stat["fsize"], stat["mimeType"], stat["hash"]) == (len(png()), "image/png", where.bucket.stat("p/1").etag)
    assert stat["putTime"] / 1e7 == pytest.approx(where.bucket.stat("p/1").put_time_s, abs=60)
    assert [item["key"] for item in first["items"] + rest["items"]] == keys
    assert (ended, at_end) == (False, True)
    assert [item["key"] for item in under["items"]] == ["p/1", "p/2", "p/3"]
    assert [info.status_code for info in (deleted, gone, absent, other)] == [200, 612, 612, 631]


@pytest.mark.gen_test
async def test_the_sdk_with_other_keys_may_do_nothing(where: Installation) -> None:
    where.bucket.put("a", png(), mime="image/png")
    services = {ServiceName.RS: [Endpoint.from_host(where.base + "/rs")]}
    for keys in (("other", where.keys.secret), (where.keys.access, "other")):
        manager = qiniu.BucketManager(qiniu.Auth(*keys), regions=[Region(services=services)])

        _, info = await asyncio.to_thread(manager.delete, "tessera", "a")

        assert info.status_code == 401
    assert where.bucket.stat("a")


@pytest.mark.gen_test
@pytest.mark.parametrize("date", ["20200101T000000Z", "", "yesterday"])
async def test_an_old_management_request_is_refused(where: Installation, date: str) -> None:
    headers = {"Host": where.base.removeprefix("http://"), "Content-Type": "application/x-www-form-urlencoded"}
    headers["X-Qiniu-Date"] = date
    path = f"/rs/stat/{encode(b'tessera:a')}"
    headers["Authorization"] = sign_request(where.keys, "POST", path, headers, b"")

    assert error_of(await post(where.base + path, b"", headers)) == (403, "request time too skewed")


@pytest.mark.gen_test
@pytest.mark.parametrize("query", ["limit=-1", "limit=1001", "limit=x", "marker=x", "marker=e30=", "prefix=%ff"])
async def test_an_invalid_list_request_is_400(where: Installation, query: str) -> None:
    target, now = f"/rsf/list?bucket=tessera&{query}", time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {
        "Host": where.base.removeprefix("http://"),
        "X-Qiniu-Date": now,
    }
    headers["Authorization"] = sign_request(where.keys, "GET", target, headers, b"")

    assert (await get(where.base + target, **headers)).code == 400
