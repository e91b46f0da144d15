"""Resumable uploads of Kodo's v1 to the embedded bucket, step by step, as the SDKs take them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from models.bucket.etag import BLOCK_BYTES
from models.bucket.policy import upload_token
from models.bucket.signature import encode
from tests.models.bucket.installations import LIMIT_BYTES, Installation, error_of, open_embedded, png, post, token_of

MIB = 1 << 20


@pytest.fixture
def where(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        yield installation


class Client:
    """The three requests of one upload."""

    def __init__(self, where: Installation, token: str) -> None:
        self.where, self.token = where, token

    async def send(self, path: str, data: bytes) -> HTTPResponse:
        headers = {"Authorization": f"UpToken {self.token}", "Content-Type": "application/octet-stream"}
        return await post(self.where.up_url + path, data, headers)

    async def block(self, data: bytes, size: int | None = None) -> dict[str, Any]:
        return document_of(await self.send(f"/mkblk/{size or len(data)}", data))

    async def chunk(self, block: dict[str, Any], data: bytes) -> dict[str, Any]:
        return document_of(await self.send(f"/bput/{block['ctx']}/{block['offset']}", data))

    async def file(self, size: int, *blocks: dict[str, Any], path: str = "") -> HTTPResponse:
        return await self.send(f"/mkfile/{size}{path}", ",".join(block["ctx"] for block in blocks).encode())


def document_of(response: HTTPResponse) -> dict[str, Any]:
    assert response.code == 200, response.body
    document: dict[str, Any] = json.loads(response.body)
    return document


def key_path(key: str) -> str:
    return f"/key/{encode(key.encode())}"


@pytest.mark.gen_test
async def test_a_block_comes_in_chunks_and_goes_on_with_another_token(where: Installation) -> None:
    data = png() + bytes(BLOCK_BYTES) + b"the end"
    first = Client(where, where.sign_upload().token)
    begun = await first.block(data[:MIB], BLOCK_BYTES)
    half = await first.chunk(begun, data[MIB : 2 * MIB])

    later = Client(where, token_of(where, deadline=int(where.bucket.clock()) + 99))
    whole = await later.chunk(half, data[2 * MIB : BLOCK_BYTES])
    last = await later.block(data[BLOCK_BYTES:])
    response = await later.file(len(data), whole, last, path=key_path("u/1.png"))

    assert [begun["offset"], half["offset"], whole["offset"]] == [MIB, 2 * MIB, BLOCK_BYTES]
    assert half["crc32"] == zlib.crc32(data[MIB : 2 * MIB])
    assert (begun["host"], begun["expired_at"] > where.bucket.clock() + 3600) == (where.up_url, True)
    assert (response.code, response.body) == (200, where.receiver.body)
    assert where.bucket.read("u/1.png", limit_bytes=LIMIT_BYTES, timeout_s=60) == data
    assert [path.split("/")[0] for path in where.files()] == ["objects"]


@pytest.mark.gen_test
async def test_a_complete_block_that_is_sent_twice_is_stored_once(where: Installation) -> None:
    client = Client(where, where.sign_upload().token)

    blocks = [await client.block(png()) for _ in range(2)]

    assert blocks[0]["ctx"] == blocks[1]["ctx"]
    assert len(where.files()) == 2  # and the description of the upload
    response = await client.file(2 * len(png()), *blocks)
    assert error_of(response) == (400, "block 1 is not complete")  # only the last block may be short


@pytest.mark.gen_test
async def test_a_ctx_that_is_wrong_used_or_of_somebody_else_is_701(where: Installation) -> None:
    client = Client(where, where.sign_upload().token)
    block = await client.block(png()[:50], len(png()))
    other_user = Client(where, token_of(where, endUser="8"))
    longer = await client.chunk(block, png()[50:])
    damaged = {"ctx": encode(b"0" * 32 + b":1:" + b"0" * 40 + b":1:1"), "offset": 1}

    for sender, wrong in ((client, {"ctx": "x", "offset": 1}), (client, damaged), (other_user, longer)):
        assert (await sender.send(f"/bput/{wrong['ctx']}/{wrong['offset']}", b"x")).code == 701
        assert (await sender.file(len(png()), wrong)).code == 701
    assert (await client.send(f"/bput/{block['ctx']}/50", png()[50:])).code == 701
    assert (await client.file(len(png()), longer, path=key_path("u/1.png"))).code == 200
    assert (await client.file(len(png()), longer, path=key_path("u/1.png"))).code == 701


@pytest.mark.gen_test
async def test_what_makes_no_file_is_refused_with_the_reason(where: Installation) -> None:
    client = Client(where, where.sign_upload().token)
    block, part = await client.block(png()), await client.block(b"x", 2)

    for size, code in ((0, 413), (BLOCK_BYTES + 1, 400)):
        assert (await client.send(f"/mkblk/{size}", b"x")).code == code
    assert error_of(await client.send("/mkblk/5", b"")) == (400, "the chunk is empty")
    assert error_of(await client.send(f"/bput/{part['ctx']}/1", b"")) == (400, "the chunk is empty")
    assert error_of(await client.send(f"/bput/{part['ctx']}/0", b"x")) == (400, "the next chunk starts at 1")
    assert (await client.send("/mkblk/5", b"123456")).code == 413
    assert error_of(await client.file(2, part)) == (400, "block 1 is not complete")
    assert error_of(await client.file(len(png()) + 1, block)) == (400, "the blocks are not as long as the file")
    assert (await client.send("/mkfile/all/key/YQ==", block["ctx"].encode())).code == 400
    assert (await client.file(len(png()), block, path="/key")).code == 400
    assert (await client.file(len(png()), block, path="/key/!")).code == 400
    assert (await client.file(len(png()), block, path=key_path("u/2.png"))).code == 403
    for metadata in (f"/x-qn-meta-a/{encode(b'x' * 3000)}", f"/x-qn-meta-a%20b/{encode(b'x')}"):
        assert (await client.file(len(png()), block, path=key_path("u/1.png") + metadata)).code == 400
    assert (await client.send("/mkfile/1", b",".join([block["ctx"].encode()] * 1001))).code == 400
    for token, status in (("", 401), (upload_token(where.keys, {"scope": "other", "deadline": 2**40}), 631)):
        assert (await Client(where, token).send("/mkblk/1", b"x")).code == status


@pytest.mark.gen_test
async def test_a_stream_of_whole_blocks_may_end_with_an_empty_one(where: Installation) -> None:
    client, data = Client(where, where.sign_upload().token), png() + bytes(BLOCK_BYTES - len(png()))
    block, empty = await client.block(data), document_of(await client.send("/mkblk/0", b""))

    response = await client.file(BLOCK_BYTES, block, empty, path=key_path("u/1.png"))

    assert (empty["offset"], empty["crc32"], response.code) == (0, 0, 200)
    assert where.bucket.read("u/1.png", limit_bytes=LIMIT_BYTES, timeout_s=60) == data
    assert [path.split("/")[0] for path in where.files()] == ["objects"]


@pytest.mark.gen_test
async def test_blocks_keep_to_the_tokens_size(where: Installation) -> None:
    client = Client(where, where.sign_upload(size_limit_bytes=BLOCK_BYTES).token)
    blocks = [await client.block(bytes([number]) * BLOCK_BYTES) for number in range(2)]

    assert (await client.send("/mkblk/1", b"x")).code == 413
    assert error_of(await client.file(2 * BLOCK_BYTES, *blocks)) == (413, "exceed FsizeLimit")


@pytest.mark.gen_test
async def test_a_token_for_any_key_may_be_used_for_several_files(where: Installation) -> None:
    client = Client(where, upload_token(where.keys, {"scope": "tessera", "deadline": 2**40}))
    first, second = await client.block(png(30, 20)), await client.block(png(20, 30))

    answers = [
        await client.file(len(png(30, 20)), first, path=key_path("a") + "/fname/" + encode(b"a.png")),
        await client.file(len(png(20, 30)), second),
    ]

    keys = [json.loads(answer.body)["key"] for answer in answers]
    assert keys == ["a", where.bucket.stat(keys[1]).etag]
    assert sorted({path.split("/")[0] for path in where.files()}) == ["objects"]
